"""Templates as plain elements: includes and macros written out in their places, conditions left out."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from html.parser import HTMLParser

VOID = frozenset({"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"})
DEEPEST = 8
"""How far macros and includes are followed; a macro may call itself."""

_COMMENT = re.compile(r"\{#.*?#\}", re.DOTALL)
_MACRO = re.compile(r"\{%-?\s*macro\s+(\w+).*?%\}(.*?)\{%-?\s*endmacro\s*-?%\}", re.DOTALL)
_INCLUDE = re.compile(r'\{%-?\s*include\s+"([^"]+)".*?%\}')
_CALLED = re.compile(r"\{%-?\s*call(?:\([^)]*\))?\s+(.*?)%\}|\{\{(.*?)\}\}", re.DOTALL)
_NAME = re.compile(r"(\w+)\s*\(")
_STATEMENT = re.compile(r"\{%.*?%\}", re.DOTALL)


@dataclass(eq=False)
class Element:
    """One element, as far as a reader of the template can tell."""

    tag: str
    attributes: dict[str, str]
    parent: Element | None
    children: list[Element] = field(default_factory=list)

    def up(self) -> Iterator[Element]:
        """Give the element and what it stands in, from the inside out."""
        element: Element | None = self
        while element is not None:
            yield element
            element = element.parent

    def inside(self) -> Iterator[Element]:
        """Give everything that stands in the element."""
        for child in self.children:
            yield child
            yield from child.inside()

    def inherited(self, name: str, default: str) -> str:
        """Give an attribute as htmx reads it: the element's own, or that of the nearest that has it."""
        return next((each.attributes[name] for each in self.up() if name in each.attributes), default)


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.root = Element("", {}, None)
        self._open = [self.root]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        element = Element(tag, {name: value or "" for name, value in attrs}, self._open[-1])
        self._open[-1].children.append(element)
        if tag not in VOID:
            self._open.append(element)

    def handle_endtag(self, tag: str) -> None:
        # A tag that two branches of a condition open and one line closes leaves the other one open: it ends here, too.
        if any(element.tag == tag for element in self._open):
            while self._open.pop().tag != tag:
                pass


class Written:
    """All templates of one app by name, as it finds them."""

    def __init__(self, sources: Mapping[str, str]) -> None:
        self._sources = {name: _COMMENT.sub("", source) for name, source in sources.items()}

    @cached_property
    def _macros(self) -> dict[str, str]:
        return {name: body for source in self._sources.values() for name, body in _MACRO.findall(source)}

    def elements(self, name: str) -> list[Element]:
        """Give the elements of a template, each after what it stands in."""
        reader = _Reader()
        reader.feed(self._text(_MACRO.sub("", self._sources[name]), 0))
        return list(reader.root.inside())

    def _text(self, source: str, depth: int) -> str:
        """Write includes and macros out."""
        if depth == DEEPEST:
            return ""
        source = _INCLUDE.sub(lambda found: self._text(self._included(found[1]), depth + 1), source)
        source = _CALLED.sub(lambda found: self._call(found[1] or found[2], depth), source)
        return _STATEMENT.sub("", source)

    def _included(self, name: str) -> str:
        return _MACRO.sub("", self._sources.get(name, ""))

    def _call(self, expression: str, depth: int) -> str:
        """Write out the macros that an expression calls; any other expression is a text."""
        bodies = [self._macros[name] for name in _NAME.findall(expression) if name in self._macros]
        return "".join(self._text(body, depth + 1) for body in bodies) or "x"
