"""Bookings in an order: claimed all or none, let go, confirmed, approved or declined; and the counters of their slots."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from sqlalchemy import delete, func, select, text, update
from sqlalchemy.dialects import postgresql
from sqlalchemy.ext.asyncio import AsyncSession

from shared.contracts.dtos import EntryDTO
from shared.contracts.errors import Conflict, NotFound, NotOffered, SoldOut
from shared.contracts.lines import booking_key
from shared.contracts.owner import CartOwner
from shared.contracts.states import EntryState
from shared.models import BookingRule, Calendar, CalendarClosure, Slot
from shared.services.calendar.cart_bookings import ordered_by
from tests.factories.calendar import make_calendar, make_entry, make_rule
from tests.support.desk import MONDAY_MORNING, Desk, hour
from tests.support.queries import counted_queries


@pytest.fixture(params=["user", "guest"])
async def somebody(request: pytest.FixtureRequest, desk: Desk) -> CartOwner:
    """Whoever orders: a user, or somebody without an account."""
    return await desk.user() if request.param == "user" else await desk.guest()


# --- whose they are ---


async def test_a_user_has_the_bookings_of_all_orders_in_any_state_and_nothing_of_the_cart(
    desk: Desk, hall: Calendar, workshop: Calendar, ada: CartOwner, bob: CartOwner
) -> None:
    await desk.book(ada, hall, hour(5))
    cancelled = await desk.book(ada, workshop, hour(0))
    await desk.calendar.cancel_entries(desk.session, cancelled, [each.id for each in await desk.entries(cancelled)])
    await desk.add(ada, hall, hour(3))
    await desk.order(ada)
    await desk.add(ada, hall, hour(4))
    await desk.book(bob, hall, hour(7))
    await desk.released(bob, hall, hour(6))

    states = [(each.start_at, each.state) for each in await user_bookings(desk, ada)]

    assert states == [
        (hour(0)[0], EntryState.CANCELLED),
        (hour(3)[0], EntryState.ORDERED),
        (hour(5)[0], EntryState.CONFIRMED),
    ]
    assert [each.start_at for each in await user_bookings(desk, bob)] == [hour(7)[0]]


async def test_a_users_bookings_are_found_by_way_of_their_orders(session: AsyncSession) -> None:
    """On empty tables reading them whole is cheapest: with that way closed, the plan shows what is used on large ones."""
    await session.execute(text("SET LOCAL enable_seqscan = off"))
    sql = str(ordered_by(7).compile(dialect=postgresql.dialect(), compile_kwargs={"literal_binds": True}))

    plan = "\n".join(await session.scalars(text(f"EXPLAIN {sql}")))

    for index in ("ix_orders_user_id_id", "ix_calendar_entries_order_id"):
        assert index in plan, plan


async def user_bookings(desk: Desk, owner: CartOwner) -> list[EntryDTO]:
    """Return what a user has booked."""
    assert owner.user_id is not None
    return await desk.calendar.user_bookings(desk.session, user_id=owner.user_id)


# --- claimed ---


async def test_an_order_holds_its_bookings_and_empties_the_cart(
    desk: Desk, hall: Calendar, workshop: Calendar, somebody: CartOwner
) -> None:
    await desk.add(somebody, hall, hour(0), hour(1))
    await desk.add(somebody, workshop, hour(0), places=2)

    order_id = await desk.order(somebody)

    assert [entry.state for entry in await desk.entries(order_id)] == [EntryState.ORDERED] * 4
    assert await desk.cart(somebody) == []
    assert await desk.held(hall) == {hour(0): 1, hour(1): 1}
    assert await desk.held(workshop) == {hour(0): 2}


async def test_claiming_once_more_finds_nothing(desk: Desk, hall: Calendar, ada: CartOwner) -> None:
    await desk.add(ada, hall, hour())
    first = await desk.order(ada)

    second = await desk.order(ada)

    assert (len(await desk.entries(first)), await desk.entries(second)) == (1, [])


async def test_an_order_of_one_page_leaves_the_others_in_the_cart(
    desk: Desk, hall: Calendar, workshop: Calendar, somebody: CartOwner
) -> None:
    await desk.add(somebody, hall, hour())
    await desk.add(somebody, workshop, hour())

    order_id = await desk.order(somebody, hall.container_id)

    assert [entry.calendar_name for entry in await desk.entries(order_id)] == ["The hall"]
    assert [entry.calendar_name for entry in await desk.cart(somebody)] == ["The workshop"]


async def test_a_booking_is_ordered_at_the_price_rate_and_name_of_its_rule_now(
    desk: Desk, hall: Calendar, ada: CartOwner
) -> None:
    await desk.add(ada, hall, hour())
    await desk.session.execute(update(BookingRule).values(price=Decimal("9.00"), vat_rate=Decimal(20), name="Renamed"))

    [entry] = await desk.entries(await desk.order(ada))

    assert (entry.name, entry.cost, entry.vat_rate) == ("Renamed", Decimal("9.00"), Decimal("20.00"))


async def test_when_one_time_is_taken_nothing_is_ordered_and_the_line_is_named(
    desk: Desk, hall: Calendar, somebody: CartOwner, bob: CartOwner
) -> None:
    await desk.add(somebody, hall, hour(0), hour(1))
    await desk.book(bob, hall, hour(1))

    with pytest.raises(SoldOut) as refusal:
        await desk.order(somebody)

    [_, taken] = await desk.cart(somebody)
    assert [(problem.key, problem.left) for problem in refusal.value.problems] == [(booking_key(taken.id), 0)]
    assert await desk.held(hall) == {hour(1): 1}


async def test_a_longer_time_meets_a_shorter_one_in_a_whole_room_but_not_one_beside_it(
    desk: Desk, hall: Calendar, ada: CartOwner, bob: CartOwner
) -> None:
    await desk.add(ada, hall, hour(0, hours=3))
    await desk.book(bob, hall, hour(3))
    await desk.order(ada)
    await desk.add(bob, hall, hour(-1))

    await desk.order(bob)

    assert await desk.held(hall) == {hour(-1): 1, hour(0, hours=3): 1, hour(3): 1}


async def test_an_event_in_the_room_takes_the_time_from_a_cart(
    desk: Desk, hall: Calendar, session: AsyncSession, ada: CartOwner
) -> None:
    await desk.add(ada, hall, hour())
    await make_entry(session, hall, start_at=hour()[0] + timedelta(minutes=59), hours=1)

    with pytest.raises(SoldOut):
        await desk.order(ada)


async def test_of_the_last_places_all_are_ordered_or_none(
    desk: Desk, workshop: Calendar, ada: CartOwner, bob: CartOwner
) -> None:
    await desk.add(ada, workshop, hour(), places=2)
    await desk.book(bob, workshop, hour(), places=2)

    with pytest.raises(SoldOut) as refusal:
        await desk.order(ada)

    assert len(refusal.value.problems) == 1
    assert await desk.held(workshop) == {hour(): 2}


@pytest.mark.parametrize("change", ["rule gone", "day closed", "notice"])
async def test_what_is_no_longer_offered_is_not_ordered_and_is_named(
    desk: Desk, hall: Calendar, ada: CartOwner, change: str
) -> None:
    await desk.add(ada, hall, hour())
    day = MONDAY_MORNING.date()
    if change == "rule gone":
        await desk.session.execute(delete(BookingRule))
    elif change == "day closed":
        desk.session.add(CalendarClosure(calendar_id=hall.id, first_day=day, last_day=day))
    else:
        hall.notice_minutes = 48 * 60
    await desk.session.flush()

    with pytest.raises(NotOffered, match="An hour of the hall at The hall: This time can no longer be booked"):
        await desk.order(ada)

    assert await desk.states(hall) == ["pending"]


@pytest.mark.parametrize("whole_room", [True, False])
async def test_a_time_whose_rule_has_gone_is_not_ordered_and_gets_no_slot(
    desk: Desk, hall: Calendar, workshop: Calendar, ada: CartOwner, *, whole_room: bool
) -> None:
    room = hall if whole_room else workshop
    await desk.add(ada, room, hour())
    await desk.session.execute(delete(BookingRule))

    with pytest.raises(NotOffered, match="can no longer be booked"):
        await desk.order(ada)

    assert await desk.states(room) == ["pending"]
    assert await desk.session.scalar(select(func.count()).select_from(Slot)) == 0


async def test_a_time_that_has_begun_is_not_ordered(desk: Desk, hall: Calendar, ada: CartOwner) -> None:
    await desk.add(ada, hall, hour())
    desk.clock.now = hour()[0]

    with pytest.raises(NotOffered, match="has passed"):
        await desk.order(ada)


async def test_a_slot_gets_the_places_that_its_rule_has_now(
    desk: Desk, workshop: Calendar, ada: CartOwner, bob: CartOwner
) -> None:
    await desk.book(ada, workshop, hour(), places=3)
    await desk.session.execute(update(BookingRule).values(places=5))
    await desk.add(bob, workshop, hour(), places=2)

    await desk.order(bob)

    assert await desk.session.scalar(select(Slot.places)) == 5
    assert await desk.held(workshop) == {hour(): 5}


async def test_where_places_have_become_fewer_what_is_booked_stays_and_no_more_is_ordered(
    desk: Desk, workshop: Calendar, ada: CartOwner, bob: CartOwner
) -> None:
    await desk.add(bob, workshop, hour())
    await desk.book(ada, workshop, hour(), places=2)
    await desk.session.execute(update(BookingRule).values(places=1))

    with pytest.raises(SoldOut):
        await desk.order(bob)

    assert await desk.held(workshop) == {hour(): 2}


async def test_an_order_of_many_bookings_takes_hardly_more_queries_than_one(
    desk: Desk, workshop: Calendar, ada: CartOwner
) -> None:
    counts = []
    for number in (1, 20):
        await desk.add(ada, workshop, *(hour(number + each) for each in range(number)))
        with counted_queries() as queries:
            await desk.order(ada)
        counts.append(len(queries))

    assert counts[0] == counts[1]


# --- let go and confirmed ---


async def test_what_an_order_lets_go_is_back_in_the_cart_and_free(
    desk: Desk, hall: Calendar, somebody: CartOwner
) -> None:
    order_id, [entry_id] = await desk.released(somebody, hall, hour())

    await desk.release(order_id)

    assert [entry.id for entry in await desk.cart(somebody)] == [entry_id]
    assert await desk.entries(order_id) == []
    assert (await desk.held(hall), await desk.free(hall, hour())) == ({}, [1])


async def test_what_the_order_of_a_guest_who_is_gone_lets_go_is_cancelled(
    desk: Desk, hall: Calendar, guest: CartOwner
) -> None:
    await desk.add(guest, hall, hour())
    order_id = await desk.order(guest)
    await desk.session.execute(text("DELETE FROM sessions"))

    await desk.release(order_id)

    assert [entry.state for entry in await desk.entries(order_id)] == [EntryState.CANCELLED]
    assert (await desk.held(hall), await desk.free(hall, hour())) == ({}, [1])


@pytest.mark.parametrize(("needs_approval", "state"), [(False, "confirmed"), (True, "provisional")])
async def test_a_paid_booking_is_confirmed_or_waits_for_approval(
    desk: Desk, session: AsyncSession, somebody: CartOwner, state: str, *, needs_approval: bool
) -> None:
    room = await make_calendar(session, whole_room=True, needs_approval=needs_approval)
    await make_rule(session, room)
    order_id = await desk.book(somebody, room, hour())

    await desk.confirm(order_id)

    assert (await desk.states(room), await desk.held(room)) == ([state], {hour(): 1})


async def test_what_is_confirmed_is_not_released(desk: Desk, hall: Calendar, ada: CartOwner) -> None:
    order_id = await desk.book(ada, hall, hour())

    await desk.release(order_id)

    assert (await desk.states(hall), await desk.held(hall)) == (["confirmed"], {hour(): 1})


async def test_other_orders_are_neither_confirmed_nor_released(
    desk: Desk, workshop: Calendar, ada: CartOwner, bob: CartOwner
) -> None:
    await desk.add(ada, workshop, hour())
    await desk.order(ada)
    await desk.add(bob, workshop, hour())
    other = await desk.order(bob)

    await desk.confirm(other)
    await desk.release(other)

    assert await desk.states(workshop) == ["ordered", "confirmed"]


# --- approved or declined ---


@pytest.fixture
async def room(session: AsyncSession) -> Calendar:
    """A whole room whose bookings want approval."""
    made = await make_calendar(session, whole_room=True, needs_approval=True)
    await make_rule(session, made)
    return made


@pytest.mark.parametrize(("approved", "state", "held"), [(True, "confirmed", {hour(): 1}), (False, "declined", {})])
async def test_a_booking_that_waits_is_decided_once(
    desk: Desk, room: Calendar, ada: CartOwner, state: str, held: dict[object, int], *, approved: bool
) -> None:
    order_id = await desk.book(ada, room, hour())
    [entry] = await desk.entries(order_id)

    assert await desk.calendar.decide_entry(desk.session, entry.id, approved=approved) == order_id
    for again in (True, False):
        with pytest.raises(Conflict, match="already"):
            await desk.calendar.decide_entry(desk.session, entry.id, approved=again)

    assert (await desk.states(room), await desk.held(room)) == ([state], held)


async def test_what_does_not_wait_cannot_be_decided(
    desk: Desk, room: Calendar, session: AsyncSession, ada: CartOwner
) -> None:
    [pending] = await desk.add(ada, room, hour())
    event = await make_entry(session, room, start_at=hour(5)[0], hours=1)

    for entry_id in (pending.id, event.id):
        with pytest.raises(Conflict):
            await desk.calendar.decide_entry(session, entry_id, approved=True)
    with pytest.raises(NotFound):
        await desk.calendar.decide_entry(session, event.id + 1, approved=True)


async def test_what_waits_is_listed_soonest_first_and_a_page_at_a_time(
    desk: Desk, room: Calendar, ada: CartOwner
) -> None:
    await desk.book(ada, room, hour(2), hour(0), hour(1))

    first = await desk.calendar.provisional_entries(desk.session, limit=2)
    key = (first[-1].start_at, first[-1].id)
    then = await desk.calendar.provisional_entries(desk.session, after=key, limit=2)

    assert [entry.start_at for entry in [*first, *then]] == [hour(0)[0], hour(1)[0], hour(2)[0]]


# --- orders in the way ---


async def in_the_way(desk: Desk, owner: CartOwner) -> set[int]:
    return await desk.calendar.orders_in_the_way(desk.session, [entry.id for entry in await desk.cart(owner)])


async def test_orders_in_the_way_are_those_that_wait_and_meet_the_time_in_a_whole_room(
    desk: Desk, hall: Calendar, ada: CartOwner, bob: CartOwner
) -> None:
    await desk.add(ada, hall, hour(0, hours=3))
    await desk.add(bob, hall, hour(1))
    meets = await desk.order(bob)
    await desk.add(bob, hall, hour(3))
    await desk.order(bob)
    await desk.book(bob, hall, hour(0))

    assert await in_the_way(desk, ada) == {meets}


async def test_in_a_workshop_only_orders_of_the_same_slot_are_in_the_way(
    desk: Desk, workshop: Calendar, session: AsyncSession, ada: CartOwner, bob: CartOwner
) -> None:
    await make_rule(session, workshop, "A long place", minutes=180, places=3, position=2)
    await desk.add(ada, workshop, hour(0))
    await desk.add(bob, workshop, hour(0, hours=3))
    await desk.order(bob)
    await desk.add(bob, workshop, hour(0))
    same = await desk.order(bob)

    assert await in_the_way(desk, ada) == {same}


async def test_orders_of_other_calendars_are_not_in_the_way(
    desk: Desk, hall: Calendar, workshop: Calendar, ada: CartOwner, bob: CartOwner
) -> None:
    await desk.add(ada, hall, hour())
    await desk.add(bob, workshop, hour())
    await desk.order(bob)

    assert await in_the_way(desk, ada) == set()
