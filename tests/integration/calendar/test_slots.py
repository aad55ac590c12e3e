"""What is offered of a calendar, and what of that is free."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from shared.contracts.owner import CartOwner
from shared.models import Calendar, CalendarClosure
from tests.factories.calendar import make_calendar, make_entry, make_rule
from tests.support.desk import MONDAY_MORNING, Desk, hour
from tests.support.queries import counted_queries

MONDAY = MONDAY_MORNING.date()


async def test_a_slot_has_its_rules_name_price_rate_and_places(desk: Desk, session: AsyncSession) -> None:
    room = await make_calendar(session)
    await make_rule(session, room, "Bench", from_time="09:00", to_time="10:00", price="5.00", vat_rate="20", places=3)

    [slot] = await desk.calendar.bookable_slots(session, room.id, first=MONDAY, last=MONDAY)

    assert (slot.day, slot.start_at, slot.end_at) == (MONDAY, *hour())
    assert (slot.name, slot.price, slot.vat_rate) == ("Bench", Decimal("5.00"), Decimal("20.00"))
    assert (slot.places, slot.free) == (3, 3)


async def test_a_whole_room_has_one_place_whatever_its_rule_says(desk: Desk, session: AsyncSession) -> None:
    room = await make_calendar(session, whole_room=True)
    await make_rule(session, room, from_time="09:00", to_time="10:00", places=3)

    [slot] = await desk.calendar.bookable_slots(session, room.id, first=MONDAY, last=MONDAY)

    assert (slot.places, slot.free) == (1, 1)


async def test_what_is_booked_is_not_free_and_what_is_in_a_cart_is(
    desk: Desk, workshop: Calendar, ada: CartOwner, bob: CartOwner
) -> None:
    await desk.book(ada, workshop, hour(0), places=2)
    await desk.add(bob, workshop, hour(0), hour(1))

    assert await desk.free(workshop, hour(0), hour(1)) == [1, 3]


async def test_a_whole_room_is_taken_by_everything_that_overlaps(
    desk: Desk, hall: Calendar, session: AsyncSession, ada: CartOwner
) -> None:
    await desk.book(ada, hall, hour(1))
    await make_entry(session, hall, start_at=hour(4)[0], hours=0.5)

    assert await desk.free(hall, hour(0), hour(1), hour(2), hour(3), hour(4)) == [1, 0, 1, 1, 0]
    assert await desk.free(hall, hour(0, hours=3), hour(3, hours=3), hour(6, hours=3)) == [0, 0, 1]


async def test_of_many_bookings_each_takes_its_own_time_and_no_other(
    desk: Desk, hall: Calendar, session: AsyncSession, ada: CartOwner
) -> None:
    await desk.book(ada, hall, *(hour(number) for number in (0, 1, 4, 8)))

    assert await desk.free(hall, *(hour(number) for number in range(-1, 10))) == [1, 0, 0, 1, 1, 0, 1, 1, 1, 0, 1]
    assert await desk.free(hall, *(hour(number, hours=3) for number in (-3, 0, 3, 6, 9))) == [1, 0, 0, 0, 1]


@pytest.mark.parametrize(("state", "free"), [("confirmed", 0), ("draft", 1), ("cancelled", 1)])
async def test_only_an_event_that_is_on_takes_the_room(
    desk: Desk, hall: Calendar, session: AsyncSession, state: str, free: int
) -> None:
    await make_entry(session, hall, start_at=hour()[0], hours=1, state=state)

    assert await desk.free(hall, hour()) == [free]


async def test_an_event_takes_no_place_of_a_workshop(desk: Desk, workshop: Calendar, session: AsyncSession) -> None:
    await make_entry(session, workshop, start_at=hour()[0], hours=1)

    assert await desk.free(workshop, hour()) == [3]


async def test_slots_come_by_day_start_and_end(desk: Desk, hall: Calendar, session: AsyncSession) -> None:
    slots = await desk.calendar.bookable_slots(session, hall.id, first=MONDAY, last=MONDAY + timedelta(days=1))

    keys = [(slot.day, slot.start_at, slot.end_at) for slot in slots]
    assert (len(keys), keys) == (2 * (24 + 8), sorted(keys))


async def test_closed_days_offer_nothing(desk: Desk, hall: Calendar, session: AsyncSession) -> None:
    session.add(CalendarClosure(calendar_id=hall.id, first_day=MONDAY, last_day=MONDAY, reason="Painting"))
    await session.flush()

    slots = await desk.calendar.bookable_slots(
        session, hall.id, first=MONDAY - timedelta(days=1), last=MONDAY + timedelta(days=1)
    )

    assert {slot.day - MONDAY for slot in slots} == {timedelta(days=-1), timedelta(days=1)}


async def test_at_most_62_days_are_looked_at(desk: Desk, session: AsyncSession) -> None:
    room = await make_calendar(session, ahead_days=200)
    await make_rule(session, room, from_time="20:00", to_time="21:00")
    today = desk.clock().date()

    slots = await desk.calendar.bookable_slots(session, room.id, first=today, last=today + timedelta(days=150))

    assert [slot.day for slot in slots] == [today + timedelta(days=number) for number in range(62)]


@pytest.mark.parametrize("zone", ["Europe/London", "Pacific/Auckland", "America/St_Johns"])
@pytest.mark.parametrize(
    ("first", "last"),
    [(date.min, date.min), (date.max, date.max), (MONDAY, MONDAY - timedelta(days=1)), (date.max, date.min)],
)
async def test_days_outside_what_is_offered_have_none(
    desk: Desk, session: AsyncSession, zone: str, first: date, last: date
) -> None:
    room = await make_calendar(session, time_zone=zone)
    await make_rule(session, room)

    assert await desk.calendar.bookable_slots(session, room.id, first=first, last=last) == []


async def test_from_the_first_day_to_the_last_all_that_is_offered_is_found(desk: Desk, session: AsyncSession) -> None:
    room = await make_calendar(session, ahead_days=3)
    await make_rule(session, room, from_time="20:00", to_time="21:00")

    slots = await desk.calendar.bookable_slots(session, room.id, first=date.min, last=date.max)

    assert [slot.day for slot in slots] == [date(2026, 11, 28) + timedelta(days=number) for number in range(4)]


async def test_a_calendar_without_rules_and_one_that_is_not_there_offer_nothing(
    desk: Desk, session: AsyncSession
) -> None:
    room = await make_calendar(session)

    for calendar_id in (room.id, room.id + 1):
        assert await desk.calendar.bookable_slots(session, calendar_id, first=MONDAY, last=MONDAY) == []


async def test_other_calendars_take_nothing(desk: Desk, hall: Calendar, session: AsyncSession, ada: CartOwner) -> None:
    other = await make_calendar(session, whole_room=True)
    await make_rule(session, other)
    await desk.book(ada, other, hour())

    assert await desk.free(hall, hour()) == [1]


@pytest.mark.parametrize("whole_room", [True, False])
async def test_the_number_of_queries_does_not_grow(
    desk: Desk, session: AsyncSession, ada: CartOwner, *, whole_room: bool
) -> None:
    room = await make_calendar(session, whole_room=whole_room)
    counts = []
    for days in (0, 30):
        await make_rule(session, room, position=days, minutes=30)
        await desk.book(ada, room, *(hour(days + number, hours=0.5) for number in range(12)))
        with counted_queries() as queries:
            await desk.calendar.bookable_slots(session, room.id, first=MONDAY, last=MONDAY + timedelta(days=days))
        counts.append(len(queries))

    assert counts == [4, 4]


# --- whether and when ---


async def test_a_calendar_says_whether_it_has_times_to_book(
    desk: Desk, hall: Calendar, session: AsyncSession, ada: CartOwner
) -> None:
    without = await make_calendar(session, name="The attic", container_id=hall.container_id)
    calendar = desk.calendar

    of_page = await calendar.calendars_for_container(session, "page", hall.container_id)
    by_slug = [await calendar.calendar_by_slug(session, each.slug) for each in (without, hall)]

    assert [(each.name, each.bookable) for each in of_page] == [("The attic", False), ("The hall", True)]
    assert [each and each.bookable for each in by_slug] == [False, True]


async def test_whether_calendars_can_be_booked_takes_no_query_for_each(desk: Desk, session: AsyncSession) -> None:
    counts = []
    for number in (1, 6):
        for _ in range(number):
            room = await make_calendar(session)
            await make_rule(session, room)
            await make_rule(session, room)
        with counted_queries() as queries:
            found = await desk.calendar.calendars(session)
        counts.append((len(queries), len(found)))

    assert counts == [(1, 1), (1, 7)]


async def test_the_terms_name_the_first_day_the_last_day_and_the_closed_days_among_them(
    desk: Desk, session: AsyncSession
) -> None:
    room = await make_calendar(session, ahead_days=30)
    await make_rule(session, room, from_time="09:00", to_time="12:00")
    today = desk.clock().date()
    days = {"over": (-9, -1), "later": (20, 40), "soon": (0, 2), "one day": (5, 5), "too late": (31, 33)}
    for reason, (first, last) in days.items():
        session.add(
            CalendarClosure(
                calendar_id=room.id,
                first_day=today + timedelta(days=first),
                last_day=today + timedelta(days=last),
                reason=reason,
            )
        )
    await session.flush()

    terms = await desk.calendar.booking_terms(session, room.id)

    assert terms is not None
    assert (terms.first_day, terms.last_day) == (today, today + timedelta(days=30))
    assert [(each.reason, each.first_day - today) for each in terms.closures] == [
        ("soon", timedelta(0)),
        ("one day", timedelta(5)),
        ("later", timedelta(20)),
    ]


async def test_what_cannot_be_booked_has_no_terms(desk: Desk, session: AsyncSession) -> None:
    room = await make_calendar(session)

    assert [await desk.calendar.booking_terms(session, number) for number in (room.id, room.id + 1)] == [None, None]


async def test_days_are_counted_in_the_calendars_own_zone(desk: Desk, session: AsyncSession) -> None:
    room = await make_calendar(session, time_zone="Pacific/Auckland", ahead_days=1)  # it is Sunday, 08:30, there
    await make_rule(session, room, from_time="08:00", to_time="09:00")

    terms = await desk.calendar.booking_terms(session, room.id)
    slots = await desk.calendar.bookable_slots(session, room.id, first=date.min, last=date.max)

    assert terms is not None
    assert (terms.first_day, terms.last_day) == (date(2026, 11, 29), MONDAY)
    assert [(slot.day, slot.start_at) for slot in slots] == [(MONDAY, datetime(2026, 11, 29, 19, tzinfo=UTC))]
