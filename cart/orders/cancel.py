"""Cancel chosen lines of a paid order: what they gave is for sale again. Whether money goes back is another decision.

Everything here runs in the caller's transaction, which has locked the order (docs/money.md, promise 11).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from cart.wiring import PaymentContext
from shared.contracts.dtos import OrderLineDTO
from shared.contracts.errors import Conflict, NotFound
from shared.contracts.states import PAID_ORDER_STATES
from shared.models import Order, OrderLine
from shared.services.journal import act_as

from .mails import queue_cancelled_mail
from .queries import line_to_dto, order_to_dto

NOT_PAID = "This order is not paid, so there is nothing in it to cancel. An unpaid order is given up as a whole."


async def cancel_lines(
    session: AsyncSession,
    context: PaymentContext,
    order: Order,
    line_ids: Collection[int],
    *,
    actor: str,
    why: str = "",
) -> list[int]:
    """Cancel what these lines of a locked, paid order gave: seats, times and stock are for sale again.

    Returns the lines that this call has cancelled; the buyer gets one mail about them. Safe to repeat: what is
    cancelled already, was declined, used at the door or never given is left as it is. Raises NotFound for a line that
    is not the order's, and Conflict where the order is not paid.
    """
    # An unpaid order may be paid at this moment: it goes through the fence, and as a whole.
    if order.state not in PAID_ORDER_STATES:
        raise Conflict(NOT_PAID)
    lines = await _lines_of(session, order.id, line_ids)
    # Before the rows change: triggers write their lines of the journal.
    await act_as(session, actor, why)
    cancelled = await _cancel(session, context, order.id, lines)
    # A second press changes nothing, so there is nothing to write about.
    if cancelled:
        await queue_cancelled_mail(context, session, order_to_dto(order, []), cancelled)
    return [line.id for line in cancelled]


async def _lines_of(session: AsyncSession, order_id: int, line_ids: Collection[int]) -> Sequence[OrderLineDTO]:
    statement = select(OrderLine).where(OrderLine.order_id == order_id, OrderLine.id.in_(line_ids))
    lines = (await session.scalars(statement.order_by(OrderLine.id))).all()
    # Some were another order's: none is cancelled rather than a part.
    if len(lines) != len(set(line_ids)):
        raise NotFound
    return [line_to_dto(line) for line in lines]


async def _cancel(
    session: AsyncSession, context: PaymentContext, order_id: int, lines: Sequence[OrderLineDTO]
) -> Sequence[OrderLineDTO]:
    """Have each kind cancel what is its own, in the order of locks; return the lines that were cancelled."""
    done: set[int] = set()
    for sellable, own in context.sellables.with_lines(lines):
        done |= await sellable.cancel(session, order_id, own)
    return [line for line in lines if line.id in done]
