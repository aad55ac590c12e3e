"""What SumUp does with checkouts, payments and refunds. No HTTP here: routes, page and steering all call this."""

from __future__ import annotations

import secrets
import string
import uuid
from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from http import HTTPStatus
from typing import Any

from .merchants import Merchant
from .records import Attempt, CheckoutRecord, Movement, Store
from .refused import Refused, invalid, not_found, problem, simple, wrong

DECLINED_AMOUNTS = frozenset(map(Decimal, ("11.00", "42.01", "42.76", "42.91")))
"""Totals that SumUp's own sandbox always declines (NOTES.md § 9)."""

PAGE_LIFETIME = timedelta(minutes=30)
OPEN_STATUSES = ("PENDING", "FAILED")


class SandboxClock:
    """The time of the sandbox, which tests can put forward."""

    def __init__(self, base: Callable[[], datetime]) -> None:
        self._base = base
        self._offset = timedelta()

    def __call__(self) -> datetime:
        """Return the time now, in UTC."""
        return self._base() + self._offset

    def forward(self, seconds: float) -> None:
        """Let time pass."""
        self._offset += timedelta(seconds=seconds)


class Bank:
    """All accounts of the sandbox. Every method raises Refused where SumUp would refuse.

    ``by`` is the account whose key asks: it sees nothing of the others. None: the hosted page and the steering see all.
    """

    def __init__(
        self,
        store: Store,
        clock: SandboxClock,
        *,
        notify: Callable[[CheckoutRecord], None],
    ) -> None:
        """Take ``notify``, which is called when an attempt to pay has changed a checkout."""
        self.store = store
        self.clock = clock
        self._notify = notify

    def create(self, values: dict[str, Any], by: Merchant) -> CheckoutRecord:
        """Open a checkout from checked values."""
        _refuse_foreign(values, by)
        self._refuse_spent(values["checkout_reference"])
        record = CheckoutRecord(
            id=str(uuid.uuid4()),
            reference=values["checkout_reference"],
            amount=values["amount"],
            currency=values["currency"],
            merchant_code=values["merchant_code"],
            created_at=self.clock(),
            description=values.get("description", ""),
            return_url=values.get("return_url", ""),
            redirect_url=values.get("redirect_url", ""),
            valid_until=values.get("valid_until"),
            hosted=values.get("hosted_checkout", False),
        )
        self.store.save(record)
        return record

    def get(self, checkout_id: str, by: Merchant | None = None) -> CheckoutRecord:
        """Return a checkout as it is now."""
        record = self.store.get(checkout_id)
        if record is None or not _may_see(record, by):
            raise not_found()
        return self._as_of_now(record)

    def find(self, reference: str | None, by: Merchant | None = None) -> list[CheckoutRecord]:
        """Return the checkouts, or the one with this reference."""
        if reference is None:
            return [self._as_of_now(record) for record in self.store if _may_see(record, by)]
        record = self.store.by_reference(reference)
        if record is None or record.reference != reference or not _may_see(record, by):
            return []
        return [self._as_of_now(record)]

    def update(self, checkout_id: str, values: dict[str, Any], by: Merchant) -> CheckoutRecord:
        """Change an unpaid checkout."""
        record = self._open(checkout_id, by)
        _refuse_foreign(values, by)
        if values.get("checkout_reference", record.reference) != record.reference:
            self._refuse_spent(values["checkout_reference"])
        values = {("reference" if name == "checkout_reference" else name): value for name, value in values.items()}
        changed = record.model_copy(update=values)
        self.store.save(changed)
        return changed

    def deactivate(self, checkout_id: str, by: Merchant | None = None) -> CheckoutRecord:
        """Close an unpaid checkout."""
        record = self._open(checkout_id, by)
        for attempt in record.attempts:
            if attempt.status == "PENDING":
                attempt.status = "CANCELLED"
        record.status = "EXPIRED"
        self.store.save(record)
        return record

    def attempt(
        self, checkout_id: str, *, decline: bool = False, amount: Decimal | None = None, force: bool = False
    ) -> Attempt:
        """Try to pay a checkout. ``force`` pays a closed one: the payment that was under way when it closed."""
        record = self.get(checkout_id) if force else self._open(checkout_id)
        record.amount = record.amount if amount is None else amount
        paid = not decline and record.amount not in DECLINED_AMOUNTS
        attempt = self._new_attempt(record, "SUCCESSFUL" if paid else "FAILED")
        record.attempts.append(attempt)
        record.status = "PAID" if paid else "FAILED"
        record.paid_by = attempt.id if paid else None
        self.store.save(record)
        self._notify(record)
        return attempt

    def transaction(self, merchant_code: str, id_or_code: str) -> tuple[CheckoutRecord, Attempt]:
        """Return an attempt of this merchant, and its checkout."""
        found = self.store.by_attempt(id_or_code)
        if found is None or found[0].merchant_code != merchant_code:
            raise not_found()
        return found

    def history(self, merchant_code: str) -> list[tuple[CheckoutRecord, Attempt]]:
        """Return every attempt of a merchant, oldest first."""
        pairs = [(record, attempt) for record in self.store for attempt in record.attempts]
        return sorted((pair for pair in pairs if pair[0].merchant_code == merchant_code), key=lambda pair: pair[1].at)

    def refund(self, merchant_code: str, attempt_id: str, amount: Decimal | None) -> Movement:
        """Give money back; without an amount, all that is left."""
        record, attempt = self._refundable(merchant_code, attempt_id)
        left = attempt.amount - attempt.refunded
        wanted = left if amount is None else amount
        if wanted > left:
            raise _too_much(left)
        movement = Movement(
            id=secrets.randbelow(10**12), event_type="REFUND", status="REFUNDED", amount=wanted, at=self.clock()
        )
        attempt.movements.append(movement)
        attempt.changed_at = movement.at
        self.store.save(record)
        return movement

    def page_is_open(self, record: CheckoutRecord) -> bool:
        """Tell whether the hosted page still takes payments: it closes after a while though the checkout does not."""
        return record.status in OPEN_STATUSES and self.clock() < record.created_at + PAGE_LIFETIME

    def _open(self, checkout_id: str, by: Merchant | None = None) -> CheckoutRecord:
        """Return a checkout that can still be paid."""
        record = self.get(checkout_id, by)
        if record.status == "PAID":
            raise simple(HTTPStatus.CONFLICT, "CHECKOUT_PROCESSED", "Checkout is already processed")
        if record.status == "EXPIRED":
            raise simple(HTTPStatus.CONFLICT, "CHECKOUT_SESSION_IS_EXPIRED", "Checkout session is expired")
        return record

    def _as_of_now(self, record: CheckoutRecord) -> CheckoutRecord:
        """Let a checkout expire whose time is over."""
        if record.status in OPEN_STATUSES and record.valid_until is not None and record.valid_until <= self.clock():
            record.status = "EXPIRED"
            self.store.save(record)
        return record

    def _refundable(self, merchant_code: str, attempt_id: str) -> tuple[CheckoutRecord, Attempt]:
        """Return an attempt of which something is left to give back."""
        try:
            record, attempt = self.transaction(merchant_code, attempt_id)
        except Refused as refused:
            raise problem(HTTPStatus.NOT_FOUND, "Transaction not found") from refused
        if attempt.status != "SUCCESSFUL" or attempt.refunded >= attempt.amount:
            raise problem(HTTPStatus.CONFLICT, "The transaction is not refundable in its current state")
        return record, attempt

    def _refuse_spent(self, reference: str) -> None:
        """Refuse a reference that was used before, whatever became of it."""
        if self.store.by_reference(reference) is not None:
            message = "Checkout with this checkout reference and pay to email already exists"
            raise simple(HTTPStatus.CONFLICT, "DUPLICATED_CHECKOUT", message)

    def _new_attempt(self, record: CheckoutRecord, status: str) -> Attempt:
        """Make an attempt with an id for programs and a code for people."""
        now = self.clock()
        code = "T" + "".join(secrets.choice(string.ascii_uppercase + string.digits) for _ in range(9))
        return Attempt(id=str(uuid.uuid4()), code=code, amount=record.amount, status=status, at=now, changed_at=now)


def _may_see(record: CheckoutRecord, by: Merchant | None) -> bool:
    """Tell whether a checkout is of the account that asks."""
    return by is None or record.merchant_code == by.code


def _refuse_foreign(values: dict[str, Any], by: Merchant) -> None:
    """Refuse another account's code, and a currency that is not this account's."""
    if values.get("merchant_code", by.code) != by.code:
        raise invalid(wrong("merchant_code", "Validation error"))
    if values.get("currency", by.currency) != by.currency:
        raise invalid(wrong("currency", "Given currency differs from merchant's country currency"))


def _too_much(left: Decimal) -> Refused:
    """Refuse a refund of more than is left; the unit of the limit is not documented, the example reads like pence."""
    error = {
        "code": "INVALID_AMOUNT",
        "detail": "Amount exceeds the refundable amount",
        "reason": "amount_too_high",
        "max_refundable_amount": int(left * 100),
    }
    return problem(HTTPStatus.UNPROCESSABLE_ENTITY, "Refund failed.", errors=[error])
