"""Bookings in a cart: put in, shown with what is known against them, taken out, joined to an account, swept."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from sqlalchemy import delete, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession

from shared.contracts.errors import BadInput, NotFound, NotOffered
from shared.contracts.owner import NOBODY, CartOwner
from shared.contracts.sale import SaleState
from shared.contracts.states import NoticeReason
from shared.models import BookingRule, Calendar, CalendarClosure, CalendarEntry
from shared.services.calendar.cart_bookings import MOST_BOOKINGS
from tests.factories.calendar import make_calendar, make_rule
from tests.support.desk import MONDAY_MORNING, NOT_OFFERED, PASSED, TAKEN, Desk, Span, hour
from tests.support.queries import counted_queries


@pytest.fixture(params=["user", "guest"])
async def somebody(request: pytest.FixtureRequest, desk: Desk) -> CartOwner:
    """Whoever has a cart: a user, or somebody without an account."""
    return await desk.user() if request.param == "user" else await desk.guest()


# --- put in ---


async def test_a_chosen_hour_is_pending_in_its_owners_cart(desk: Desk, hall: Calendar, somebody: CartOwner) -> None:
    [added] = await desk.add(somebody, hall, hour())
    [found] = await desk.cart(somebody)

    assert (added.id, added.name, added.cost) == (found.id, "An hour of the hall", Decimal("8.00"))
    assert (found.start_at, found.end_at, found.calendar_name, found.sale.state) == (*hour(), "The hall", "open")
    assert await desk.held(hall) == {}


async def test_a_cart_is_its_owners_alone(desk: Desk, hall: Calendar, somebody: CartOwner, bob: CartOwner) -> None:
    await desk.add(somebody, hall, hour())

    for other in (bob, await desk.guest(), NOBODY):
        assert await desk.cart(other) == []


async def test_several_hours_and_places_are_put_in_together(
    desk: Desk, workshop: Calendar, somebody: CartOwner
) -> None:
    added = await desk.add(somebody, workshop, hour(1), hour(0), places=2)

    assert [entry.start_at for entry in added] == [hour(0)[0], hour(0)[0], hour(1)[0], hour(1)[0]]


async def test_a_whole_room_is_had_once_however_often_it_is_added(
    desk: Desk, hall: Calendar, somebody: CartOwner
) -> None:
    await desk.add(somebody, hall, hour())

    assert await desk.add(somebody, hall, hour(), places=7) == []
    assert len(await desk.cart(somebody)) == 1


async def test_places_of_a_workshop_add_up(desk: Desk, workshop: Calendar, somebody: CartOwner) -> None:
    await desk.add(somebody, workshop, hour(), places=2)
    await desk.add(somebody, workshop, hour())

    assert await desk.refusals(somebody) == ["", "", ""]


async def test_more_places_than_there_are_are_refused_with_those_in_the_cart(
    desk: Desk, workshop: Calendar, somebody: CartOwner
) -> None:
    await desk.add(somebody, workshop, hour(), places=2)

    with pytest.raises(NotOffered, match=TAKEN):
        await desk.add(somebody, workshop, hour(), places=2)

    assert len(await desk.cart(somebody)) == 2


async def test_what_others_have_in_their_carts_is_still_to_be_had(
    desk: Desk, hall: Calendar, somebody: CartOwner, bob: CartOwner
) -> None:
    await desk.add(bob, hall, hour())
    await desk.add(somebody, hall, hour())

    assert (await desk.refusals(bob), await desk.refusals(somebody)) == ([""], [""])


async def test_what_is_taken_is_refused_and_nothing_is_added(
    desk: Desk, hall: Calendar, somebody: CartOwner, bob: CartOwner
) -> None:
    await desk.book(bob, hall, hour(1))

    for wish in ([hour(0), hour(1)], [hour(0, hours=3)]):
        with pytest.raises(NotOffered, match=TAKEN):
            await desk.add(somebody, hall, *wish)

    assert await desk.cart(somebody) == []


async def test_two_times_of_a_whole_room_that_overlap_are_refused_together_and_one_by_one(
    desk: Desk, hall: Calendar, somebody: CartOwner
) -> None:
    with pytest.raises(NotOffered, match=TAKEN):
        await desk.add(somebody, hall, hour(1), hour(0, hours=3))
    await desk.add(somebody, hall, hour(1))

    with pytest.raises(NotOffered, match=TAKEN):
        await desk.add(somebody, hall, hour(0, hours=3))


@pytest.mark.parametrize(
    "span",
    [
        (MONDAY_MORNING, MONDAY_MORNING + timedelta(minutes=30)),
        (MONDAY_MORNING + timedelta(minutes=30), MONDAY_MORNING + timedelta(minutes=90)),
        (MONDAY_MORNING, MONDAY_MORNING - timedelta(hours=1)),
        (MONDAY_MORNING, MONDAY_MORNING),
        (MONDAY_MORNING + timedelta(days=400), MONDAY_MORNING + timedelta(days=400, hours=1)),
        (MONDAY_MORNING.replace(year=9999), MONDAY_MORNING.replace(year=9999, hour=10)),
    ],
)
async def test_what_no_rule_offers_is_refused(desk: Desk, hall: Calendar, ada: CartOwner, span: Span) -> None:
    with pytest.raises(NotOffered, match=NOT_OFFERED):
        await desk.add(ada, hall, span)


async def test_a_time_that_has_passed_is_refused(desk: Desk, hall: Calendar, ada: CartOwner) -> None:
    with pytest.raises(NotOffered, match=PASSED):
        await desk.add(ada, hall, hour(-48))


async def test_a_time_within_the_notice_is_refused(desk: Desk, session: AsyncSession, ada: CartOwner) -> None:
    room = await make_calendar(session, notice_minutes=48 * 60)
    await make_rule(session, room)

    with pytest.raises(NotOffered, match=NOT_OFFERED):
        await desk.add(ada, room, hour())


@pytest.mark.parametrize("places", [0, -1])
async def test_no_place_at_all_is_refused(desk: Desk, workshop: Calendar, ada: CartOwner, places: int) -> None:
    with pytest.raises(BadInput, match="at least one"):
        await desk.add(ada, workshop, hour(), places=places)
    with pytest.raises(BadInput, match="at least one"):
        await desk.add(ada, workshop)


async def test_an_unknown_calendar_is_not_found(desk: Desk, hall: Calendar, ada: CartOwner) -> None:
    with pytest.raises(NotFound):
        await desk.calendar.add_pending_bookings(desk.session, ada, calendar_id=hall.id + 1, wish={hour(): 1})


@pytest.mark.parametrize("places", [MOST_BOOKINGS + 1, 10**9, 10**18])
async def test_a_cart_holds_so_many_bookings_and_a_huge_number_is_refused_at_once(
    desk: Desk, workshop: Calendar, ada: CartOwner, places: int
) -> None:
    with pytest.raises(BadInput, match=f"at most {MOST_BOOKINGS}"):
        await desk.add(ada, workshop, hour(), places=places)


# --- what is known against them ---


async def test_a_price_that_has_changed_since_is_shown_with_the_one_before(
    desk: Desk, hall: Calendar, ada: CartOwner
) -> None:
    await desk.add(ada, hall, hour())
    await desk.session.execute(update(BookingRule).values(price=Decimal("9.50")))

    [entry] = await desk.cart(ada)

    assert (entry.cost, entry.cost_seen, entry.sale.is_open) == (Decimal("9.50"), Decimal("8.00"), True)


async def test_a_rule_that_is_gone_is_said_and_the_price_stays(desk: Desk, hall: Calendar, ada: CartOwner) -> None:
    await desk.add(ada, hall, hour())
    await desk.session.execute(delete(BookingRule))

    [entry] = await desk.cart(ada)

    assert (entry.sale.state, entry.cost) == (SaleState.ENDED, Decimal("8.00"))


async def test_a_day_that_was_closed_since_is_said(desk: Desk, hall: Calendar, ada: CartOwner) -> None:
    await desk.add(ada, hall, hour())
    day = MONDAY_MORNING.date()
    desk.session.add(CalendarClosure(calendar_id=hall.id, first_day=day, last_day=day))
    await desk.session.flush()

    assert await desk.refusals(ada) == [NOT_OFFERED]


async def test_a_time_that_was_taken_meanwhile_is_said(
    desk: Desk, hall: Calendar, ada: CartOwner, bob: CartOwner
) -> None:
    await desk.add(ada, hall, hour(0), hour(4))
    await desk.book(bob, hall, hour(0, hours=3))

    assert await desk.refusals(ada) == [TAKEN, ""]


async def test_of_places_that_have_become_fewer_the_last_ones_are_said(
    desk: Desk, workshop: Calendar, ada: CartOwner, bob: CartOwner
) -> None:
    await desk.add(ada, workshop, hour(), places=3)
    await desk.book(bob, workshop, hour(), places=2)

    assert await desk.refusals(ada) == ["", TAKEN, TAKEN]


async def test_a_time_that_has_passed_since_is_said(desk: Desk, hall: Calendar, ada: CartOwner) -> None:
    await desk.add(ada, hall, hour())
    desk.clock.now = hour()[0]

    assert await desk.refusals(ada) == [PASSED]


async def test_a_cart_of_many_bookings_takes_as_many_queries_as_one(
    desk: Desk, hall: Calendar, workshop: Calendar, ada: CartOwner
) -> None:
    counts = []
    for number in (0, 10):
        await desk.add(ada, hall, *(hour(number + each) for each in range(1 + number)))
        await desk.add(ada, workshop, *(hour(number + each) for each in range(1 + number)))
        with counted_queries() as queries:
            await desk.cart(ada)
        counts.append(len(queries))

    assert counts == [5, 5]


# --- taken out ---


async def test_a_booking_can_be_taken_out_and_twice_is_once(desk: Desk, hall: Calendar, somebody: CartOwner) -> None:
    [entry] = await desk.add(somebody, hall, hour())

    await desk.remove(somebody, entry.id)
    await desk.remove(somebody, entry.id)

    assert (await desk.cart(somebody), await desk.states(hall)) == ([], ["cancelled"])


async def test_somebody_elses_booking_is_left_alone(
    desk: Desk, hall: Calendar, somebody: CartOwner, bob: CartOwner
) -> None:
    [entry] = await desk.add(somebody, hall, hour())

    for other in (bob, await desk.guest(), NOBODY):
        await desk.remove(other, entry.id)

    assert await desk.states(hall) == ["pending"]


async def test_what_is_ordered_cannot_be_taken_out_of_the_cart(desk: Desk, hall: Calendar, ada: CartOwner) -> None:
    [entry] = await desk.add(ada, hall, hour())
    await desk.order(ada)

    await desk.remove(ada, entry.id)

    assert await desk.states(hall) == ["ordered"]


# --- joined to an account ---


async def join(desk: Desk, guest: CartOwner, user: CartOwner) -> None:
    assert guest.session_id is not None
    assert user.user_id is not None
    await desk.calendar.join_pending(desk.session, session_id=guest.session_id, user_id=user.user_id)


async def test_a_guests_bookings_become_the_users_and_twice_is_once(
    desk: Desk, workshop: Calendar, guest: CartOwner, ada: CartOwner
) -> None:
    await desk.add(ada, workshop, hour())
    await desk.add(guest, workshop, hour(), hour(1))

    await join(desk, guest, ada)
    await join(desk, guest, ada)

    assert [entry.start_at for entry in await desk.cart(ada)] == [hour(0)[0], hour(0)[0], hour(1)[0]]
    assert await desk.cart(guest) == []


async def test_a_whole_room_at_one_time_is_not_had_twice(
    desk: Desk, hall: Calendar, guest: CartOwner, ada: CartOwner
) -> None:
    await desk.add(ada, hall, hour(0))
    await desk.add(guest, hall, hour(0), hour(1))

    await join(desk, guest, ada)

    assert [entry.start_at for entry in await desk.cart(ada)] == [hour(0)[0], hour(1)[0]]
    assert sorted(await desk.states(hall)) == ["cancelled", "pending", "pending"]


async def test_other_guests_and_users_keep_theirs(
    desk: Desk, hall: Calendar, guest: CartOwner, ada: CartOwner, bob: CartOwner
) -> None:
    other = await desk.guest()
    for owner in (other, bob):
        await desk.add(owner, hall, hour())

    await join(desk, guest, ada)

    assert [len(await desk.cart(owner)) for owner in (other, bob, ada)] == [1, 1, 0]


async def test_what_a_guest_has_ordered_goes_back_into_the_users_cart(
    desk: Desk, hall: Calendar, guest: CartOwner, ada: CartOwner
) -> None:
    await desk.add(guest, hall, hour())
    order_id = await desk.order(guest)

    await join(desk, guest, ada)
    await desk.release(order_id)

    assert len(await desk.cart(ada)) == 1


async def test_two_carts_together_hold_no_more_than_one_may(
    desk: Desk, workshop: Calendar, guest: CartOwner, ada: CartOwner
) -> None:
    first, then = (range(30), range(30, 60))
    await desk.add(ada, workshop, *(hour(number) for number in first))
    await desk.add(guest, workshop, *(hour(number) for number in then))

    await join(desk, guest, ada)

    assert [entry.start_at for entry in await desk.cart(ada)] == [hour(number)[0] for number in range(MOST_BOOKINGS)]


# --- left by themselves ---


async def test_what_has_begun_and_what_has_waited_too_long_leaves_the_carts(
    desk: Desk, hall: Calendar, ada: CartOwner, guest: CartOwner
) -> None:
    [old] = await desk.add(ada, hall, hour(5))
    await desk.add(ada, hall, hour(6))
    await desk.add(guest, hall, hour(0))
    week = desk.clock() - timedelta(days=7)
    await desk.session.execute(text("UPDATE calendar_entries SET created_at = :now"), {"now": desk.clock()})
    await desk.session.execute(
        text("UPDATE calendar_entries SET created_at = :then WHERE id = :id"),
        {"then": week - timedelta(seconds=1), "id": old.id},
    )
    desk.clock.now = hour()[0]

    lines = await desk.calendar.drop_stale_pending(desk.session, older_than=week)

    assert {(line.owner, line.quantity, line.reason) for line in lines} == {
        (ada, 1, NoticeReason.OLD),
        (guest, 1, NoticeReason.OVER),
    }
    assert {line.title for line in lines} == {"An hour of the hall, The hall"}
    assert await desk.states(hall) == ["cancelled", "pending", "cancelled"]
    assert await desk.calendar.drop_stale_pending(desk.session, older_than=week) == []


async def test_equal_places_that_leave_are_one_line(desk: Desk, workshop: Calendar, ada: CartOwner) -> None:
    await desk.add(ada, workshop, hour(), places=3)
    desk.clock.now = hour()[0]

    [line] = await desk.calendar.drop_stale_pending(desk.session, older_than=desk.clock() - timedelta(days=7))

    assert line.quantity == 3


async def test_what_is_ordered_leaves_by_its_order_alone(desk: Desk, hall: Calendar, ada: CartOwner) -> None:
    await desk.add(ada, hall, hour())
    await desk.order(ada)
    desk.clock.now = hour(1)[0]

    assert await desk.calendar.drop_stale_pending(desk.session, older_than=desk.clock()) == []


async def test_a_session_that_ends_takes_its_cart_with_it(desk: Desk, hall: Calendar, guest: CartOwner) -> None:
    await desk.add(guest, hall, hour())

    await desk.session.execute(text("DELETE FROM sessions"))

    row = (await desk.session.execute(select(CalendarEntry.state, CalendarEntry.session_id))).one()
    assert tuple(row) == ("cancelled", None)
