"""What is in the cart that another app asks about: how much, and line by line."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncSession

from cart.sellables.lines import CartLine, booking_lines, product_lines, ticket_lines
from shared.contracts.dtos import CartSummaryDTO
from shared.contracts.owner import CartOwner
from shared.services.cart_impl import count_open_orders, summary_of
from shared.services.registry import services


@dataclass(frozen=True, slots=True)
class CartContents:
    """A cart's summary, and its lines: products, bookings, tickets."""

    summary: CartSummaryDTO
    lines: tuple[CartLine, ...]


async def get_cart_contents(session: AsyncSession, owner: CartOwner) -> CartContents:
    """Return what is in somebody's cart; the summary counts and adds up the very rows that the lines are made of.

    The number of queries does not depend on the number of lines.
    """
    tickets = [] if owner.user_id is None else await services.calendar.pending_tickets(session, user_id=owner.user_id)
    entries = await services.calendar.pending_entries(session, owner)
    items = await services.cart.cart_items(session, owner)
    events = await services.calendar.entries_by_id(session, {ticket.entry_id for ticket in tickets})
    lines = (*product_lines(items, {}), *booking_lines(entries), *ticket_lines(tickets, events))
    open_orders = await count_open_orders(session, owner)
    return CartContents(summary_of(tickets, entries, items, open_orders=open_orders), lines)
