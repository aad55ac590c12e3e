"""Late money: bookings that an unpaid order released are taken again, or their money is owed back (docs/money.md, promise 9)."""

from __future__ import annotations

import pytest
from sqlalchemy import delete, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession

from shared.contracts.owner import CartOwner
from shared.contracts.states import DebtReason, EntryState
from shared.models import BookingRule, Calendar, CalendarEntry
from tests.factories.calendar import make_calendar, make_entry, make_rule
from tests.support.desk import Desk, hour


@pytest.fixture(params=["user", "guest"])
async def somebody(request: pytest.FixtureRequest, desk: Desk) -> CartOwner:
    """Whoever pays late: a user, or somebody without an account."""
    return await desk.user() if request.param == "user" else await desk.guest()


async def kept(desk: Desk, order_id: int) -> list[tuple[EntryState, int | None]]:
    """Return an order's bookings that it holds: state, and whom each replaces."""
    await desk.session.flush()
    rows = await desk.session.execute(
        select(CalendarEntry.state, CalendarEntry.replaces_id)
        .where(CalendarEntry.order_id == order_id, CalendarEntry.slot_id.is_not(None))
        .order_by(CalendarEntry.id)
    )
    return [(EntryState(row.state), row.replaces_id) for row in rows]


# --- while it is there ---


async def test_what_is_still_in_the_cart_is_taken_out_of_it(desk: Desk, hall: Calendar, somebody: CartOwner) -> None:
    order_id, [entry_id] = await desk.released(somebody, hall, hour())

    assert await desk.retake(somebody, order_id, [entry_id]) == {}

    assert [entry.id for entry in await desk.entries(order_id)] == [entry_id]
    assert await kept(desk, order_id) == [(EntryState.CONFIRMED, None)]
    assert (await desk.cart(somebody), await desk.held(hall)) == ([], {hour(): 1})


async def test_what_was_taken_out_of_the_cart_is_booked_anew(desk: Desk, hall: Calendar, somebody: CartOwner) -> None:
    order_id, [entry_id] = await desk.released(somebody, hall, hour())
    await desk.remove(somebody, entry_id)

    assert await desk.retake(somebody, order_id, [entry_id]) == {}

    assert await kept(desk, order_id) == [(EntryState.CONFIRMED, entry_id)]
    assert await desk.held(hall) == {hour(): 1}


async def test_a_guest_who_is_gone_gets_what_was_paid_for(desk: Desk, hall: Calendar, guest: CartOwner) -> None:
    await desk.add(guest, hall, hour())
    order_id = await desk.order(guest)
    [entry] = await desk.entries(order_id)
    await desk.session.execute(text("DELETE FROM sessions"))
    await desk.release(order_id)

    assert await desk.retake(guest, order_id, [entry.id]) == {}
    assert await desk.retake(guest, order_id, [entry.id]) == {}

    assert await kept(desk, order_id) == [(EntryState.CONFIRMED, entry.id)]
    assert await desk.held(hall) == {hour(): 1}


async def test_a_guest_who_is_gone_is_owed_what_others_have_booked(
    desk: Desk, hall: Calendar, guest: CartOwner, bob: CartOwner
) -> None:
    await desk.add(guest, hall, hour())
    order_id = await desk.order(guest)
    [entry] = await desk.entries(order_id)
    await desk.session.execute(text("DELETE FROM sessions"))
    await desk.release(order_id)
    await desk.book(bob, hall, hour())

    assert await desk.retake(guest, order_id, [entry.id]) == {entry.id: DebtReason.SOLD_OUT}


@pytest.mark.parametrize("change", ["rule gone", "notice", "day is far"])
async def test_what_would_not_be_offered_any_more_is_given_while_it_is_free(
    desk: Desk, hall: Calendar, ada: CartOwner, change: str
) -> None:
    order_id, entry_ids = await desk.released(ada, hall, hour())
    if change == "rule gone":
        await desk.session.execute(delete(BookingRule))
    elif change == "notice":
        hall.notice_minutes = 48 * 60
    else:
        hall.ahead_days = 0
    await desk.session.flush()

    assert await desk.retake(ada, order_id, entry_ids) == {}


async def test_where_approval_is_asked_for_it_waits_for_it(
    desk: Desk, session: AsyncSession, somebody: CartOwner
) -> None:
    room = await make_calendar(session, whole_room=True, needs_approval=True)
    await make_rule(session, room)
    order_id, entry_ids = await desk.released(somebody, room, hour())

    await desk.retake(somebody, order_id, entry_ids)

    assert await kept(desk, order_id) == [(EntryState.PROVISIONAL, None)]


async def test_places_that_were_added_since_are_given(
    desk: Desk, workshop: Calendar, ada: CartOwner, bob: CartOwner
) -> None:
    order_id, entry_ids = await desk.released(ada, workshop, hour())
    await desk.book(bob, workshop, hour(), places=3)
    await desk.session.execute(update(BookingRule).values(places=4))

    assert await desk.retake(ada, order_id, entry_ids) == {}
    assert await desk.held(workshop) == {hour(): 4}


async def test_taking_again_twice_is_once(desk: Desk, workshop: Calendar, somebody: CartOwner, bob: CartOwner) -> None:
    order_id, entry_ids = await desk.released(somebody, workshop, hour(), places=2)
    await desk.remove(somebody, entry_ids[0])
    await desk.book(bob, workshop, hour(), places=2)

    first = await desk.retake(somebody, order_id, entry_ids)
    second = await desk.retake(somebody, order_id, entry_ids)

    assert (len(first), first) == (1, second)
    assert await desk.held(workshop) == {hour(): 3}


async def test_nothing_to_take_is_nothing_lost(desk: Desk, ada: CartOwner) -> None:
    assert await desk.retake(ada, await desk.bare_order(ada), []) == {}


# --- when it is gone ---


@pytest.mark.parametrize("taken_out", [False, True])
async def test_what_somebody_else_has_booked_is_owed_back(
    desk: Desk, hall: Calendar, somebody: CartOwner, bob: CartOwner, *, taken_out: bool
) -> None:
    order_id, [entry_id] = await desk.released(somebody, hall, hour(1))
    if taken_out:
        await desk.remove(somebody, entry_id)
    await desk.book(bob, hall, hour(0, hours=3))

    assert await desk.retake(somebody, order_id, [entry_id]) == {entry_id: DebtReason.SOLD_OUT}

    assert await kept(desk, order_id) == []
    assert await desk.held(hall) == {hour(0, hours=3): 1}


async def test_what_somebody_else_has_ordered_and_not_paid_is_owed_back_too(
    desk: Desk, hall: Calendar, ada: CartOwner, bob: CartOwner
) -> None:
    order_id, [entry_id] = await desk.released(ada, hall, hour())
    await desk.add(bob, hall, hour())
    await desk.order(bob)

    assert await desk.retake(ada, order_id, [entry_id]) == {entry_id: DebtReason.SOLD_OUT}


async def test_an_event_that_was_put_into_the_room_is_in_the_way(desk: Desk, hall: Calendar, ada: CartOwner) -> None:
    order_id, [entry_id] = await desk.released(ada, hall, hour())
    await make_entry(desk.session, hall, start_at=hour()[0], hours=0.5)

    assert await desk.retake(ada, order_id, [entry_id]) == {entry_id: DebtReason.SOLD_OUT}


async def test_of_several_places_those_that_are_left_are_given(
    desk: Desk, workshop: Calendar, somebody: CartOwner, bob: CartOwner
) -> None:
    order_id, entry_ids = await desk.released(somebody, workshop, hour(), places=3)
    await desk.book(bob, workshop, hour(), places=2)

    lost = await desk.retake(somebody, order_id, entry_ids)

    assert (len(lost), set(lost.values())) == (2, {DebtReason.SOLD_OUT})
    assert await desk.held(workshop) == {hour(): 3}


async def test_a_place_that_is_no_longer_there_is_owed_back(
    desk: Desk, workshop: Calendar, ada: CartOwner, bob: CartOwner
) -> None:
    order_id, [entry_id] = await desk.released(ada, workshop, hour())
    await desk.book(bob, workshop, hour())
    await desk.session.execute(update(BookingRule).values(places=1))

    assert await desk.retake(ada, order_id, [entry_id]) == {entry_id: DebtReason.SOLD_OUT}


async def test_what_has_begun_is_owed_back(desk: Desk, hall: Calendar, somebody: CartOwner) -> None:
    order_id, [entry_id] = await desk.released(somebody, hall, hour())
    desk.clock.now = hour()[0]

    assert await desk.retake(somebody, order_id, [entry_id]) == {entry_id: DebtReason.ORDER_CLOSED}


# --- when the buyer has booked it again ---


async def test_what_was_booked_again_out_of_the_cart_was_paid_twice(
    desk: Desk, workshop: Calendar, somebody: CartOwner
) -> None:
    order_id, [entry_id] = await desk.released(somebody, workshop, hour())
    await desk.confirm(await desk.order(somebody))

    assert await desk.retake(somebody, order_id, [entry_id]) == {entry_id: DebtReason.PAID_TWICE}
    assert await desk.held(workshop) == {hour(): 1}


async def test_what_was_taken_out_and_booked_again_was_paid_twice(
    desk: Desk, workshop: Calendar, ada: CartOwner
) -> None:
    order_id, [entry_id] = await desk.released(ada, workshop, hour())
    await desk.remove(ada, entry_id)
    await desk.book(ada, workshop, hour())

    assert await desk.retake(ada, order_id, [entry_id]) == {entry_id: DebtReason.PAID_TWICE}
    assert await desk.held(workshop) == {hour(): 1}


async def test_only_as_many_as_were_booked_again_were_paid_twice(
    desk: Desk, workshop: Calendar, ada: CartOwner
) -> None:
    order_id, entry_ids = await desk.released(ada, workshop, hour(), places=2)
    for entry_id in entry_ids:
        await desk.remove(ada, entry_id)
    await desk.book(ada, workshop, hour())

    lost = await desk.retake(ada, order_id, entry_ids)

    assert list(lost.values()) == [DebtReason.PAID_TWICE]
    assert await desk.held(workshop) == {hour(): 2}
    assert await desk.retake(ada, order_id, entry_ids) == lost


async def test_the_same_booking_paid_by_two_late_orders_was_paid_twice(
    desk: Desk, workshop: Calendar, ada: CartOwner
) -> None:
    first, [entry_id] = await desk.released(ada, workshop, hour())
    second = await desk.order(ada)
    await desk.release(second)

    assert await desk.retake(ada, first, [entry_id]) == {}
    assert await desk.retake(ada, second, [entry_id]) == {entry_id: DebtReason.PAID_TWICE}
    assert await desk.held(workshop) == {hour(): 1}


async def test_what_another_late_order_was_given_in_its_place_was_paid_twice(
    desk: Desk, workshop: Calendar, ada: CartOwner
) -> None:
    first, [entry_id] = await desk.released(ada, workshop, hour())
    second = await desk.order(ada)
    await desk.release(second)
    await desk.remove(ada, entry_id)

    assert await desk.retake(ada, second, [entry_id]) == {}
    for _ in range(2):
        assert await desk.retake(ada, first, [entry_id]) == {entry_id: DebtReason.PAID_TWICE}
    assert await desk.held(workshop) == {hour(): 1}


@pytest.mark.parametrize("other", ["time", "buyer", "order before"])
async def test_another_booking_is_not_the_same_again(
    desk: Desk, workshop: Calendar, ada: CartOwner, bob: CartOwner, other: str
) -> None:
    if other == "order before":
        await desk.book(ada, workshop, hour())
    order_id, entry_ids = await desk.released(ada, workshop, hour())
    if other == "time":
        await desk.remove(ada, entry_ids[0])
        await desk.book(ada, workshop, hour(1))
    elif other == "buyer":
        await desk.book(bob, workshop, hour())

    assert await desk.retake(ada, order_id, entry_ids) == {}


async def test_two_guests_are_not_one_buyer(desk: Desk, workshop: Calendar, guest: CartOwner) -> None:
    order_id, entry_ids = await desk.released(guest, workshop, hour())
    await desk.book(await desk.guest(), workshop, hour())

    assert await desk.retake(guest, order_id, entry_ids) == {}
