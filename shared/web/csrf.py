"""Cross-site protection without tokens: the browser itself says where a request comes from.

A request that changes something must come from one of our own pages. Every browser of the last years sends
``Origin`` with a form post, and ``Sec-Fetch-Site`` as well; a page cannot forge either. The four apps live on
origins of their own (other ports are same-site but not same-origin), so their origins are listed. Only what a browser
cannot send is exempt: internal calls, which bear a secret, and webhooks, which are hints. See docs/decisions.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import TypeVar

import structlog
from quart import Quart, current_app, request

from shared.contracts.errors import Forbidden

from .state import app_state

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
_EXEMPT = "_maypole_csrf_exempt"
_log = structlog.get_logger("maypole.csrf")

View = TypeVar("View", bound=Callable[..., object])


class CrossSite(Forbidden):
    """A state-changing request did not come from a page of ours."""

    code = "cross_site"
    text = "This form was sent from another site. Please open the page here and try again."


def csrf_exempt(view: View) -> View:
    """Mark a route that browsers do not post to (a webhook): it must not act on what a cookie says."""
    setattr(view, _EXEMPT, True)
    return view


def is_csrf_exempt(view: Callable[..., object] | None) -> bool:
    """Tell whether a view was marked with ``csrf_exempt``."""
    return bool(getattr(view, _EXEMPT, False))


def comes_from_us(origin: str | None, fetch_site: str | None, ours: Collection[str]) -> bool:
    """Tell whether these two headers say that a page of one of ``ours`` sent the request.

    ``Origin: null`` is what a browser sends when it hides the origin; then only ``Sec-Fetch-Site: same-origin`` counts.
    A request with neither header is no form post of a browser of today, and is refused.
    """
    if origin is not None and origin != "null":
        return origin in ours
    if origin == "null":
        return fetch_site == "same-origin"
    # No ``Origin``: "none" is what a person did themselves, as by the address bar; "same-site" may be a stranger's app.
    return fetch_site in {"same-origin", "none"}


def _our_origins() -> frozenset[str]:
    settings = app_state().settings
    if settings.environment == "production":
        return frozenset(settings.public_origins)
    # So that 127.0.0.1 works where the settings say localhost. In production the Host header is the caller's word.
    return frozenset((*settings.public_origins, f"{request.scheme}://{request.host}"))


async def _check() -> None:
    if request.method in SAFE_METHODS or request.routing_exception is not None:
        return  # what no route takes changes nothing, and is told so: not found, or another method
    if is_csrf_exempt(current_app.view_functions.get(request.endpoint or "")):
        return
    origin, fetch_site = request.headers.get("Origin"), request.headers.get("Sec-Fetch-Site")
    if not comes_from_us(origin, fetch_site, _our_origins()):
        _log.warning("cross-site request refused", origin=origin, fetch_site=fetch_site)
        raise CrossSite


def install_csrf(app: Quart) -> None:
    """Check every state-changing request of ``app``."""
    app.before_request(_check)
