"""The functions that build addresses, compiled once for all of the tests' apps."""

from __future__ import annotations

from collections.abc import Callable

from werkzeug.routing import Rule

Builder = Callable[..., tuple[str, str]]


def remember_url_builders() -> None:
    """Let the apps share what werkzeug compiles of each rule of each of them: a quarter of the integration tests' time.

    What it compiles depends on nothing but the rule; one with defaults, of which we have none, is left as it is.
    """
    compile_builder: Callable[[Rule, bool], Builder] = Rule._compile_builder
    made: dict[tuple[object, ...], Builder] = {}

    def remembered(self: Rule, append_unknown: bool = True) -> Builder:
        if self.defaults:
            return compile_builder(self, append_unknown)
        key = (tuple(self._trace), append_unknown)
        if key not in made:
            made[key] = compile_builder(self, append_unknown)
        return made[key]

    Rule._compile_builder = remembered  # type: ignore[method-assign]
