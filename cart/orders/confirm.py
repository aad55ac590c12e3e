"""Confirm an order: everything in it becomes its buyer's, and the worker writes to them."""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncSession

from cart.wiring import PaymentContext
from shared.contracts.journal import JournalThing
from shared.contracts.states import OrderState
from shared.jobs.queue import enqueue
from shared.models import Order
from shared.services.journal import record

ORDER_MAIL = "order_mail"


async def confirm_order(session: AsyncSession, context: PaymentContext, order: Order, *, actor: str, why: str) -> None:
    """Confirm a pending order and everything in it, and have its buyer told. The caller checks that it is pending."""
    # In the order of locks (docs/locking.md): confirming locks what it counts.
    for sellable in context.sellables:
        await sellable.confirm(session, order.id)
    await mark_paid(session, context, order, actor=actor, why=why)


async def mark_paid(session: AsyncSession, context: PaymentContext, order: Order, *, actor: str, why: str) -> None:
    """Mark an order as paid and have the worker write to its buyer."""
    # mail_queued_at is emptied as well: were the job below lost, the worker's sweep would still find the order.
    before, now = order.state, context.clock()
    order.state, order.paid_at, order.mail_queued_at = OrderState.PAID, now, None
    await record(
        session,
        thing=JournalThing.ORDER,
        thing_id=order.id,
        order_id=order.id,
        event=OrderState.PAID,
        actor=actor,
        why=why,
        data={"from": before, "to": order.state},
    )
    # In the same transaction: no mail about a payment that was rolled back, and none forgotten.
    await enqueue(session, ORDER_MAIL, {"order_id": order.id})
