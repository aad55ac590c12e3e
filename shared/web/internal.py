"""The internal JSON API's door: a bearer secret that only our own apps know."""

from __future__ import annotations

import hmac
from collections.abc import Awaitable, Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from quart import request

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
    matches = [hmac.compare_digest(given, secret.get_secret_value().encode()) for secret in settings.internal_secrets]
    return scheme.lower() == "bearer" and any(matches)


def internal_only(view: Callable[P, Awaitable[R]]) -> Callable[P, Awaitable[R]]:
    """Let only our own apps call a route. It needs no CSRF check: no browser knows the secret."""

    @csrf_exempt
    @wraps(view)
    async def guarded(*args: P.args, **kwargs: P.kwargs) -> R:
        if not bears_secret(request.headers.get("Authorization"), app_state().settings):
            raise BadSecret
        return await view(*args, **kwargs)

    return guarded
