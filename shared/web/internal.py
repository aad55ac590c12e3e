"""The internal JSON API's guard: a bearer secret that only our own apps know.

It stands before the whole prefix, so that a stranger is not even told which addresses there are and which methods
they take; and once more at each view, so that none is open that lies elsewhere by mistake.
"""

from __future__ import annotations

import hmac
from collections.abc import Awaitable, Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from quart import Quart, request

from shared.contracts.errors import ShopError
from shared.settings import Settings

from .csrf import csrf_exempt
from .state import app_state

PREFIX = "/internal/"
P = ParamSpec("P")
R = TypeVar("R")


class BadSecret(ShopError):
    """An internal call without a secret that we accept."""

    code = "unauthorized"
    status = 401
    text = "This address is for our own apps."


def bears_secret(authorization: str | None, settings: Settings) -> bool:
    """Tell whether an ``Authorization`` header bears one of our secrets; takes as long whether or not it does."""
    scheme, _, token = (authorization or "").partition(" ")
    given = token.strip().encode()
    # A list, not a generator: ``any`` would stop at the first that fits, and the time would tell which one it was.
    matches = [hmac.compare_digest(given, secret.get_secret_value().encode()) for secret in settings.internal_secrets]
    return scheme.lower() == "bearer" and any(matches)


def _require_secret() -> None:
    if not bears_secret(request.headers.get("Authorization"), app_state().settings):
        raise BadSecret


def internal_only(view: Callable[P, Awaitable[R]]) -> Callable[P, Awaitable[R]]:
    """Let only our own apps call a route. It needs no CSRF check: no browser knows the secret."""

    @csrf_exempt
    @wraps(view)
    async def guarded(*args: P.args, **kwargs: P.kwargs) -> R:
        _require_secret()
        return await view(*args, **kwargs)

    return guarded


async def _guard() -> None:
    if request.path.startswith(PREFIX):
        _require_secret()


def install_internal(app: Quart) -> None:
    """Shut the internal API of ``app`` to everybody who does not know a secret of ours."""
    app.before_request(_guard)
