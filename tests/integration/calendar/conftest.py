"""The booking desk on a clean database, with a hall that is let as a whole and a workshop of three places."""

from __future__ import annotations

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from shared.contracts.owner import CartOwner
from shared.models import Calendar
from tests.factories.calendar import make_calendar, make_rule
from tests.support.desk import Desk


@pytest.fixture
def desk(session: AsyncSession) -> Desk:
    return Desk(session)


@pytest.fixture
async def hall(session: AsyncSession) -> Calendar:
    """A whole room, at 8.00 an hour, or 20.00 for three hours from nine, noon, … on."""
    made = await make_calendar(session, name="The hall", whole_room=True)
    await make_rule(session, made, "An hour of the hall", price="8.00", position=1)
    await make_rule(session, made, "A morning of the hall", price="20.00", minutes=180, position=2)
    return made


@pytest.fixture
async def workshop(session: AsyncSession) -> Calendar:
    """Three places an hour, at 5.00 each."""
    made = await make_calendar(session, name="The workshop")
    await make_rule(session, made, "A place at the bench", price="5.00", places=3)
    return made


@pytest.fixture
async def ada(desk: Desk) -> CartOwner:
    return await desk.user()


@pytest.fixture
async def bob(desk: Desk) -> CartOwner:
    return await desk.user()


@pytest.fixture
async def guest(desk: Desk) -> CartOwner:
    """Somebody without an account."""
    return await desk.guest()
