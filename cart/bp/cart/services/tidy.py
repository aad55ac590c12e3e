"""One press that takes out what can't be had."""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncSession

from cart.sellables.lines import CartLine, lines_of
from shared.contracts.states import LineKind
from shared.services.registry import services
from shared.web.identity import current_cart_owner
from shared.web.state import app_state

from .page_cart import get_cart_grouped_by_page


async def tidy_cart(session: AsyncSession, page_post_id: int | None) -> None:
    """Make every line of the current cart (of one page, if named) as many as can be had. Safe to repeat."""
    for group in await get_cart_grouped_by_page(session):
        if page_post_id is None or group["page_post_id"] == page_post_id:
            for line in lines_of(group):
                if line.left is not None:
                    await _reduce(session, line, line.left)


async def _reduce(session: AsyncSession, line: CartLine, left: int) -> None:
    """Leave so many of a line in the cart."""
    owner, (kind, first, second) = current_cart_owner(), line.key
    if kind is LineKind.BOOKING:
        await services.calendar.remove_pending_booking(session, owner, entry_id=first)
    elif kind is LineKind.PRODUCT:
        await services.cart.change_item(session, owner, variant_id=first, quantity=left, more=False)
    elif owner.user_id is not None:
        await services.calendar.set_pending_tickets(
            session,
            user_id=owner.user_id,
            entry_id=first,
            ticket_type_id=second,
            quantity=left,
            now=app_state().clock(),
        )
