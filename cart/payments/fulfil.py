"""What happens when money has arrived: the order is confirmed, once; what cannot be given becomes a debt.

Everything here runs in the caller's transaction, which has locked the buyer, the order and the payment, in that
order.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from cart.debts.owed import owe
from cart.debts.settled import mark_order
from cart.orders.confirm import ORDER_MAIL, confirm_order, mark_paid
from cart.wiring import Till
from shared.contracts.states import PAID_ORDER_STATES, DebtReason, LineKind, OrderState
from shared.jobs.queue import enqueue
from shared.models import Order, OrderLine, Payment
from shared.services.journal import SYSTEM, act_as


async def fulfil_payment(session: AsyncSession, till: Till, order: Order, payment: Payment) -> None:
    """Give what a recorded payment paid for. Safe to repeat: a payment that is fulfilled is left as it is.

    In time: the order is confirmed. Late (the order had let go): its lines are taken again, and what cannot be had is
    a debt. Paid already by another attempt: all of it is a debt.
    """
    if payment.fulfilled_at is not None:
        return
    await act_as(session, SYSTEM, f"payment {payment.id}")
    if order.state == OrderState.PENDING:
        await confirm_order(session, till, order, actor=SYSTEM, why=f"payment {payment.id}")
    elif order.state in PAID_ORDER_STATES:
        await _owe_all(session, order, payment)
    else:
        await _take_again(session, till, order, payment)
    payment.fulfilled_at = till.clock()
    await session.flush()  # so that the guards speak before the commit
    if payment.refunded:  # its money went back at the provider before this, as when we were stopped after recording it
        await mark_order(session, order.id)


async def _take_again(session: AsyncSession, till: Till, order: Order, payment: Payment) -> None:
    """Take a late order's lines again (promise 9); what cannot be had is owed back."""
    lines = list(await session.scalars(select(OrderLine).where(OrderLine.order_id == order.id).order_by(OrderLine.id)))
    lost = await _retake_tickets(session, till, order, lines)
    lost |= await _retake_entries(session, till, order, lines)
    lost |= await _retake_products(session, till, order, lines)
    for line in lines:
        reason = lost.get(line.id)
        if reason is not None and line.total:
            await owe(session, payment, line.total, reason, line_id=line.id)
    await mark_paid(session, till, order, actor=SYSTEM, why=f"late payment {payment.id}, {len(lost)} lines lost")


async def _retake_tickets(
    session: AsyncSession, till: Till, order: Order, lines: Sequence[OrderLine]
) -> dict[int, DebtReason]:
    """Take the tickets again, and return the lines whose tickets are lost."""
    by_ticket = {line.ticket_id: line.id for line in lines if line.ticket_id is not None}
    if not by_ticket or order.user_id is None:
        return {}
    lost = await till.services.calendar.retake_tickets_for_order(session, order.id, order.user_id, list(by_ticket))
    return {by_ticket[ticket_id]: reason for ticket_id, reason in lost.items()}


async def _retake_entries(
    session: AsyncSession, till: Till, order: Order, lines: Sequence[OrderLine]
) -> dict[int, DebtReason]:
    """Take the bookings again, and return the lines whose bookings are lost."""
    by_entry = {line.entry_id: line.id for line in lines if line.kind == LineKind.BOOKING and line.entry_id is not None}
    lost = await till.services.calendar.retake_entries_for_order(session, order.id, order.user_id, list(by_entry))
    return {by_entry[entry_id]: reason for entry_id, reason in lost.items()}


async def _retake_products(
    session: AsyncSession, till: Till, order: Order, lines: Sequence[OrderLine]
) -> dict[int, DebtReason]:
    """Take the products again, and return the lines whose products are lost, or were bought again meanwhile."""
    by_variant = {line.variant_id: line for line in lines if line.variant_id is not None}
    again = await _bought_again(session, order, by_variant)
    wanted = {variant_id: line.quantity for variant_id, line in by_variant.items() if variant_id not in again}
    lost = await till.services.cart.retake_items_for_order(session, order.id, order.owner, wanted)
    lost |= dict.fromkeys(again, DebtReason.PAID_TWICE)
    return {by_variant[variant_id].id: reason for variant_id, reason in lost.items()}


async def _bought_again(session: AsyncSession, order: Order, by_variant: Mapping[int, OrderLine]) -> set[int]:
    """Return the variants of which the buyer has bought at least as many again in later orders that are paid."""
    if order.user_id is None or not by_variant:
        return set()
    rows = await session.execute(
        select(OrderLine.variant_id, func.sum(OrderLine.quantity))
        .join(Order, Order.id == OrderLine.order_id)
        .where(Order.user_id == order.user_id, Order.id > order.id, Order.state == OrderState.PAID)
        .where(OrderLine.variant_id.in_(by_variant))
        .group_by(OrderLine.variant_id)
    )
    return {variant_id for variant_id, count in rows if variant_id and count >= by_variant[variant_id].quantity}


async def _owe_all(session: AsyncSession, order: Order, payment: Payment) -> None:
    """Owe back the whole of a payment of an order that was paid already, and have its buyer told."""
    await owe(session, payment, payment.amount, DebtReason.PAID_TWICE, line_id=None)
    order.mail_queued_at = None
    await enqueue(session, ORDER_MAIL, {"order_id": order.id})
