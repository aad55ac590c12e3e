"""``/.well-known/security.txt`` (RFC 9116): whom to tell of a hole, where the settings name somebody."""

from __future__ import annotations

from datetime import timedelta

from quart import Quart, Response

from shared.contracts.errors import NotFound

from .state import app_state

GOOD_FOR = timedelta(days=180)
"""How long what it says may be relied on: the document asks for less than a year."""


async def _security_txt() -> Response:
    state = app_state()
    contact = state.settings.security_contact
    if not contact:
        raise NotFound
    expires = (state.clock() + GOOD_FOR).isoformat(timespec="seconds")
    lines = (
        f"Contact: {contact if ':' in contact else f'mailto:{contact}'}",
        f"Expires: {expires}",
        f"Canonical: {state.settings.url_of(state.name)}/.well-known/security.txt",
    )
    return Response("\n".join(lines) + "\n", content_type="text/plain; charset=utf-8")


def install_security_txt(app: Quart) -> None:
    """Add the address to ``app``."""
    app.add_url_rule("/.well-known/security.txt", "security_txt", _security_txt)
