"""A request's id and its one line in the log."""

from __future__ import annotations

import re
import time
from uuid import uuid4

import structlog
from quart import Quart, g, request
from quart.typing import ResponseTypes

from .state import app_state

HEADER = "X-Request-ID"
_WELL_FORMED = re.compile(r"[A-Za-z0-9._-]{8,64}")
_ROUTINE = ("/static/", "/health")
_SECRET_ARGUMENTS = frozenset({"code", "token"})
_SECRET_PLACES = re.compile(
    r"(/+(?:auth/+link|orders/+guest|checkout/+return|payments/+webhook)/+)[^/<][^/]*", re.IGNORECASE
)
_SECRET_LOOKS = re.compile(r"(?=[^/]*[0-9])(?=[^/]*[A-Z])[A-Za-z0-9_-]{16,}")
"""Tokens and codes by where they stand and by how they look: the router may have refused or redirected the address."""
_log = structlog.get_logger("maypole.request")


def request_id() -> str:
    """Return the id of the current request: on its pages, in its header and in every log line of it."""
    return str(g.get("request_id", ""))


def loggable_path() -> str:
    """Return the request's path with the secrets in it (a sign-in link's token, a ticket's code) left out.

    They are known by pattern too: an address with a slip in it matches no route, and still opens what it is about.
    """
    path = request.path
    for name, value in (request.view_args or {}).items():
        if name in _SECRET_ARGUMENTS:
            path = path.replace(str(value), f"<{name}>")
    return without_secrets(path)


def without_secrets(path: str) -> str:
    """Return a path without what may be a token or a code, whether or not there is such an address."""
    return _SECRET_LOOKS.sub("<secret>", _SECRET_PLACES.sub(r"\1<secret>", path))


async def _begin() -> None:
    # A proxy's id lets its log and ours be read together; anything of another form could forge lines of the log.
    # Only a proxy of ours is believed: a stranger could write the id of somebody else's request.
    offered = request.headers.get(HEADER, "") if app_state().settings.trusted_proxies else ""
    g.request_id = offered if _WELL_FORMED.fullmatch(offered) else uuid4().hex
    g.started = time.perf_counter()
    # A context may be used again: what another request bound must not stand in this one's lines.
    structlog.contextvars.clear_contextvars()
    structlog.contextvars.bind_contextvars(request_id=g.request_id, app=app_state().name)


async def _end(response: ResponseTypes) -> ResponseTypes:
    response.headers[HEADER] = request_id()
    milliseconds = round((time.perf_counter() - g.started) * 1000, 1) if "started" in g else None
    # Health checks and static files would drown everything else.
    write = _log.debug if request.path.startswith(_ROUTINE) else _log.info
    # Whose request it was, by id alone; nobody's has none.
    identity = g.get("identity")
    who = {} if identity is None or identity.user is None else {"user_id": identity.user.id}
    write(
        "request",
        method=request.method,
        path=loggable_path(),
        status=response.status_code,
        milliseconds=milliseconds,
        **who,
    )
    return response


def install_request_log(app: Quart) -> None:
    """Give every request an id and a log line. To be called first: its line is written last."""
    app.before_request(_begin)
    app.after_request(_end)
