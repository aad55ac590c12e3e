"""How many tickets are left, counted row by row."""

from __future__ import annotations

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from events.bp.tickets.services import available_ticket_counts, get_available_ticket_count
from shared.contracts.errors import NotFound, UnknownTicketType
from shared.services.identity import ensure_user
from tests.factories.calendar import make_calendar, make_entry, make_type
from tests.factories.tickets import make_tickets

HOLDING = {"reserved", "confirmed", "checked_in"}


@pytest.fixture
async def user_id(session: AsyncSession) -> int:
    return (await ensure_user(session, "ada@maypole.example")).id


@pytest.mark.parametrize(
    "state", ["pending", "reserved", "confirmed", "checked_in", "oversold", "refunded", "cancelled"]
)
async def test_only_a_ticket_with_a_seat_counts(session: AsyncSession, user_id: int, state: str) -> None:
    entry = await make_entry(session, await make_calendar(session), price="5.00", capacity=10)
    await make_tickets(session, entry, user_id=user_id, state=state, quantity=3)

    assert await get_available_ticket_count(session, entry.id) == (7 if state in HOLDING else 10)


@pytest.mark.parametrize(
    ("of_entry", "of_type", "left_of_entry", "left_of_type"),
    [
        (None, None, None, None),
        (None, 5, None, 3),
        (10, None, 7, 7),
        (10, 5, 7, 3),
        (4, 5, 1, 1),
    ],
)
async def test_the_tighter_limit_counts(
    session: AsyncSession,
    user_id: int,
    of_entry: int | None,
    of_type: int | None,
    left_of_entry: int | None,
    left_of_type: int | None,
) -> None:
    entry = await make_entry(session, await make_calendar(session), capacity=of_entry)
    adult = await make_type(session, entry, "Adult", capacity=of_type)
    other = await make_type(session, entry, "Child")
    await make_tickets(session, entry, user_id=user_id, ticket_type=adult, quantity=2)
    await make_tickets(session, entry, user_id=user_id, ticket_type=other)

    assert await get_available_ticket_count(session, entry.id) == left_of_entry
    assert await get_available_ticket_count(session, entry.id, adult.id) == left_of_type


async def test_all_types_at_once_say_the_same(session: AsyncSession, user_id: int) -> None:
    entry = await make_entry(session, await make_calendar(session), capacity=6)
    adult = await make_type(session, entry, "Adult", capacity=3)
    child = await make_type(session, entry, "Child")
    await make_tickets(session, entry, user_id=user_id, ticket_type=adult, quantity=3)

    assert await available_ticket_counts(session, entry.id) == {None: 3, adult.id: 0, child.id: 3}


async def test_a_type_of_another_entry_is_unknown(session: AsyncSession) -> None:
    calendar = await make_calendar(session)
    entry = await make_entry(session, calendar)
    foreign = await make_type(session, await make_entry(session, calendar))

    with pytest.raises(UnknownTicketType):
        await get_available_ticket_count(session, entry.id, foreign.id)


async def test_an_unknown_entry_is_not_found(session: AsyncSession) -> None:
    with pytest.raises(NotFound):
        await get_available_ticket_count(session, 1)
