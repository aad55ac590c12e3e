"""What the database itself refuses, whoever writes: overlaps in a whole room, overbooked slots, impossible states."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest
from sqlalchemy import insert, text, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from shared.contracts.owner import CartOwner
from shared.db.refusals import violates
from shared.models import Calendar, CalendarEntry, Slot
from tests.factories.calendar import make_entry
from tests.support.desk import Desk, Span, hour

ONE_AT_A_TIME = "ex_calendar_entries_one_at_a_time"
WITHIN_PLACES = "ck_slots_held_within_places"
WITH_SLOT = "ck_calendar_entries_held_with_slot"


@asynccontextmanager
async def refused(session: AsyncSession, constraint: str) -> AsyncIterator[None]:
    """See that the database refuses something because of a constraint, and go on with what was before."""
    with pytest.raises(IntegrityError) as refusal:
        async with session.begin_nested():
            yield
    assert violates(refusal.value, constraint)


async def write_booking(desk: Desk, room: Calendar, owner: CartOwner, span: Span, *, places: int = 1) -> int:
    """Write an ordered booking past all code that locks and looks; give its id."""
    order_id = await desk.bare_order(owner)
    start, end = span
    slot = insert(Slot).values(calendar_id=room.id, start_at=start, end_at=end, places=places)
    slot_id = await desk.session.scalar(slot.returning(Slot.id))
    booking = insert(CalendarEntry).values(
        calendar_id=room.id,
        kind="booking",
        state="ordered",
        name="By hand",
        start_at=start,
        end_at=end,
        user_id=owner.user_id,
        order_id=order_id,
        slot_id=slot_id,
    )
    written = await desk.session.scalar(booking.returning(CalendarEntry.id))
    assert written is not None
    return written


# --- one at a time in a whole room ---


@pytest.mark.parametrize(
    "span",
    [
        hour(0, hours=3),
        hour(1, hours=0.5),
        (hour(1)[0] - timedelta(minutes=30), hour(1)[0] + timedelta(seconds=1)),
        (hour(1)[1] - timedelta(seconds=1), hour(1)[1] + timedelta(hours=1)),
    ],
)
async def test_two_bookings_of_a_whole_room_may_not_overlap(
    desk: Desk, hall: Calendar, ada: CartOwner, bob: CartOwner, span: Span
) -> None:
    await write_booking(desk, hall, ada, hour(1))

    async with refused(desk.session, ONE_AT_A_TIME):
        await write_booking(desk, hall, bob, span)


async def test_bookings_of_a_whole_room_may_follow_each_other(
    desk: Desk, hall: Calendar, ada: CartOwner, bob: CartOwner
) -> None:
    await write_booking(desk, hall, ada, hour(1))
    await write_booking(desk, hall, bob, hour(0))
    await write_booking(desk, hall, bob, hour(2))

    assert await desk.held(hall) == {hour(0): 1, hour(1): 1, hour(2): 1}


async def test_an_event_and_a_booking_of_a_whole_room_may_not_overlap_either_way_round(
    desk: Desk, hall: Calendar, ada: CartOwner
) -> None:
    await write_booking(desk, hall, ada, hour(0))
    async with refused(desk.session, ONE_AT_A_TIME):
        await make_entry(desk.session, hall, start_at=hour(0)[0], hours=2)
    await make_entry(desk.session, hall, start_at=hour(3)[0], hours=2)
    async with refused(desk.session, ONE_AT_A_TIME):
        await write_booking(desk, hall, ada, hour(4))


async def test_two_events_of_a_whole_room_may_not_overlap_once_both_are_on(desk: Desk, hall: Calendar) -> None:
    await make_entry(desk.session, hall, start_at=hour(0)[0], hours=2)
    draft = await make_entry(desk.session, hall, start_at=hour(1)[0], hours=2, state="draft")

    async with refused(desk.session, ONE_AT_A_TIME):
        await desk.session.execute(update(CalendarEntry).where(CalendarEntry.id == draft.id).values(state="confirmed"))


@pytest.mark.parametrize("state", ["cancelled", "declined"])
async def test_what_holds_the_room_no_longer_is_not_in_the_way(
    desk: Desk, hall: Calendar, ada: CartOwner, bob: CartOwner, state: str
) -> None:
    entry_id = await write_booking(desk, hall, ada, hour(0))
    moves = ["provisional", state] if state == "declined" else [state]
    for move in moves:
        await desk.session.execute(update(CalendarEntry).where(CalendarEntry.id == entry_id).values(state=move))

    await write_booking(desk, hall, bob, hour(0, hours=3))


async def test_elsewhere_times_may_overlap(desk: Desk, workshop: Calendar, ada: CartOwner, bob: CartOwner) -> None:
    await write_booking(desk, workshop, ada, hour(0))
    await write_booking(desk, workshop, bob, hour(0, hours=3))
    await make_entry(desk.session, workshop, start_at=hour(0)[0], hours=2)

    assert await desk.held(workshop) == {hour(0): 1, hour(0, hours=3): 1}


async def test_two_whole_rooms_know_nothing_of_each_other(
    desk: Desk, hall: Calendar, workshop: Calendar, ada: CartOwner
) -> None:
    workshop.whole_room = True
    await desk.session.flush()

    await write_booking(desk, hall, ada, hour(0))
    await write_booking(desk, workshop, ada, hour(0))


# --- the calendar is changed ---


async def test_a_room_cannot_be_let_as_a_whole_while_its_bookings_overlap(
    desk: Desk, workshop: Calendar, ada: CartOwner, bob: CartOwner
) -> None:
    await desk.book(ada, workshop, hour(0))
    await desk.book(bob, workshop, hour(0))

    async with refused(desk.session, ONE_AT_A_TIME):
        await desk.session.execute(update(Calendar).where(Calendar.id == workshop.id).values(whole_room=True))


async def test_from_when_a_room_is_let_as_a_whole_nothing_more_overlaps(
    desk: Desk, workshop: Calendar, ada: CartOwner, bob: CartOwner
) -> None:
    await desk.book(ada, workshop, hour(0))
    await desk.session.execute(update(Calendar).where(Calendar.id == workshop.id).values(whole_room=True))

    async with refused(desk.session, ONE_AT_A_TIME):
        await write_booking(desk, workshop, bob, hour(0, hours=3))


async def test_from_when_it_is_no_longer_let_as_a_whole_times_may_overlap(
    desk: Desk, hall: Calendar, ada: CartOwner, bob: CartOwner
) -> None:
    await write_booking(desk, hall, ada, hour(0))
    await desk.session.execute(update(Calendar).where(Calendar.id == hall.id).values(whole_room=False))

    await write_booking(desk, hall, bob, hour(0, hours=3))


async def test_an_event_that_is_moved_to_a_whole_room_follows_its_rule(
    desk: Desk, hall: Calendar, workshop: Calendar, ada: CartOwner
) -> None:
    await write_booking(desk, hall, ada, hour(0))
    event = await make_entry(desk.session, workshop, start_at=hour(0)[0], hours=1)

    async with refused(desk.session, ONE_AT_A_TIME):
        await desk.session.execute(
            update(CalendarEntry).where(CalendarEntry.id == event.id).values(calendar_id=hall.id)
        )


# --- places ---


async def test_a_slot_is_never_booked_beyond_its_places(
    desk: Desk, workshop: Calendar, ada: CartOwner, bob: CartOwner
) -> None:
    await desk.book(ada, workshop, hour(), places=3)
    await desk.add(bob, workshop, hour(1))
    [more] = await desk.entries(await desk.order(bob))
    statement = "UPDATE calendar_entries SET slot_id = (SELECT min(id) FROM slots) WHERE id = :id"

    async with refused(desk.session, WITHIN_PLACES):
        await desk.session.execute(text(statement), {"id": more.id})


async def test_a_slot_does_not_get_fewer_places_than_are_held(desk: Desk, workshop: Calendar, ada: CartOwner) -> None:
    await desk.book(ada, workshop, hour(), places=2)

    async with refused(desk.session, WITHIN_PLACES):
        await desk.session.execute(update(Slot).values(places=1))


async def test_nothing_is_held_without_a_slot(desk: Desk, hall: Calendar, ada: CartOwner) -> None:
    await desk.book(ada, hall, hour())

    async with refused(desk.session, WITH_SLOT):
        await desk.session.execute(text("UPDATE calendar_entries SET slot_id = NULL"))


async def test_the_counters_follow_every_way_of_writing(
    desk: Desk, workshop: Calendar, ada: CartOwner, bob: CartOwner
) -> None:
    await desk.book(ada, workshop, hour(0), hour(1), places=2)
    await desk.book(bob, workshop, hour(0))
    assert await desk.held(workshop) == {hour(0): 3, hour(1): 2}

    await desk.session.execute(
        text("UPDATE calendar_entries SET state = 'cancelled' WHERE user_id = :id"), {"id": ada.user_id}
    )
    assert await desk.held(workshop) == {hour(0): 1}

    await desk.session.execute(text("UPDATE calendar_entries SET slot_id = (SELECT max(id) FROM slots)"))
    assert await desk.held(workshop) == {hour(1): 1}

    await desk.session.execute(text("DELETE FROM calendar_entries"))
    assert await desk.held(workshop) == {}


# --- states ---


@pytest.mark.parametrize("state", ["ordered", "confirmed", "cancelled"])
async def test_what_was_declined_stays_so(desk: Desk, hall: Calendar, ada: CartOwner, state: str) -> None:
    hall.needs_approval = True
    await desk.session.flush()
    [entry] = await desk.entries(await desk.book(ada, hall, hour()))
    await desk.calendar.decide_entry(desk.session, entry.id, approved=False)

    async with refused(desk.session, "may not go from declined"):
        await desk.session.execute(update(CalendarEntry).where(CalendarEntry.id == entry.id).values(state=state))
