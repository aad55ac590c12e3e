"""The demo's payments as the sandbox knows them, so that they can be looked up and refunded like any other."""

from __future__ import annotations

from collections.abc import Iterable

from sandbox.records import FILE_NAME, CheckoutRecord, Store, TransactionRecord
from shared.models.order import Payment
from shared.settings import Settings


def remember_at_the_sandbox(settings: Settings, payments: Iterable[Payment]) -> None:
    """Write paid payments into the sandbox's file, which it reads when it starts."""
    # Not over HTTP: the demo is loaded before the sandbox is started.
    store = Store(settings.data_dir / FILE_NAME)
    for payment in payments:
        store.save(_checkout_of(payment, settings))


def _checkout_of(payment: Payment, settings: Settings) -> CheckoutRecord:
    """Return the checkout behind a payment, paid at the first attempt."""
    if payment.checkout_id is None or payment.transaction_id is None or payment.transaction_code is None:
        raise ValueError("only a payment that has arrived is known to the sandbox")
    paid_at = payment.paid_at or payment.created_at
    attempt = TransactionRecord(
        id=payment.transaction_id,
        code=payment.transaction_code,
        amount=payment.amount,
        status="SUCCESSFUL",
        at=paid_at,
        changed_at=paid_at,
    )
    return CheckoutRecord(
        id=payment.checkout_id,
        reference=payment.checkout_reference,
        amount=payment.amount,
        currency=payment.currency,
        merchant_code=payment.merchant_code,
        created_at=payment.created_at,
        description=f"{settings.site_name} order",
        valid_until=payment.valid_until,
        hosted=True,
        status="PAID",
        paid_by=attempt.id,
        attempts=[attempt],
    )
