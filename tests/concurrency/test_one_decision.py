"""Several admins at once decide on one booking, and the same race without lock and guards."""

from __future__ import annotations

import asyncio
import re
from dataclasses import replace

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from cart.bp.bookings.services import decide_booking
from cart.bp.bookings.services.decide import BookingDecision, _decide
from shared.contracts.errors import Conflict
from shared.db.uow import unit_of_work
from shared.models import CalendarEntry, Mail, Order
from shared.services.calendar_impl import SqlCalendarService
from tests.concurrency.conftest import TakeAway
from tests.factories.bookings import MadeBooking, make_booking
from tests.factories.calendar import make_calendar
from tests.support.queries import counted_queries
from tests.support.shop import Shop

ADMINS = 10
LOCKS = re.compile(r"(?:^UPDATE|FROM (?=.* FOR NO KEY UPDATE)) ?(\w+)", re.DOTALL)
"""A statement that locks rows, or changes them, and the table whose rows they are."""


class UnlockedCalendar(SqlCalendarService):
    """The calendar that looks first and only then decides: everybody sees a booking that waits."""

    barrier = asyncio.Barrier(2)

    async def decide_entry(self, session: AsyncSession, entry_id: int, *, approved: bool) -> int:
        entry = await self.booking(session, entry_id)
        assert entry is not None
        if entry.state != "provisional" or entry.order_id is None:
            raise Conflict
        await self.barrier.wait()
        state = "confirmed" if approved else "declined"
        await session.execute(update(CalendarEntry).where(CalendarEntry.id == entry_id).values(state=state))
        return entry.order_id


async def a_waiting_booking(shop: Shop) -> MadeBooking:
    ada = await shop.shopper()
    async with unit_of_work(shop.context.database) as uow:
        calendar = await make_calendar(uow.session, needs_approval=True, whole_room=True)
        made = await make_booking(uow.session, calendar, user_id=ada)
        await uow.commit()
    return made


async def mails(shop: Shop) -> list[str]:
    async with unit_of_work(shop.context.database) as uow:
        return sorted(await uow.session.scalars(select(Mail.kind)))


async def decisions(shop: Shop) -> list[str]:
    """Return what the journal tells of the booking, but for its being made."""
    return [event for event in await shop.journal("entry") if event != "provisional"]


async def test_of_ten_admins_at_once_one_decides_and_nine_are_told(shop: Shop) -> None:
    made, admin = await a_waiting_booking(shop), await shop.shopper()
    results = await asyncio.gather(
        *(
            decide_booking(shop.context, entry_id=made.entry.id, approved=bool(number % 2), actor_user_id=admin)
            for number in range(ADMINS)
        ),
        return_exceptions=True,
    )
    won = [result for result in results if not isinstance(result, Conflict)]
    assert len(won) == 1
    assert isinstance(won[0], bool)
    assert (len(await decisions(shop)), len(await mails(shop))) == (1, 1)
    assert len(await shop.debts()) == int(won[0])


async def test_a_declined_booking_is_locked_after_its_payment_as_everywhere(shop: Shop) -> None:
    made, admin = await a_waiting_booking(shop), await shop.shopper()
    with counted_queries(every=True) as statements:
        await decide_booking(shop.context, entry_id=made.entry.id, approved=False, actor_user_id=admin)
    locked = [found[1] for statement in statements if (found := LOCKS.search(statement))]
    assert locked == ["users", "orders", "payments", "calendar_entries"]


async def test_control_without_lock_and_guard_a_booking_is_approved_and_declined(
    shop: Shop, take_away: TakeAway
) -> None:
    await take_away("calendar_entries", "guard_transition")
    made = await a_waiting_booking(shop)
    calendar = UnlockedCalendar(shop.clock, default_max_per_order=20)
    calendar.barrier = asyncio.Barrier(2)
    context = replace(shop.context, services=replace(shop.context.services, calendar=calendar))

    async def decide(*, approved: bool) -> None:
        async with unit_of_work(context.database) as uow:
            order = await uow.session.get_one(Order, made.order.id)
            await _decide(uow.session, context, order, made.entry.id, BookingDecision(approved, "", 1))
            await uow.commit()

    await asyncio.gather(decide(approved=True), decide(approved=False))
    assert await mails(shop) == ["booking-approved", "booking-declined"]
    assert (len(await decisions(shop)), len(await shop.debts())) == (2, 1)
