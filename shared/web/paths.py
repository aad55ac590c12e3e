"""Which requests are for people: pages have a visitor and a badge, machines' addresses have neither."""

from __future__ import annotations

from quart import current_app, request

from .csrf import is_csrf_exempt

_MACHINES = ("/static/", "/health", "/internal/")


def is_page_request() -> bool:
    """Tell whether a person asks for this: not a static file, a health check, an internal call or a webhook."""
    if request.path.startswith(_MACHINES):
        return False
    return not is_csrf_exempt(current_app.view_functions.get(request.endpoint or ""))
