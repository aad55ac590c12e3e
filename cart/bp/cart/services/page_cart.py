"""The cart, grouped by the page that sells (the specification, step 8)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncSession

from cart.payments.page_config import merchant_codes
from cart.sellables.lines import PageGroup, booking_lines, page_ids, product_lines, ticket_lines
from shared.contracts.dtos import CartItemDTO, EntryDTO, PageDTO, TicketDTO
from shared.services.cart_impl import total_of_items
from shared.services.registry import services
from shared.web.identity import current_cart_owner
from shared.web.state import app_state

from .calendar_cart import calendar_total, get_calendar_cart_entries, get_ticket_cart_entries, ticket_total


@dataclass(frozen=True, slots=True)
class _Contents:
    """Everything in a cart, and what is known about it."""

    tickets: Sequence[TicketDTO]
    bookings: Sequence[EntryDTO]
    items: Sequence[CartItemDTO]
    events: dict[int, EntryDTO]
    pages: dict[int, PageDTO]
    codes: dict[int | None, str]

    def place_of(self, page_id: int | None) -> tuple[bool, str, int]:
        """Say where a page's group stands; what belongs to no page comes last."""
        page = None if page_id is None else self.pages.get(page_id)
        return page is None, "" if page is None else page.title, page_id or 0

    def group(self, page_id: int | None) -> PageGroup:
        """Return one page's part."""
        tickets = [ticket for ticket in self.tickets if ticket.calendar_container_id == page_id]
        bookings = [entry for entry in self.bookings if entry.calendar_container_id == page_id]
        items = [item for item in self.items if item.container_id == page_id]
        totals = total_of_items(items), calendar_total(bookings), ticket_total(tickets)
        return PageGroup(
            page=None if page_id is None else self.pages.get(page_id),
            page_post_id=page_id,
            products=items,
            calendar_entries=bookings,
            tickets=tickets,
            product_lines=product_lines(items, self.pages),
            booking_lines=booking_lines(bookings),
            ticket_lines=ticket_lines(tickets, self.events),
            product_count=sum(item.quantity for item in items),
            product_total=totals[0],
            calendar_count=len(bookings),
            calendar_total=totals[1],
            ticket_count=len(tickets),
            ticket_total=totals[2],
            total=sum(totals[1:], totals[0]),
            merchant_code=self.codes[page_id],
        )


async def get_cart_grouped_by_page(session: AsyncSession) -> list[PageGroup]:
    """Return the current cart, one group a page, by the pages' titles, so that a change moves no group.

    The number of queries does not depend on the number of lines.
    """
    state = app_state()
    tickets = await get_ticket_cart_entries(session)
    bookings = await get_calendar_cart_entries(session)
    items = await services.cart.cart_items(session, current_cart_owner())
    ids = page_ids(tickets, bookings, items)
    if not ids:
        return []
    contents = _Contents(
        tickets=tickets,
        bookings=bookings,
        items=items,
        events=await services.calendar.entries_by_id(session, {ticket.entry_id for ticket in tickets}),
        pages=await services.blog.pages_by_id(session, [page_id for page_id in ids if page_id is not None]),
        codes=await merchant_codes(session, ids, state.settings.sumup_merchant_code),
    )
    return [contents.group(page_id) for page_id in sorted(ids, key=contents.place_of)]
