"""The reconciler: finds what no redirect or webhook brought, and finishes what a crash left half done (promise 7)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from datetime import timedelta

import structlog
from sqlalchemy import select, update

from cart.payments.fence import fence
from cart.payments.settle import fulfil, settle_or_raise
from cart.refunds.refund import settle_refund
from cart.wiring import PaymentContext
from shared.contracts.errors import GatewayError
from shared.contracts.states import PAYABLE_PAYMENT_STATES, OrderState, PaymentState
from shared.db.locks import take_due
from shared.db.uow import unit_of_work
from shared.models import Order, Payment, PaymentNotice, Refund

BATCH = 20
LEASE = timedelta(minutes=1)
"""For how long a row that was taken is left alone by other workers, should this one die."""
UNANSWERED_AFTER = timedelta(seconds=30)
"""How long the job of a webhook has, before the sweep does what it should have done."""
_log = structlog.get_logger("maypole.reconcile")


async def reconcile(context: PaymentContext) -> None:
    """Look at everything that is due a look. Safe to repeat, and to run in several workers at the same time."""
    # Money that has arrived comes first: somebody waits for what they have paid.
    await each(await _unfulfilled(context), lambda payment_id: fulfil(context, payment_id))
    await each(await _take(context, Payment), lambda payment_id: look_at_payment(context, payment_id))
    await each(await _unanswered(context), lambda payment_id: look_at_payment(context, payment_id))
    await each(await _take(context, Refund), lambda refund_id: settle_refund(context, refund_id))


async def each(ids: Iterable[int], look: Callable[[int], Awaitable[object]]) -> None:
    """Look at one after the other; one that fails does not keep the others waiting."""
    for row_id in ids:
        try:
            await look(row_id)
        except Exception:  # noqa: BLE001 - the edge of the sweep: it is logged, and due again later
            _log.exception("reconcile_failed", row_id=row_id)


async def look_at_payment(context: PaymentContext, payment_id: int) -> None:
    """Settle a payment; fence it where its order's time is up. Its notices are answered once the provider has said."""
    # Those that are there before the provider is asked: one that comes meanwhile may tell of something newer.
    newest = await _newest_notice(context, payment_id)
    if await _is_overdue(context, payment_id):
        # Still closing: the provider has not confirmed, and the notice stays open.
        answered = await fence(context, payment_id) != PaymentState.CLOSING
    else:
        answered = await _settle(context, payment_id)
    if answered and newest is not None:
        await _answer_notices(context, payment_id, newest)


async def _settle(context: PaymentContext, payment_id: int) -> bool:
    """Settle a payment; tell whether the provider could be asked."""
    try:
        await settle_or_raise(context, payment_id)
    except GatewayError as error:
        _log.warning("provider_not_asked", payment_id=payment_id, error=type(error).__name__)
        return False
    return True


async def _is_overdue(context: PaymentContext, payment_id: int) -> bool:
    """Tell whether a payment's order waits past its deadline, or is being released already."""
    async with unit_of_work(context.database) as uow:
        statement = (
            select(Order.expires_at, Payment.state)
            .join(Payment.order)
            .where(Payment.id == payment_id, Order.state == OrderState.PENDING)
            .where(Payment.state.in_(PAYABLE_PAYMENT_STATES))
        )
        row = (await uow.session.execute(statement)).one_or_none()
    return row is not None and (row.expires_at <= context.clock() or row.state == PaymentState.CLOSING)


async def _unanswered(context: PaymentContext) -> list[int]:
    """Return payments about which a webhook has come, and the provider could not be asked then."""
    async with unit_of_work(context.database) as uow:
        statement = (
            select(PaymentNotice.payment_id)
            .where(PaymentNotice.handled_at.is_(None), PaymentNotice.received_at <= context.clock() - UNANSWERED_AFTER)
            .order_by(PaymentNotice.id)
            .limit(BATCH)
        )
        # Each payment once, however many notices came about it.
        return list(dict.fromkeys(await uow.session.scalars(statement)))


async def _newest_notice(context: PaymentContext, payment_id: int) -> int | None:
    """Return the newest webhook about a payment that is not handled yet."""
    async with unit_of_work(context.database) as uow:
        waiting = select(PaymentNotice.id).where(
            PaymentNotice.payment_id == payment_id, PaymentNotice.handled_at.is_(None)
        )
        newest: int | None = await uow.session.scalar(waiting.order_by(PaymentNotice.id.desc()).limit(1))
        return newest


async def _answer_notices(context: PaymentContext, payment_id: int, newest: int) -> None:
    """Mark the webhooks about a payment, up to this one, as handled."""
    async with unit_of_work(context.database) as uow:
        await uow.session.execute(
            update(PaymentNotice)
            .where(PaymentNotice.payment_id == payment_id, PaymentNotice.handled_at.is_(None))
            .where(PaymentNotice.id <= newest)
            .values(handled_at=context.clock())
        )
        await uow.commit()


async def _take(context: PaymentContext, model: type[Payment | Refund]) -> list[int]:
    async with unit_of_work(context.database) as uow:
        # Leased by a commit, not locked: no lock is held while the provider is asked.
        ids = await take_due(uow.session, model, now=context.clock(), lease=LEASE, limit=BATCH)
        await uow.commit()
    return ids


async def _unfulfilled(context: PaymentContext) -> list[int]:
    """Return payments that were recorded and not fulfilled: a crash between the two commits of promise 6."""
    async with unit_of_work(context.database) as uow:
        statement = (
            select(Payment.id)
            .where(Payment.state == PaymentState.PAID, Payment.fulfilled_at.is_(None))
            .order_by(Payment.id)
            .limit(BATCH)
        )
        return list(await uow.session.scalars(statement))
