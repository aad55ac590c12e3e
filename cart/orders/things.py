"""What the lines of an order gave: tickets, bookings and stock, as they stand now."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from cart.wiring import Till
from shared.contracts.dtos import AllocationDTO, EntryDTO, OrderLineDTO, TicketDTO
from shared.contracts.states import EntryState, LineKind, StockState, TicketState
from shared.models import OrderLine

from .queries import line_to_dto

Thing = TicketDTO | EntryDTO | AllocationDTO
"""What a line of an order gave."""
CANCELLABLE = (TicketState.CONFIRMED, EntryState.CONFIRMED, EntryState.PROVISIONAL, StockState.SOLD)
"""The states of what can be cancelled without more ado."""


async def things_of(session: AsyncSession, till: Till, order_id: int) -> dict[tuple[LineKind, int | None], Thing]:
    """Return what an order gave, by what its lines name; three queries."""
    calendar, market = till.services.calendar, till.services.market
    things: dict[tuple[LineKind, int | None], Thing] = {}
    for ticket in await calendar.get_tickets_for_order(session, order_id):
        things[LineKind.TICKET, ticket.replaces_id or ticket.id] = ticket
    for entry in await calendar.get_entries_for_order(session, order_id):
        things[LineKind.BOOKING, entry.replaces_id or entry.id] = entry
    for stock in await market.get_stock_for_order(session, order_id):
        things[LineKind.PRODUCT, stock.variant_id] = stock
    return things


def named_by(line: OrderLineDTO) -> int | None:
    """Return the id of what a line names: a ticket, a booking or a variant."""
    return {LineKind.TICKET: line.ticket_id, LineKind.BOOKING: line.entry_id, LineKind.PRODUCT: line.variant_id}[
        line.kind
    ]


def is_cancellable(thing: Thing | None) -> bool:
    """Tell whether what a line gave can be cancelled; None: it was let go."""
    return thing is not None and thing.state in CANCELLABLE


async def find_cancellable(session: AsyncSession, till: Till, order_id: int) -> frozenset[int]:
    """Return the lines of an order whose tickets, bookings or stock can be cancelled now. For admins only."""
    rows = await session.scalars(select(OrderLine).where(OrderLine.order_id == order_id))
    things = await things_of(session, till, order_id)
    lines = [line_to_dto(row) for row in rows]
    return frozenset(line.id for line in lines if is_cancellable(things.get((line.kind, named_by(line)))))
