"""One press that takes out what can't be had."""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncSession

from cart.wiring import current_payment_context
from shared.web.identity import current_cart_owner

from .page_cart import get_cart_grouped_by_page


async def tidy_cart(session: AsyncSession, page_post_id: int | None) -> None:
    """Make every line of the current cart (of one page, if named) as many as can be had. Safe to repeat."""
    context, owner = current_payment_context(), current_cart_owner()
    for group in await get_cart_grouped_by_page(session):
        if page_post_id is None or group["page_post_id"] == page_post_id:
            for line in group["lines"]:
                if line.left is not None:
                    sellable = context.sellables.of(line.key[0])
                    await sellable.change(session, owner, line.key, line.left, now=context.clock())
