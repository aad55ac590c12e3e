"""Which line of an order a booking is."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from shared.contracts.dtos import EntryDTO
from shared.contracts.states import LineKind
from shared.models import OrderLine


def line_entry_id(entry: EntryDTO) -> int:
    """Return the booking that the line of a booking in an order names.

    Lines never change: after late money that is the booking which was released, in whose place this one was made.
    """
    return entry.replaces_id or entry.id


async def line_of(session: AsyncSession, entry: EntryDTO) -> OrderLine:
    """Return the line of a booking that is in an order."""
    statement = select(OrderLine).where(
        OrderLine.order_id == entry.order_id,
        OrderLine.entry_id == line_entry_id(entry),
        # A ticket's line names an entry too: its event.
        OrderLine.kind == LineKind.BOOKING,
    )
    return (await session.scalars(statement)).one()
