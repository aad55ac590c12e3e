"""The cart, grouped by the page that sells (the specification, step 8)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import TypedDict

from sqlalchemy.ext.asyncio import AsyncSession

from cart.payments.page_config import merchant_codes
from cart.sellables.lines import CartLine
from cart.sellables.registry import Parts
from cart.wiring import current_payment_context
from shared.contracts.dtos import CartItemDTO, EntryDTO, KindCount, PageDTO, TicketDTO
from shared.contracts.states import LineKind
from shared.services.cart_impl import summary_of
from shared.web.identity import current_cart_owner


class PageGroup(TypedDict):
    """One page's part of a cart, with its lines, counts and totals."""

    page: PageDTO | None
    page_post_id: int | None
    products: list[CartItemDTO]
    calendar_entries: list[EntryDTO]
    tickets: list[TicketDTO]
    lines: list[CartLine]
    """All of its lines, kind by kind as pages show them."""
    counts: list[KindCount]
    """How much there is of each kind of which there is anything, in the same order."""
    product_count: int
    product_total: Decimal
    calendar_count: int
    calendar_total: Decimal
    ticket_count: int
    ticket_total: Decimal
    total: Decimal
    merchant_code: str


@dataclass(frozen=True, slots=True)
class _Contents:
    """Everything in a cart, and what is known about it."""

    parts: Parts
    lines: list[CartLine]
    pages: Mapping[int, PageDTO]
    codes: Mapping[int | None, str]

    def place_of(self, page_post_id: int | None) -> tuple[bool, str, int]:
        """Say where a page's group stands; what belongs to no page comes last."""
        page = None if page_post_id is None else self.pages.get(page_post_id)
        # With the id at the end: two pages may have one title.
        return page is None, "" if page is None else page.title, page_post_id or 0

    def group(self, page_post_id: int | None) -> PageGroup:
        """Return one page's part."""
        parts = self.parts.of_page(page_post_id)
        summary = summary_of(parts.counts(), open_orders=0)
        return PageGroup(
            page=None if page_post_id is None else self.pages.get(page_post_id),
            page_post_id=page_post_id,
            products=list(parts.items_of(LineKind.PRODUCT)),
            calendar_entries=list(parts.items_of(LineKind.BOOKING)),
            tickets=list(parts.items_of(LineKind.TICKET)),
            lines=[line for line in self.lines if line.page_post_id == page_post_id],
            counts=list(summary.kinds),
            product_count=summary.count,
            product_total=summary.total,
            calendar_count=summary.calendar_count,
            calendar_total=summary.calendar_total,
            ticket_count=summary.ticket_count,
            ticket_total=summary.ticket_total,
            total=parts.total,
            merchant_code=self.codes[page_post_id],
        )


async def get_cart_grouped_by_page(session: AsyncSession) -> list[PageGroup]:
    """Return the current cart, one group a page, by the pages' titles, so that a change moves no group.

    The number of queries does not depend on the number of lines.
    """
    context = current_payment_context()
    parts = await context.sellables.in_cart(session, current_cart_owner())
    ids = parts.page_ids
    # An empty cart needs no pages and no accounts.
    if not ids:
        return []
    pages = await context.services.blog.pages_by_id(session, _known(ids))
    contents = _Contents(
        parts=parts,
        lines=await parts.lines(session, pages),
        pages=pages,
        codes=await merchant_codes(session, ids, context.settings.sumup_merchant_code, now=context.clock()),
    )
    return [contents.group(page_post_id) for page_post_id in sorted(ids, key=contents.place_of)]


def _known(page_ids: Iterable[int | None]) -> list[int]:
    return [page_post_id for page_post_id in page_ids if page_post_id is not None]
