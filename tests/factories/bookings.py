"""Bookings that are paid, in any state that a paid one can have, with their order, line and payment."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from secrets import token_hex

from sqlalchemy.ext.asyncio import AsyncSession

from shared.contracts.states import OrderState, PaymentState
from shared.models import Calendar, CalendarEntry, Order, OrderLine, Payment, Slot
from tests.factories.calendar import days_from_now
from tests.factories.orders import make_payment


@dataclass(frozen=True, slots=True)
class MadeBooking:
    """A booking and what belongs to it; its payment is None where there was nothing to pay."""

    entry: CalendarEntry
    order: Order
    line: OrderLine
    payment: Payment | None

    @property
    def paying(self) -> Payment:
        """The payment of a booking that has one."""
        assert self.payment is not None
        return self.payment


async def make_booking(
    session: AsyncSession,
    calendar: Calendar,
    *,
    user_id: int,
    name: str = "The room for an hour",
    start_at: datetime | None = None,
    price: str = "16.00",
    state: str = "provisional",
    replaces_id: int | None = None,
    line_entry_id: int | None = None,
) -> MadeBooking:
    """Make an order for one booking of an hour, as it stands once it is paid; ``line_entry_id``: what its line names."""
    order = await _order(session, user_id, Decimal(price))
    start = start_at or days_from_now(3, hour=10)
    entry = await _entry(session, calendar, order, name, start, Decimal(price), state, replaces_id)
    line = OrderLine(
        order_id=order.id,
        kind="booking",
        title=name,
        detail=calendar.name,
        quantity=1,
        unit_price=order.total,
        total=order.total,
        entry_id=line_entry_id or entry.id,
        page_post_id=calendar.container_id,
    )
    session.add(line)
    await session.flush()
    payment = await make_payment(session, order, state=PaymentState.PAID) if order.total else None
    return MadeBooking(entry, order, line, payment)


async def _order(session: AsyncSession, user_id: int, total: Decimal) -> Order:
    """Make a paid order."""
    now = datetime.now(UTC)
    made = Order(
        number=f"B-{token_hex(4).upper()}",
        state=OrderState.PAID,
        user_id=user_id,
        merchant_code="MSANDBOX",
        currency="GBP",
        total=total,
        expires_at=now + timedelta(minutes=30),
        paid_at=now,
        mail_queued_at=now,
    )
    session.add(made)
    await session.flush()
    return made


async def _entry(
    session: AsyncSession,
    calendar: Calendar,
    order: Order,
    name: str,
    start: datetime,
    cost: Decimal,
    state: str,
    replaces_id: int | None,
) -> CalendarEntry:
    """Make a booking, and the slot that it holds."""
    slot = Slot(calendar_id=calendar.id, start_at=start, end_at=start + timedelta(hours=1), places=1)
    session.add(slot)
    await session.flush()
    made = CalendarEntry(
        calendar_id=calendar.id,
        kind="booking",
        state=state,
        name=name,
        start_at=start,
        end_at=slot.end_at,
        cost=cost,
        user_id=order.user_id,
        order_id=order.id,
        slot_id=slot.id,
        replaces_id=replaces_id,
    )
    session.add(made)
    await session.flush()
    return made
