"""What SumUp does with checkouts and attempts to pay them. No HTTP here: routes, pages and steering all call this."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from http import HTTPStatus
from typing import Any, Literal

from .merchants import Merchant
from .records import CheckoutRecord, Store, TransactionRecord, new_attempt
from .refused import invalid, not_found, simple, wrong

DECLINED_AMOUNTS = frozenset(map(Decimal, ("11.00", "42.01", "42.76", "42.91")))
"""Totals that SumUp's own sandbox always declines (docs/sumup.md § 9)."""

PAGE_LIFETIME = timedelta(minutes=30)
OPEN_STATUSES = ("PENDING", "FAILED")
Race = Literal["payment_first", "payment_last"]


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
        # By checkout: a payment that is ordered to meet the next DELETE; one DELETE takes it away.
        self.races: dict[str, Race] = {}

    def create(self, values: dict[str, Any], by: Merchant) -> CheckoutRecord:
        """Open a checkout from values that ``checking`` has read."""
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
        # The index still knows references that an update has replaced; those stay spent, but are found no more.
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
        """Close an unpaid checkout; a payment that was ordered to race it lands before or after."""
        # Taken off before anything can refuse: a race that was ordered once must not wait for a later DELETE.
        race = self.races.pop(self.get(checkout_id, by).id, None)
        if race == "payment_first":
            self.attempt(checkout_id)
        record = self._open(checkout_id, by)
        for attempt in record.attempts:
            if attempt.status == "PENDING":
                attempt.status, attempt.changed_at = "CANCELLED", self.clock()
        record.status = "EXPIRED"
        self.store.save(record)
        # Copied before the late payment lands: the answer to this DELETE says EXPIRED though money is about to arrive.
        closed = record.model_copy(deep=True)
        if race == "payment_last":
            self.attempt(checkout_id, force=True)
        return closed

    def begin(self, checkout_id: str) -> TransactionRecord:
        """Begin an attempt that is not decided yet: a buyer before their bank's page."""
        record = self._open(checkout_id)
        attempt = new_attempt(record, "PENDING", self.clock())
        record.attempts.append(attempt)
        self.store.save(record)
        return attempt

    def attempt(
        self,
        checkout_id: str,
        *,
        decline: bool = False,
        amount: Decimal | None = None,
        currency: str | None = None,
        force: bool = False,
    ) -> TransactionRecord:
        """Try to pay a checkout, or finish the attempt that was begun.

        ``force`` pays a closed one (the payment that was under way when it closed), and a paid one a second time.
        """
        record = self.get(checkout_id) if force else self._open(checkout_id)
        # The page cannot do this. It is how a test gets a payment that differs from what was asked (docs/money.md,
        # promise 4).
        record.amount = record.amount if amount is None else amount
        record.currency = record.currency if currency is None else currency
        paid = not decline and record.amount not in DECLINED_AMOUNTS
        attempt = self._under_way(record)
        attempt.amount, attempt.status = record.amount, "SUCCESSFUL" if paid else "FAILED"
        attempt.changed_at = self.clock()
        self._decide(record, attempt)
        self.store.save(record)
        self._notify(record)
        return attempt

    def page_is_open(self, record: CheckoutRecord) -> bool:
        """Tell whether the hosted page still takes payments: it closes after a while though the checkout does not."""
        return record.status in OPEN_STATUSES and self.clock() < record.created_at + PAGE_LIFETIME

    def _under_way(self, record: CheckoutRecord) -> TransactionRecord:
        waiting = [attempt for attempt in record.attempts if attempt.status == "PENDING"]
        if not waiting:
            record.attempts.append(new_attempt(record, "PENDING", self.clock()))
        return waiting[-1] if waiting else record.attempts[-1]

    def _decide(self, record: CheckoutRecord, attempt: TransactionRecord) -> None:
        # A second payment changes nothing in the checkout: only the history shows that it was paid twice.
        if record.paid_by is not None:
            return
        paid = attempt.status == "SUCCESSFUL"
        # FAILED is not final: the same checkout can be tried again (docs/sumup.md § 4).
        record.status = "PAID" if paid else "FAILED"
        record.paid_by = attempt.id if paid else None

    def _open(self, checkout_id: str, by: Merchant | None = None) -> CheckoutRecord:
        record = self.get(checkout_id, by)
        if record.status == "PAID":
            raise simple(HTTPStatus.CONFLICT, "CHECKOUT_PROCESSED", "Checkout is already processed")
        if record.status == "EXPIRED":
            raise simple(HTTPStatus.CONFLICT, "CHECKOUT_SESSION_IS_EXPIRED", "Checkout session is expired")
        return record

    def _as_of_now(self, record: CheckoutRecord) -> CheckoutRecord:
        # Nobody is told of an expiry: like the service, we find it when somebody looks (docs/sumup.md § 6).
        if record.status in OPEN_STATUSES and record.valid_until is not None and record.valid_until <= self.clock():
            record.status = "EXPIRED"
            self.store.save(record)
        return record

    def _refuse_spent(self, reference: str) -> None:
        # Also that of a checkout long closed: a reference is spent for ever (docs/sumup.md § 2).
        if self.store.by_reference(reference) is not None:
            # SumUp's own words. A shop must go by the code: they speak of an e-mail address that nobody has sent.
            message = "Checkout with this checkout reference and pay to email already exists"
            raise simple(HTTPStatus.CONFLICT, "DUPLICATED_CHECKOUT", message)


def _may_see(record: CheckoutRecord, by: Merchant | None) -> bool:
    # What was paid by a link or at a card reader has no checkout of a shop: only the history of transactions shows it.
    return by is None or (record.merchant_code == by.code and not record.apart)


def _refuse_foreign(values: dict[str, Any], by: Merchant) -> None:
    if values.get("merchant_code", by.code) != by.code:
        raise invalid(wrong("merchant_code", "Validation error"))
    if values.get("currency", by.currency) != by.currency:
        raise invalid(wrong("currency", "Given currency differs from merchant's country currency"))
