"""The events app on a clean database, and people who use it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from quart import Quart
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from events.app import create_app
from shared.models import Ticket
from shared.settings import Settings
from shared.web.state import EXTENSION, AppState
from tests.factories.users import sign_in_client
from tests.support.internal_api import PATIENT_MS
from tests.support.neighbours import real_apps
from tests.support.visitor import Visitor


@pytest.fixture
async def app(settings: Settings, database_url: str) -> AsyncIterator[Quart]:
    """Serve the events app beside a blog that it asks. There is no cart app: pages have a badge without a number."""
    made = create_app(settings.model_copy(update={"internal_timeout_ms": PATIENT_MS}))
    async with real_apps(settings, "blog") as http, made.test_app():
        state: AppState = made.extensions[EXTENSION]
        state.http = http
        yield made


@pytest.fixture
def visitor(app: Quart) -> Visitor:
    """A browser that nobody is signed in with."""
    return Visitor(app.test_client())


SignIn = Callable[[str], Awaitable[Visitor]]


@pytest.fixture
def sign_in(app: Quart) -> SignIn:
    """Give a browser that a person is signed in with."""

    async def sign_in(email: str) -> Visitor:
        client = app.test_client()
        return Visitor(client, await sign_in_client(client, email=email))

    return sign_in


@pytest.fixture
async def ada(sign_in: SignIn) -> Visitor:
    """Ada's browser, signed in."""
    return await sign_in("ada@maypole.example")


async def states_of(session: AsyncSession, user_id: int) -> list[tuple[int | None, str]]:
    """Return type and state of a person's tickets, as the database has them now."""
    await session.rollback()
    rows = await session.execute(
        select(Ticket.ticket_type_id, Ticket.state).where(Ticket.user_id == user_id).order_by(Ticket.id)
    )
    return [(type_id, state) for type_id, state in rows]
