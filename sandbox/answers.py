"""Checkouts, transactions and the merchant as SumUp writes them: whole amounts as integers, unknown members too."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from .records import CheckoutRecord, MovementRecord, TransactionRecord

SHOP = "Maypole sandbox shop"
COUNTRY = "GB"


def number(amount: Decimal) -> int | float:
    """Return an amount as SumUp writes it: ``10`` for 10.00, ``10.1`` for 10.10."""
    return int(amount) if amount == amount.to_integral_value() else float(amount)


def timestamp(moment: datetime) -> str:
    """Return a time as SumUp writes it."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds")


def checkout_answer(record: CheckoutRecord, origin: str) -> dict[str, Any]:
    """Return a checkout; the transaction is named only once it is paid."""
    answer: dict[str, Any] = {
        "checkout_reference": record.reference,
        "amount": number(record.amount),
        "currency": record.currency,
        "merchant_code": record.merchant_code,
        "id": record.id,
        "status": record.status,
        "date": timestamp(record.created_at),
        "merchant_name": SHOP,
        "merchant_country": COUNTRY,
        "purpose": "CHECKOUT",
        "checkout_type": "checkout",
        "transactions": [_attempt_answer(record, attempt) for attempt in record.attempts],
    }
    # SumUp leaves out what has no value, and never writes null (docs/sumup.md § 2).
    given = {name: getattr(record, name) for name in ("description", "return_url", "redirect_url")}
    answer |= {name: value for name, value in given.items() if value}
    if record.valid_until is not None:
        answer["valid_until"] = timestamp(record.valid_until)
    if record.hosted:
        answer |= {"hosted_checkout": {"enabled": True}, "hosted_checkout_url": f"{origin}/pay/{record.id}"}
    # Only once it is paid: an attempt that was declined must not be taken for the payment (docs/sumup.md § 4).
    return answer | _paid_members(record)


def transaction_answer(record: CheckoutRecord, attempt: TransactionRecord, origin: str) -> dict[str, Any]:
    """Return a transaction with what moved afterwards; refunds leave its status as it is (docs/sumup.md § 7)."""
    answer = _attempt_answer(record, attempt) | {
        "simple_status": _simple_status(attempt),
        "foreign_transaction_id": record.reference,
        "product_summary": record.description,
        "payouts_total": 1,
        "payouts_received": int(attempt.moved("PAYOUT") > 0),
        "payout_plan": "SINGLE_PAYMENT",
        "transaction_events": [_movement_answer(movement) for movement in attempt.movements],
        "links": [],
    }
    # As the document has it. Our adapter builds the path itself: its key follows no address from an answer.
    if attempt.status == "SUCCESSFUL" and attempt.left > 0:
        href = f"{origin}/v1.0/merchants/{record.merchant_code}/payments/{attempt.id}/refunds"
        link = {"rel": "refund", "href": href, "type": "application/json", "min_amount": 0.01}
        answer["links"] = [link | {"max_amount": number(attempt.left)}]
    return answer


def history_answer(record: CheckoutRecord, attempt: TransactionRecord) -> dict[str, Any]:
    """Return a transaction as the history has it: shorter, and without its events."""
    return _attempt_answer(record, attempt) | {
        "transaction_id": attempt.id,
        "client_transaction_id": f"urn:sumup:checkout:{record.id}",
        "type": "PAYMENT",
        "product_summary": record.description,
        "refunded_amount": number(attempt.refunded),
    }


def merchant_answer(merchant_code: str, currency: str, since: datetime) -> dict[str, Any]:
    """Return the account as the key's owner reads it; ``sandbox`` is how a shop tells that it is a test account."""
    return {
        "merchant_code": merchant_code,
        "organization_id": f"O{merchant_code}",
        "business_type": "business",
        "company": {"name": SHOP, "merchant_category_code": "7922"},
        "business_profile": {"name": SHOP},
        "country": COUNTRY,
        "default_currency": currency,
        "default_locale": "en-GB",
        "sandbox": True,
        "created_at": timestamp(since),
        "updated_at": timestamp(since),
    }


def _paid_members(record: CheckoutRecord) -> dict[str, Any]:
    codes = [attempt.code for attempt in record.attempts if attempt.id == record.paid_by]
    return {"transaction_id": record.paid_by, "transaction_code": codes[0]} if codes else {}


def _attempt_answer(record: CheckoutRecord, attempt: TransactionRecord) -> dict[str, Any]:
    return {
        "id": attempt.id,
        "transaction_code": attempt.code,
        "amount": number(attempt.amount),
        "currency": record.currency,
        "timestamp": timestamp(attempt.at),
        "status": attempt.status,
        "payment_type": record.payment_type,
        "installments_count": 1,
        "merchant_code": record.merchant_code,
        "vat_amount": 0,
        "tip_amount": 0,
        "entry_mode": "CHIP" if record.payment_type == "POS" else "CUSTOMER_ENTRY",
        "auth_code": attempt.code[-6:],
        # Not documented but sent: a reader must pass over members that it does not know.
        "internal_id": int(attempt.id[:8], 16),
    }


def _simple_status(attempt: TransactionRecord) -> str:
    # What moved last decides, but for a refund that went well: that one does not show here (docs/sumup.md § 7).
    refunds = [movement.status for movement in attempt.movements if movement.event_type == "REFUND"]
    if attempt.moved("CHARGE_BACK"):
        return "CHARGEBACK"
    if refunds and refunds[-1] == "FAILED":
        return "REFUND_FAILED"
    return "PAID_OUT" if attempt.moved("PAYOUT") else attempt.status


def _movement_answer(movement: MovementRecord) -> dict[str, Any]:
    return {
        "id": movement.id,
        "event_type": movement.event_type,
        "status": movement.status,
        "amount": number(movement.amount),
        "date": movement.at.date().isoformat(),
        "timestamp": timestamp(movement.at),
    }
