"""Refund chosen lines of an order, or an amount: decided in one commit, then refunded one after the other.

The decision is written down as debts (docs/money.md, promise 3) with the key of the button that was pressed, so a
second press finds them and makes no others; a job is left for what a crash, or a refund still under way, leaves undone.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from cart.debts.owed import owe
from cart.orders.cancel import cancel_lines
from cart.payments.attempts import lock_buyer_and_order
from cart.wiring import PaymentContext
from shared.contracts.access import PageScope
from shared.contracts.dtos import ZERO
from shared.contracts.errors import Conflict, NotFound
from shared.contracts.states import DebtReason
from shared.db.locks import lock_payment
from shared.db.refusals import violates
from shared.db.uow import unit_of_work
from shared.models import Debt, Order, Payment
from shared.services.journal import user_actor

from .batch import WAITS, RefundJob, enqueue_refunds, refund_each
from .mails import queue_refund_mail
from .refundable import Share, Wish, find_refundable, shares_of

CHANGED = "Something of this order was refunded since you looked. Nothing was done; please look again."
EVER = datetime(2000, 1, 1, tzinfo=UTC)
"""Since when a debt that was decided on is not to have been tried: what was refused is for a person to try again."""
LIMITS = ("debts_within_line", "owed_within_amount")
"""The database's own refusals to owe more than was paid."""


@dataclass(frozen=True, slots=True)
class Decision:
    """What somebody decided, having seen what will happen: ``shown`` is the sum that they saw."""

    wish: Wish
    key: UUID
    shown: Decimal
    actor_user_id: int


async def refund_lines(context: PaymentContext, order_id: int, decision: Decision, scope: PageScope) -> None:
    """Owe what was decided, take back what is cancelled, and refund it. The same decision twice is made once.

    What became of each refund is to be read afterwards: it may not be known yet, or refused, and is still owed then.
    Raises NotFound, BadInput, and Conflict where what is left has changed; then nothing was done.
    """
    with _limits_kept():
        async with unit_of_work(context.database) as uow:
            order = await lock_buyer_and_order(uow.session, Order.id == order_id)
            # The key was made with the form: the second press of one form finds what the first one made.
            debt_ids = await _debts_of_key(uow.session, order.id, decision.key)
            if not debt_ids:
                debt_ids = await _decide(uow.session, context, order, decision, scope)
                await uow.commit()
    # After the commit: the provider is never called within a transaction. The job finishes it if we are stopped.
    await refund_each(context, RefundJob(tuple(debt_ids), decision.actor_user_id, EVER))


async def _debts_of_key(session: AsyncSession, order_id: int, key: UUID) -> list[int]:
    """Return the debts that a press of the button has made."""
    statement = select(Debt.id).where(Debt.order_id == order_id, Debt.request_key == key)
    return list(await session.scalars(statement.order_by(Debt.id)))


async def _decide(
    session: AsyncSession, context: PaymentContext, order: Order, decision: Decision, scope: PageScope
) -> list[int]:
    """Write a decision about a locked order down, with all that follows from it; return its debts."""
    wish, actor = decision.wish, user_actor(decision.actor_user_id)
    refundable = await find_refundable(session, scope, order.id)
    shares = shares_of(refundable, wish)
    # Somebody else refunded a part since the preview: nobody sends a sum that they have not seen.
    if sum((share.amount for share in shares), ZERO) != decision.shown:
        raise Conflict(CHANGED)
    payment = await lock_payment(session, refundable.payment_id or 0)
    if payment is None:
        raise NotFound
    debt_ids = await _owe_shares(session, payment, shares, decision)
    if wish.cancel:
        # In the same transaction as the debt: never a seat released and its money kept.
        await cancel_lines(session, context, order, wish.line_ids, actor=actor, why="refunded")
    await queue_refund_mail(context, session, order, shares, key=str(decision.key))
    job = RefundJob(tuple(debt_ids), decision.actor_user_id, EVER)
    await enqueue_refunds(session, job, after=WAITS[0])
    await session.flush()  # so that the guards speak before the commit
    return debt_ids


async def _owe_shares(
    session: AsyncSession, payment: Payment, shares: tuple[Share, ...], decision: Decision
) -> list[int]:
    reason = DebtReason.CANCELLED_BY_ORGANISER if decision.wish.cancel else DebtReason.GOODWILL
    actor = user_actor(decision.actor_user_id)
    made = [
        await owe(session, payment, share.amount, reason, line_id=share.line_id, actor=actor, request_key=decision.key)
        for share in shares
    ]
    return [debt_id for debt_id in made if debt_id is not None]


@contextmanager
def _limits_kept() -> Iterator[None]:
    """Turn the database's own refusal to owe more than was paid into Conflict. The caller rolls back."""
    try:
        yield
    except IntegrityError as error:
        if any(violates(error, limit) for limit in LIMITS):
            raise Conflict(CHANGED) from error
        raise
