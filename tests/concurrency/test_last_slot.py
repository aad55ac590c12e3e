"""Many shoppers at once want the same hour, hours that overlap, and the last places (docs/money.md, promise 1); and controls."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import combinations

import pytest
from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from cart.orders.buyer import Buyer
from cart.payments.settle import settle
from shared.contracts.errors import SoldOut
from shared.contracts.owner import CartOwner
from shared.contracts.states import HELD_ENTRY_STATES, EntryState
from shared.db.refusals import holding_refused
from shared.db.uow import unit_of_work
from shared.models import CalendarEntry, Slot
from shared.services.calendar_impl import SqlCalendarService
from tests.concurrency.conftest import TakeAway
from tests.factories.calendar import make_calendar, make_rule
from tests.support.mixed import Hall, book, check_out, make_guest, make_hall, payment_of, slots_held
from tests.support.shop import Shop

Span = tuple[datetime, datetime]

SHOPPERS = 40
RACERS = 12
"""How many are released at the same moment in a race without locks: fewer than the pool has connections."""
LENGTHS = range(30, 55, 5)
"""Of how many minutes times are wanted that begin together and overlap, each a slot of its own."""
PRICE = Decimal("8.00")
ONE_AT_A_TIME = ("calendar_entries", "ex_calendar_entries_one_at_a_time")
WITHIN_PLACES = ("slots", "ck_slots_held_within_places")


class UnlockedCalendar(SqlCalendarService):
    """The calendar with its locks taken away: everybody looks first, and only then anybody takes."""

    barrier = asyncio.Barrier(RACERS)

    async def claim_entries_for_order(
        self,
        session: AsyncSession,
        order_id: int,
        owner: CartOwner,
        page_post_id: int | None = None,
    ) -> None:
        entries = await self.pending_entries(session, owner)
        if not all(entry.sale.is_open for entry in entries):
            raise SoldOut
        await self.barrier.wait()
        slot = select(Slot.id).where(
            Slot.calendar_id == CalendarEntry.calendar_id,
            Slot.start_at == CalendarEntry.start_at,
            Slot.end_at == CalendarEntry.end_at,
        )
        with holding_refused():
            await session.execute(
                update(CalendarEntry)
                .where(CalendarEntry.id.in_([entry.id for entry in entries]))
                .values(state=EntryState.ORDERED, order_id=order_id, slot_id=slot.scalar_subquery())
                .execution_options(synchronize_session=False)
            )


def without_locks(shop: Shop, racers: int = RACERS) -> Shop:
    calendar = UnlockedCalendar(shop.clock, default_max_per_order=20)
    calendar.barrier = asyncio.Barrier(racers)
    return replace(shop, context=replace(shop.context, services=replace(shop.context.services, calendar=calendar)))


# --- what there is, and who wants it ---


async def make_room(shop: Shop, lengths: Sequence[int], *, to_time: str = "") -> Hall:
    """Let a whole room from nine o'clock on, for so many minutes: once each, or again and again until ``to_time``."""
    async with unit_of_work(shop.context.database) as uow:
        room = await make_calendar(uow.session, whole_room=True)
        for minutes in lengths:
            end = to_time or f"09:{minutes:02}"
            await make_rule(uow.session, room, from_time="09:00", to_time=end, minutes=minutes, position=minutes)
        await uow.commit()
    return Hall(room.id, room.container_id, PRICE, shop.clock())


def times_from_nine(shop: Shop, hall: Hall, lengths: Sequence[int]) -> list[Span]:
    """Return what is offered at nine o'clock."""
    nine = hall.hour(shop.clock())[0]
    return [(nine, nine + timedelta(minutes=minutes)) for minutes in lengths]


async def make_slots(shop: Shop, hall: Hall, spans: Sequence[Span], *, places: int = 1) -> None:
    """Write the slots down that somebody has wanted before."""
    async with unit_of_work(shop.context.database) as uow:
        rows = [{"calendar_id": hall.calendar_id, "start_at": s, "end_at": e, "places": places} for s, e in set(spans)]
        await uow.session.execute(insert(Slot).values(rows))
        await uow.commit()


async def make_shoppers(shop: Shop, count: int) -> list[Buyer]:
    """Let people in, every other one without an account."""
    return [Buyer.of_user(await shop.shopper()) if number % 2 else await make_guest(shop) for number in range(count)]


async def wish(shop: Shop, buyer: Buyer, hall: Hall, *spans: Span) -> None:
    """Put times into somebody's cart."""
    async with unit_of_work(shop.context.database) as uow:
        await shop.context.services.calendar.add_pending_bookings(
            uow.session,
            buyer.owner,
            calendar_id=hall.calendar_id,
            wish=dict.fromkeys(spans, 1),
        )
        await uow.commit()


async def rush(shop: Shop, hall: Hall, wishes: Sequence[Span]) -> Counter[str]:
    """Let everybody put the time that they want into the cart and press the button at once; count the answers."""
    people = await make_shoppers(shop, len(wishes))
    for person, span in zip(people, wishes, strict=True):
        await wish(shop, person, hall, span)
    presses = (check_out(shop, person, hall.price) for person in people)
    return Counter(type(answer).__name__ for answer in await asyncio.gather(*presses, return_exceptions=True))


async def held_spans(shop: Shop, hall: Hall) -> list[Span]:
    """Return the times that are held, one for each booking that holds one."""
    async with unit_of_work(shop.context.database) as uow:
        rows = await uow.session.execute(
            select(CalendarEntry.start_at, CalendarEntry.end_at)
            .where(CalendarEntry.calendar_id == hall.calendar_id, CalendarEntry.state.in_(HELD_ENTRY_STATES))
            .order_by(CalendarEntry.start_at)
        )
        return [(row.start_at, row.end_at) for row in rows]


def overlap(one: Span, other: Span) -> bool:
    return one[0] < other[1] and other[0] < one[1]


# --- with everything in place ---


async def test_of_forty_who_want_the_same_hour_of_a_hall_one_gets_it(shop: Shop) -> None:
    hall = await make_hall(shop)
    hour = hall.hour(shop.clock())

    answers = await rush(shop, hall, [hour] * SHOPPERS)

    assert answers == {"str": 1, "SoldOut": SHOPPERS - 1}
    assert (await held_spans(shop, hall), await slots_held(shop, hall)) == ([hour], 1)


async def test_of_times_of_different_lengths_those_are_had_that_do_not_overlap(shop: Shop) -> None:
    hall = await make_room(shop, (60, 120, 180), to_time="15:00")
    nine = hall.hour(shop.clock())[0]
    spans = [
        (nine + timedelta(hours=start), nine + timedelta(hours=start + length))
        for length in (1, 2, 3)
        for start in range(0, 6, length)
    ]

    answers = await rush(shop, hall, spans * 3)

    held = await held_spans(shop, hall)
    assert not any(overlap(one, other) for one, other in combinations(held, 2))
    assert all(any(overlap(span, taken) for taken in held) for span in spans)  # nobody was refused what is free
    assert answers == {"str": len(held), "SoldOut": 3 * len(spans) - len(held)}


async def test_of_forty_who_want_a_place_exactly_as_many_get_one_as_there_are(shop: Shop) -> None:
    workshop = await make_hall(shop, whole_room=False, places=8)
    hour = workshop.hour(shop.clock())

    answers = await rush(shop, workshop, [hour] * SHOPPERS)

    assert answers == {"str": 8, "SoldOut": SHOPPERS - 8}
    assert (len(await held_spans(shop, workshop)), await slots_held(shop, workshop)) == (8, 8)


async def test_carts_that_cross_end_in_orders_and_not_in_a_deadlock(shop: Shop) -> None:
    halls = [await make_hall(shop, whole_room=False, places=SHOPPERS) for _ in range(3)]
    people = await make_shoppers(shop, 16)
    for number, person in enumerate(people):
        for hall in halls if number % 2 else reversed(halls):
            hours = [hall.hour(shop.clock(), each) for each in range(4)]
            await wish(shop, person, hall, *(hours if number % 3 else reversed(hours)))

    presses = (check_out(shop, person, 12 * halls[0].price) for person in people)
    answers = await asyncio.gather(*presses, return_exceptions=True)

    assert [answer for answer in answers if isinstance(answer, BaseException)] == []
    assert [await slots_held(shop, hall) for hall in halls] == [4 * 16] * 3


async def test_whole_rooms_wanted_in_different_orders_go_to_one_cart_and_nobody_sees_a_deadlock(shop: Shop) -> None:
    halls = [await make_hall(shop) for _ in range(3)]
    people = await make_shoppers(shop, 16)
    for number, person in enumerate(people):
        for hall in halls if number % 2 else reversed(halls):
            await book(shop, person, hall, 0)

    presses = (check_out(shop, person, 3 * halls[0].price) for person in people)
    answers = Counter(type(answer).__name__ for answer in await asyncio.gather(*presses, return_exceptions=True))

    assert answers == {"str": 1, "SoldOut": 15}
    assert [await slots_held(shop, hall) for hall in halls] == [1, 1, 1]


async def test_late_money_and_new_shoppers_at_once_end_with_one_of_them(shop: Shop) -> None:
    hall = await make_hall(shop)
    late = Buyer.of_user(await shop.shopper())
    await book(shop, late, hall)
    await check_out(shop, late, hall.price)
    payment = await payment_of(shop, late)
    shop.clock.forward(minutes=31)
    await shop.work()
    shop.pay(payment, force=True)
    people = await make_shoppers(shop, RACERS)
    for person in people:
        await book(shop, person, hall)

    presses = (check_out(shop, person, hall.price) for person in people)
    answers = await asyncio.gather(settle(shop.context, payment.id), *presses, return_exceptions=True)

    debts = [debt.reason for debt in await shop.debts()]
    winners = sum(isinstance(answer, str) for answer in answers[1:])
    assert {type(answer).__name__ for answer in answers[1:]} <= {"str", "SoldOut"}
    assert (winners, debts) in [(0, []), (1, ["sold_out"])]
    assert await slots_held(shop, hall) == 1


# --- with the locks taken away ---


@pytest.mark.parametrize("whole_room", [True, False])
async def test_the_counter_alone_lets_nobody_have_the_same_hour_twice(shop: Shop, *, whole_room: bool) -> None:
    hall = await make_hall(shop, whole_room=whole_room, places=5)
    hour, places = hall.hour(shop.clock()), 1 if whole_room else 5
    await make_slots(shop, hall, [hour], places=places)

    answers = await rush(without_locks(shop), hall, [hour] * RACERS)

    assert answers == {"str": places, "SoldOut": RACERS - places}
    assert len(await held_spans(shop, hall)) == await slots_held(shop, hall) == places


async def test_the_exclusion_alone_lets_no_two_times_of_a_whole_room_overlap(shop: Shop) -> None:
    hall = await make_room(shop, LENGTHS)
    spans = times_from_nine(shop, hall, LENGTHS)
    await make_slots(shop, hall, spans)

    answers = await rush(without_locks(shop, len(spans)), hall, spans)

    # Those who wait for each other without a lock before are told apart by the database: "busy" to one of them.
    assert set(answers) <= {"str", "SoldOut", "Unavailable"}
    assert answers["str"] == len(await held_spans(shop, hall)) <= 1


@pytest.mark.parametrize("whole_room", [True, False])
async def test_control_without_lock_and_counter_places_are_had_twice(
    shop: Shop, take_away: TakeAway, *, whole_room: bool
) -> None:
    await take_away(*WITHIN_PLACES)
    if whole_room:
        await take_away(*ONE_AT_A_TIME)
    hall = await make_hall(shop, whole_room=whole_room, places=5)
    hour = hall.hour(shop.clock())
    await make_slots(shop, hall, [hour], places=5)

    await rush(without_locks(shop), hall, [hour] * RACERS)

    assert len(await held_spans(shop, hall)) == RACERS


async def test_control_without_lock_and_exclusion_times_overlap(shop: Shop, take_away: TakeAway) -> None:
    await take_away(*ONE_AT_A_TIME)
    hall = await make_room(shop, LENGTHS)
    spans = times_from_nine(shop, hall, LENGTHS)
    await make_slots(shop, hall, spans)

    await rush(without_locks(shop, len(spans)), hall, spans)

    assert await held_spans(shop, hall) == spans
