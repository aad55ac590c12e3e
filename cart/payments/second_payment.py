"""A checkout that was paid more than once: each further payment is one of its own (docs/money.md, promises 3 and 5).

The provider's checkout names the transaction that paid it, and no other; the record of the account has them all.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from cart.orders.numbers import new_token
from cart.wiring import PaymentContext
from shared.contracts.journal import JournalThing
from shared.contracts.states import FindingKind, PaymentState
from shared.models import Order, Payment, ProviderFinding
from shared.services.journal import PROVIDER, record

from .attempts import Attempt, locked_attempt
from .late_transaction import LateTransaction
from .settle import fulfil, is_settled_elsewhere

PAID_AGAIN = "its checkout was paid again"


async def keep_second_payment(
    context: PaymentContext, payment_id: int, transaction: LateTransaction, at: datetime | None
) -> int | None:
    """Write a further captured transaction of a payment's checkout down, and give what it paid for, or owe it back.

    Of an order that is paid it is all owed back. Returns the payment that it is; None where it is not what the order
    asks for, where what paid the checkout first is not known, or where it was put before a person already: who has
    closed it may have made it good. The caller has seen both transactions in the provider's record. Safe to repeat: a
    transaction is one payment.
    """
    async with locked_attempt(context, payment_id) as attempt:
        if not _pays_again(attempt, transaction):
            return None
        further_id = await _find(attempt.session, transaction.id)
        # Looked for under the order's lock: two readings of one record write it once.
        if further_id is None:
            if await _is_with_a_person(attempt.session, transaction):
                return None
            further_id = await _record(context, attempt, transaction, at)
            await attempt.uow.commit()
    # Also where it was known before: the process may have been stopped between the two commits.
    await fulfil(context, further_id)
    return further_id


def _pays_again(attempt: Attempt, transaction: LateTransaction) -> bool:
    """Tell whether a transaction is a further one of a checkout, and of just what the order costs."""
    payment = attempt.payment
    is_decided = payment.state in (PaymentState.PAID, PaymentState.REVIEW) or is_settled_elsewhere(payment)
    # Where the first is not known, this may be it.
    is_another = payment.transaction_id not in (None, transaction.id)
    return is_decided and is_another and _terms(attempt.order, payment) == transaction.terms


def _terms(order: Order, payment: Payment) -> tuple[object, ...]:
    """Return what a payment of this order through this checkout is; a payment in review may have another amount."""
    return payment.checkout_reference, order.merchant_code, order.currency, order.total


async def _find(session: AsyncSession, transaction_id: str) -> int | None:
    """Return the payment that a transaction is, if it is written down already."""
    known: int | None = await session.scalar(select(Payment.id).where(Payment.transaction_id == transaction_id))
    return known


async def _is_with_a_person(session: AsyncSession, transaction: LateTransaction) -> bool:
    """Tell whether a transaction as a whole was found to differ before, and is or was looked at."""
    found = select(ProviderFinding.id).where(
        ProviderFinding.merchant_code == transaction.merchant_code,
        ProviderFinding.transaction_id == transaction.id,
        ProviderFinding.kind == FindingKind.DIFFERENCE,
        ProviderFinding.provider_event == "",
    )
    return await session.scalar(found.limit(1)) is not None


async def _record(context: PaymentContext, attempt: Attempt, transaction: LateTransaction, at: datetime | None) -> int:
    """Write the payment down as one that has arrived; it has no checkout of its own, and nobody can pay it."""
    first, now = attempt.payment, context.clock()
    further = Payment(
        order_id=attempt.order.id,
        state=PaymentState.PAID,
        provider=first.provider,
        merchant_code=transaction.merchant_code,
        amount=transaction.amount,
        currency=transaction.currency,
        # References are unique, and this one was never sent to anybody.
        checkout_reference=f"{first.checkout_reference}/{transaction.id}",
        return_token=new_token(),
        webhook_token=new_token(),
        valid_until=first.valid_until,
        transaction_id=transaction.id,
        transaction_code=transaction.code,
        created_at=now,
        paid_at=at or now,
    )
    attempt.session.add(further)
    await attempt.session.flush()  # its id goes into the journal
    await record(
        attempt.session,
        thing=JournalThing.PAYMENT,
        thing_id=further.id,
        order_id=attempt.order.id,
        event=PaymentState.PAID,
        actor=PROVIDER,
        why=PAID_AGAIN,
        data={"to": PaymentState.PAID, "transaction": transaction.code, "amount": str(transaction.amount)},
    )
    return further.id
