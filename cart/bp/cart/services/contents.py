"""What is in the cart that another app asks about: how much, and line by line."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncSession

from cart.sellables.lines import CartLine
from cart.sellables.registry import Sellables
from shared.contracts.dtos import CartSummaryDTO
from shared.contracts.owner import CartOwner
from shared.services.cart_impl import count_open_orders, summary_of


@dataclass(frozen=True, slots=True)
class CartContents:
    """A cart's summary, and its lines: products, bookings, tickets, and what else is sold."""

    summary: CartSummaryDTO
    lines: tuple[CartLine, ...]


async def get_cart_contents(session: AsyncSession, sellables: Sellables, owner: CartOwner) -> CartContents:
    """Return what is in somebody's cart; the summary counts and adds up the very rows that the lines are made of.

    The number of queries does not depend on the number of lines.
    """
    parts = await sellables.in_cart(session, owner)
    # Without pages: other apps are told what is in the cart, not where each is shown.
    lines = await parts.lines(session, {})
    open_orders = await count_open_orders(session, owner)
    return CartContents(summary_of(parts.counts(), open_orders=open_orders), tuple(lines))
