"""What waits for a yes, whose it is and what was paid for it: a read for admins."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import selectinload

from cart.orders.queries import order_to_dto
from cart.wiring import PaymentContext
from shared.contracts.dtos import EntryDTO, OrderDTO
from shared.contracts.errors import Conflict, NotFound
from shared.contracts.states import EntryState, LineKind
from shared.models import Order, OrderLine, User

from .lines import line_entry_id

WAITS_NO_MORE = "This booking does not wait for a decision any more."


@dataclass(frozen=True, slots=True)
class WaitingBooking:
    """A booking that is paid and waits. ``price`` is what its line cost, in the installation's currency."""

    entry: EntryDTO
    order_number: str
    buyer_email: str
    price: Decimal


async def list_waiting(
    session: AsyncSession, context: PaymentContext, *, after: tuple[datetime, int] | None = None, limit: int = 50
) -> list[WaitingBooking]:
    """Return what waits, soonest first, after the key ``after``; two queries, however much it is. For admins only."""
    entries = await context.services.calendar.provisional_entries(session, after=after, limit=limit)
    return await _with_orders(session, entries)


async def find_waiting(session: AsyncSession, context: PaymentContext, entry_id: int) -> WaitingBooking:
    """Return one booking that waits. Raises NotFound, and Conflict where it waits no more. For admins only."""
    entry = await context.services.calendar.booking(session, entry_id)
    if entry is None:
        raise NotFound
    if entry.state is not EntryState.PROVISIONAL:
        # Not "not found": it was there a moment ago, and somebody else has decided about it.
        raise Conflict(WAITS_NO_MORE)
    return (await _with_orders(session, [entry]))[0]


async def order_of(session: AsyncSession, waiting: WaitingBooking) -> OrderDTO:
    """Return the order that a waiting booking is part of, with all of its lines. For admins only."""
    statement = select(Order).where(Order.id == waiting.entry.order_id).options(selectinload(Order.lines))
    return order_to_dto((await session.scalars(statement)).one())


async def _with_orders(session: AsyncSession, entries: Sequence[EntryDTO]) -> list[WaitingBooking]:
    """Find the order, the buyer and the line of each booking."""
    email = func.coalesce(User.email, Order.guest_email).label("email")
    rows = await session.execute(
        select(OrderLine.order_id, OrderLine.entry_id, OrderLine.total, Order.number, email)
        .join(OrderLine.order)
        .outerjoin(User, User.id == Order.user_id)
        .where(OrderLine.kind == LineKind.BOOKING)
        .where(OrderLine.order_id.in_({entry.order_id for entry in entries}))
        .where(OrderLine.entry_id.in_({line_entry_id(entry) for entry in entries}))
    )
    # Both parts of the key: the same booking may stand in a released order as well.
    found = {(row.order_id, row.entry_id): row for row in rows}
    lines = ((entry, found[entry.order_id, line_entry_id(entry)]) for entry in entries)
    return [
        WaitingBooking(entry, order_number=line.number, buyer_email=line.email, price=line.total)
        for entry, line in lines
    ]
