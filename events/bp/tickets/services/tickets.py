"""How many tickets are left, by counting rows (the specification, step 10).

The pages read the counters that a trigger keeps, which is one read for any number of types; this counts the tickets
themselves. Both must say the same, and the audit compares them.
"""

from __future__ import annotations

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from shared.contracts.errors import NotFound, UnknownTicketType
from shared.models import CalendarEntry, Ticket, TicketType


async def get_available_ticket_count(
    session: AsyncSession, entry_id: int, ticket_type_id: int | None = None
) -> int | None:
    """Return how many tickets of an entry, or of one of its types, can still be had; None: there is no limit.

    A type's tickets take the entry's seats too, so the smaller of the two limits counts. Tickets in a cart
    (``pending``) hold no seat. Raises NotFound for an unknown entry and UnknownTicketType for a type that is not
    the entry's.
    """
    counts = await available_ticket_counts(session, entry_id)
    if ticket_type_id not in counts:
        raise UnknownTicketType("That kind of ticket is not sold for this event.")
    return counts[ticket_type_id]


async def available_ticket_counts(session: AsyncSession, entry_id: int) -> dict[int | None, int | None]:
    """Return the same for all types of an entry at once, and for the entry itself under None: two queries."""
    limits = await _limits(session, entry_id)
    sold = await _sold(session, entry_id)
    whole = _left(limits[None], sum(sold.values()))
    return {key: _smaller(whole, _left(limit, sold.get(key, 0))) for key, limit in limits.items()}


async def _limits(session: AsyncSession, entry_id: int) -> dict[int | None, int | None]:
    """Return the capacity of the entry (under None) and of each of its types; raises NotFound."""
    statement = (
        select(CalendarEntry.capacity, TicketType.id, TicketType.capacity)
        .outerjoin(TicketType, TicketType.entry_id == CalendarEntry.id)
        .where(CalendarEntry.id == entry_id)
    )
    rows = (await session.execute(statement)).all()
    if not rows:
        raise NotFound("We could not find that event.")
    limits: dict[int | None, int | None] = {type_id: capacity for _, type_id, capacity in rows}
    limits[None] = rows[0][0]  # in place of the empty row that the outer join gives an entry without types
    return limits


async def _sold(session: AsyncSession, entry_id: int) -> dict[int | None, int]:
    """Count the tickets that hold a seat, by type (None: those of the entry's one price)."""
    statement = (
        select(Ticket.ticket_type_id, func.count())
        .where(Ticket.entry_id == entry_id, Ticket.state.in_(("reserved", "confirmed", "checked_in")))
        .group_by(Ticket.ticket_type_id)
    )
    rows = await session.execute(statement)
    return {type_id: count for type_id, count in rows}  # noqa: C416 - dict() of rows would lose their types


def _left(capacity: int | None, sold: int) -> int | None:
    """Return what a capacity leaves; never below nothing."""
    return None if capacity is None else max(capacity - sold, 0)


def _smaller(first: int | None, second: int | None) -> int | None:
    """Return the tighter of two limits, where None is no limit."""
    limits = [limit for limit in (first, second) if limit is not None]
    return min(limits, default=None)
