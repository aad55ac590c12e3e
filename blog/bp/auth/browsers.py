"""Writing down that somebody has signed in, and telling those with a role of a browser that is new to their account."""

from __future__ import annotations

from quart import Response, request

from shared.contracts.contact import shortened_address
from shared.contracts.dtos import UserDTO
from shared.contracts.journal import SecurityEvent
from shared.mail.security import tell_of_new_browser
from shared.services.browsers import REMEMBERED, know_browser
from shared.services.security import note_security
from shared.services.sessions import device_of
from shared.web.state import app_state, request_session


async def note_sign_in(user: UserDTO, response: Response) -> None:
    """Write a sign-in down, in ``g.s``; of somebody with a role, the browser is remembered by a cookie of its own."""
    session, state = request_session(), app_state()
    token = (
        await know_browser(session, user.id, request.cookies.get(_name()), now=state.clock()) if user.grants else None
    )
    await note_security(
        session,
        SecurityEvent.SIGNED_IN,
        user_id=user.id,
        address=request.remote_addr,
        data=None if token is None else {"browser": "new"},
    )
    if token is not None:
        _remember(response, token)
        await tell_of_new_browser(
            session,
            state.settings,
            user.email,
            device=device_of(request.headers.get("User-Agent")),
            network=shortened_address(request.remote_addr),
        )


def _name() -> str:
    # Signing in is this app's alone, so the cookie goes to no other host, and nobody below it can plant one.
    return "__Host-maypole_browser" if app_state().settings.environment == "production" else "maypole_browser"


def _remember(response: Response, token: str) -> None:
    response.set_cookie(
        _name(),
        token,
        max_age=REMEMBERED,
        path="/",
        secure=app_state().settings.environment == "production",
        httponly=True,
        samesite="Lax",
    )
