"""The transaction of a payment that is paid, and of which the provider first told without it.

Without it nothing can be refunded. It is kept where what is told is what was paid, and nowhere else (promise 4).
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from cart.wiring import PaymentContext
from shared.contracts.dtos import Checkout, CheckoutStatus
from shared.contracts.journal import JournalThing
from shared.contracts.states import PaymentState
from shared.models import Payment
from shared.services.journal import PROVIDER, record

from .attempts import Attempt, locked_attempt

NAMED_LATE = "its transaction became known"


@dataclass(frozen=True, slots=True)
class LateTransaction:
    """A captured transaction, as a checkout tells of it or the record of an account."""

    id: str
    code: str | None
    reference: str
    merchant_code: str
    currency: str
    amount: Decimal

    @property
    def terms(self) -> tuple[str, str, str, Decimal]:
        """What was paid, and to whom."""
        return self.reference, self.merchant_code, self.currency, self.amount

    def pays(self, payment: Payment) -> bool:
        """Tell whether it is what was asked for."""
        return self.terms == (
            payment.checkout_reference,
            payment.merchant_code,
            payment.currency,
            payment.amount,
        )


def transaction_of(checkout: Checkout | None) -> LateTransaction | None:
    """Return the transaction that paid a checkout; None where it is not paid, or does not name it."""
    if checkout is None or checkout.status is not CheckoutStatus.PAID or checkout.transaction_id is None:
        return None
    return LateTransaction(
        checkout.transaction_id,
        checkout.transaction_code,
        checkout.reference,
        checkout.merchant_code,
        checkout.currency,
        checkout.amount,
    )


async def keep_transaction(context: PaymentContext, payment_id: int, transaction: LateTransaction) -> None:
    """Write down which transaction a paid payment is, where none is known and this is what was paid. Safe to repeat."""
    async with locked_attempt(context, payment_id) as attempt:
        payment = attempt.payment
        # Written once: which transaction a payment is must never change under a refund.
        if payment.state != PaymentState.PAID or payment.transaction_id is not None or not transaction.pays(payment):
            return
        payment.transaction_id, payment.transaction_code = transaction.id, transaction.code
        await _tell(attempt)
        await attempt.uow.commit()


async def _tell(attempt: Attempt) -> None:
    payment = attempt.payment
    await record(
        attempt.session,
        thing=JournalThing.PAYMENT,
        thing_id=payment.id,
        order_id=attempt.order.id,
        event=payment.state,
        actor=PROVIDER,
        why=NAMED_LATE,
        data={"transaction": payment.transaction_code},
    )
