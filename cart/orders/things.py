"""What the lines of an order gave, as it stands now."""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncSession

from cart.wiring import PaymentContext

from .queries import lines_of


async def find_cancellable(session: AsyncSession, context: PaymentContext, order_id: int) -> frozenset[int]:
    """Return the lines of an order of which what they gave can be cancelled now. For admins only."""
    lines, given = await lines_of(session, order_id), await context.sellables.given(session, order_id)
    found = ((line.id, given.of_line(line)) for line in lines)
    return frozenset(line_id for line_id, thing in found if thing is not None and thing.is_cancellable)
