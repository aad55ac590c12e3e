"""Requests that htmx sends, and answers that it understands."""

from __future__ import annotations

from typing import cast

from quart import Request, Response, redirect, request
from quart.wrappers import Response as QuartResponse


def is_htmx(req: Request | None = None) -> bool:
    """Tell whether htmx asks for a partial; a boosted link or a history restore wants the whole page."""
    headers = (req or request).headers
    wants_page = headers.get("HX-Boosted") == "true" or headers.get("HX-History-Restore-Request") == "true"
    return headers.get("HX-Request") == "true" and not wants_page


def redirect_to(url: str) -> Response:
    """Send the browser to ``url``: 303 for a form, ``HX-Redirect`` for htmx.

    htmx follows a 303 within its own request and would put the next page into a part of this one (and could not
    follow it to the payment provider's origin at all); the header makes the whole browser go.
    """
    if request.headers.get("HX-Request") == "true":
        # 204: htmx swaps nothing, and the browser is on its way.
        return QuartResponse(b"", status=204, headers={"HX-Redirect": url})
    return cast("Response", redirect(url, code=303))
