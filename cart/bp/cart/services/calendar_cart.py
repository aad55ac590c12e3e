"""What of the calendar is in the current cart: the specification's thin functions (step 7)."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from sqlalchemy.ext.asyncio import AsyncSession

from shared.contracts.dtos import EntryDTO, TicketDTO
from shared.services.cart_impl import total_of_entries, total_of_tickets
from shared.services.registry import services
from shared.web.identity import current_cart_identity, current_cart_owner


async def get_calendar_cart_entries(session: AsyncSession) -> list[EntryDTO]:
    """Return the bookings in the current cart."""
    return await services.calendar.pending_entries(session, current_cart_owner())


async def get_ticket_cart_entries(session: AsyncSession) -> list[TicketDTO]:
    """Return the tickets in the current cart; only somebody who is signed in has any."""
    ident = current_cart_identity()
    if ident["user_id"] is None:
        return []
    return await services.calendar.pending_tickets(session, user_id=ident["user_id"])


def calendar_total(entries: Sequence[EntryDTO]) -> Decimal:
    """Return what bookings cost, in the installation's currency."""
    return total_of_entries(entries)


def ticket_total(tickets: Sequence[TicketDTO]) -> Decimal:
    """Return what tickets cost, in the installation's currency."""
    return total_of_tickets(tickets)
