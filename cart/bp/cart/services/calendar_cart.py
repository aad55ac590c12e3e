"""What of the calendar is in the current cart: the specification's thin functions (step 7)."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from sqlalchemy.ext.asyncio import AsyncSession

from cart.wiring import current_payment_context
from shared.contracts.dtos import EntryDTO, TicketDTO
from shared.contracts.states import LineKind
from shared.services.cart_impl import total_of_entries, total_of_tickets
from shared.web.identity import current_cart_owner


async def get_calendar_cart_entries(session: AsyncSession) -> list[EntryDTO]:
    """Return the bookings in the current cart."""
    bookings = current_payment_context().sellables.of(LineKind.BOOKING)
    return list(await bookings.in_cart(session, current_cart_owner()))


async def get_ticket_cart_entries(session: AsyncSession) -> list[TicketDTO]:
    """Return the tickets in the current cart; only somebody who is signed in has any."""
    tickets = current_payment_context().sellables.of(LineKind.TICKET)
    return list(await tickets.in_cart(session, current_cart_owner()))


def calendar_total(entries: Sequence[EntryDTO]) -> Decimal:
    """Return what bookings cost, in the installation's currency."""
    return total_of_entries(entries)


def ticket_total(tickets: Sequence[TicketDTO]) -> Decimal:
    """Return what tickets cost, in the installation's currency."""
    return total_of_tickets(tickets)
