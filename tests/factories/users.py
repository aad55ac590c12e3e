"""People for tests."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import count

from quart.typing import TestClientProtocol as Client
from sqlalchemy.ext.asyncio import AsyncSession

from shared.contracts.dtos import UserDTO
from shared.contracts.states import Role
from shared.db.uow import unit_of_work
from shared.services.identity import ensure_user, grant_role, start_session
from shared.web.state import AppState

_numbers = count(1)


async def make_user(
    session: AsyncSession, *, email: str | None = None, name: str = "", roles: tuple[Role, ...] = ()
) -> UserDTO:
    """Make a user; the caller commits."""
    user = await ensure_user(session, email or f"shopper-{next(_numbers)}@maypole.example", name=name)
    for role in roles:
        await grant_role(session, user.id, role)
    everywhere = frozenset(roles)
    grants = frozenset[tuple[Role, int | None]]((role, None) for role in everywhere)
    return UserDTO(user.id, user.email, user.name, roles=everywhere | user.roles, grants=grants | user.grants)


async def sign_in_client(
    client: Client, *, email: str | None = None, name: str = "", roles: tuple[Role, ...] = ()
) -> UserDTO:
    """Make a user and let a test client be signed in as them, at an app that serves."""
    state: AppState = client.app.extensions["maypole"]
    async with unit_of_work(state.database) as uow:
        user = await make_user(uow.session, email=email, name=name, roles=roles)
        made = await start_session(
            uow.session, user_id=user.id, now=datetime.now(UTC), days=state.settings.session_days
        )
        await uow.commit()
    auth = state.auth
    client.set_cookie("localhost", str(auth.cookie_name), auth.dump_token(made.token, app=client.app), path="/")
    return user
