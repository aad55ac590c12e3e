"""What happens when money has arrived: the order is confirmed, once; what cannot be given becomes a debt.

Everything here runs in the caller's transaction, which has locked the buyer, the order and the payment, in that
order.
"""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncSession

from cart.debts.owed import owe
from cart.debts.settled import mark_order
from cart.orders.confirm import ORDER_MAIL, confirm_order, mark_paid
from cart.orders.queries import lines_of
from cart.wiring import PaymentContext
from shared.contracts.states import PAID_ORDER_STATES, DebtReason, OrderState
from shared.jobs.queue import enqueue
from shared.models import Order, Payment
from shared.services.journal import SYSTEM, act_as


async def fulfil_payment(session: AsyncSession, context: PaymentContext, order: Order, payment: Payment) -> None:
    """Give what a recorded payment paid for. Safe to repeat: a payment that is fulfilled is left as it is.

    In time: the order is confirmed. Late (the order had released): its lines are taken again, and what cannot be had is
    a debt. Paid already by another attempt: all of it is a debt.
    """
    if payment.fulfilled_at is not None:
        return
    await act_as(session, SYSTEM, f"payment {payment.id}")
    if order.state == OrderState.PENDING:
        await confirm_order(session, context, order, actor=SYSTEM, why=f"payment {payment.id}")
    elif order.state in PAID_ORDER_STATES:
        await _owe_all(session, order, payment)
    else:
        await _take_again(session, context, order, payment)
    payment.fulfilled_at = context.clock()
    await session.flush()  # so that the guards speak before the commit
    if payment.refunded:  # its money went back at the provider before this, as when we were stopped after recording it
        await mark_order(session, order.id)


async def _take_again(session: AsyncSession, context: PaymentContext, order: Order, payment: Payment) -> None:
    """Take a late order's lines again (promise 9); what cannot be had is owed back."""
    lines = await lines_of(session, order.id)
    lost: dict[int, DebtReason] = {}
    for sellable, own in context.sellables.with_lines(lines):
        lost |= await sellable.take_again(session, order.id, order.owner, own)
    for line in lines:
        reason = lost.get(line.id)
        if reason is not None and line.total:
            await owe(session, payment, line.total, reason, line_id=line.id)
    await mark_paid(session, context, order, actor=SYSTEM, why=f"late payment {payment.id}, {len(lost)} lines lost")


async def _owe_all(session: AsyncSession, order: Order, payment: Payment) -> None:
    """Owe back the whole of a payment of an order that was paid already, and have its buyer told."""
    await owe(session, payment, payment.amount, DebtReason.PAID_TWICE, line_id=None)
    order.mail_queued_at = None
    await enqueue(session, ORDER_MAIL, {"order_id": order.id})
