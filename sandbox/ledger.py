"""What becomes of money after a payment: refunds, chargebacks, payouts, and the record of all of it.

Here too is what a shop has no part in: refunds made in SumUp's dashboard, and payments by
a link or at a card reader.
"""

from __future__ import annotations

import secrets
import uuid
from collections import deque
from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from http import HTTPStatus
from typing import Literal

from .merchants import Merchant
from .records import CheckoutRecord, MovementRecord, Store, TransactionRecord, new_attempt
from .refused import Refused, not_found, problem

Manner = Literal["pending", "too_early", "balance", "processor"]
TakenBy = Literal["ECOM", "POS"]
Settled = Literal["REFUNDED", "FAILED"]


class Ledger:
    """The transactions of all accounts. Every method raises Refused where SumUp would refuse."""

    def __init__(self, store: Store, clock: Callable[[], datetime]) -> None:
        self._store = store
        self._clock = clock
        self._manners: deque[Manner] = deque()

    def transaction(self, merchant_code: str | None, id_or_code: str) -> tuple[CheckoutRecord, TransactionRecord]:
        """Return an attempt of this merchant (None: of any), and its checkout."""
        found = self._store.by_attempt(id_or_code)
        if found is None or merchant_code not in {None, found[0].merchant_code}:
            raise not_found()
        return found

    def history(self, merchant_code: str) -> list[tuple[CheckoutRecord, TransactionRecord]]:
        """Return every attempt of a merchant, oldest first."""
        pairs = [(record, attempt) for record in self._store for attempt in record.attempts]
        return sorted((pair for pair in pairs if pair[0].merchant_code == merchant_code), key=lambda pair: pair[1].at)

    def refund(self, merchant_code: str, attempt_id: str, amount: Decimal | None) -> MovementRecord:
        """Refund in the manner that was ordered; without an amount, all that is left."""
        record, attempt, wanted = self._part(merchant_code, attempt_id, amount)
        # Only after the checks of ``_part``: a refund that is wrong in itself uses up no ordered manner.
        manner = self._manners.popleft() if self._manners else None
        if manner not in {None, "pending"}:
            raise _refusal(manner)
        return self._move(record, attempt, "REFUND", "REFUNDED" if manner is None else "PENDING", wanted)

    def refund_by_hand(self, attempt_id: str, amount: Decimal | None) -> MovementRecord:
        """Refund in the dashboard: the shop is not told."""
        record, attempt, wanted = self._part(None, attempt_id, amount)
        return self._move(record, attempt, "REFUND", "REFUNDED", wanted)

    def order(self, manner: Manner, times: int) -> None:
        """Let the next refunds go otherwise: stay pending, or be refused."""
        self._manners.extend([manner] * times)

    def settle_refunds(self, attempt_id: str, status: Settled) -> TransactionRecord:
        """Let the pending refunds of a transaction come to their end, one way or the other."""
        record, attempt = self.transaction(None, attempt_id)
        for movement in attempt.movements:
            if movement.event_type == "REFUND" and movement.status == "PENDING":
                movement.status = status
        self._changed(record, attempt)
        return attempt

    def charge_back(self, attempt_id: str, amount: Decimal | None) -> MovementRecord:
        """Let the buyer's bank take the money back, all of it or a part, whatever the shop says."""
        record, attempt, wanted = self._part(None, attempt_id, amount)
        return self._move(record, attempt, "CHARGE_BACK", "SUCCESSFUL", wanted)

    def pay_out(self, attempt_id: str) -> MovementRecord:
        """Send what is left of a payment to the merchant's bank."""
        record, attempt, left = self._part(None, attempt_id, None)
        return self._move(record, attempt, "PAYOUT", "PAID_OUT", left)

    def take(self, merchant: Merchant, amount: Decimal, payment_type: TakenBy = "ECOM") -> TransactionRecord:
        """Take a payment that no shop has heard of: by a link from the dashboard, or (``POS``) at a card reader."""
        now = self._clock()
        record = CheckoutRecord(
            id=str(uuid.uuid4()),
            # Every record needs a reference of its own; this is one that no shop makes.
            reference=f"apart-{uuid.uuid4()}",
            amount=amount,
            currency=merchant.currency,
            merchant_code=merchant.code,
            created_at=now,
            description="Card reader" if payment_type == "POS" else "Payment link",
            status="PAID",
            apart=True,
            payment_type=payment_type,
        )
        attempt = new_attempt(record, "SUCCESSFUL", now)
        record.paid_by = attempt.id
        record.attempts.append(attempt)
        self._store.save(record)
        return attempt

    def clear(self) -> None:
        """Forget how refunds were to go."""
        self._manners.clear()

    def _move(
        self, record: CheckoutRecord, attempt: TransactionRecord, event: str, status: str, amount: Decimal
    ) -> MovementRecord:
        movement = MovementRecord(
            id=secrets.randbelow(10**12), event_type=event, status=status, amount=amount, at=self._clock()
        )
        attempt.movements.append(movement)
        self._changed(record, attempt)
        return movement

    def _changed(self, record: CheckoutRecord, attempt: TransactionRecord) -> None:
        # ``changes_since`` goes by this: a refund of an old payment has to come up when the history is read again.
        attempt.changed_at = self._clock()
        self._store.save(record)

    def _part(
        self, merchant_code: str | None, attempt_id: str, amount: Decimal | None
    ) -> tuple[CheckoutRecord, TransactionRecord, Decimal]:
        try:
            record, attempt = self.transaction(merchant_code, attempt_id)
        # The refund's address answers in another shape than the reads do, for the same missing id (docs/sumup.md § 8).
        except Refused as refused:
            raise problem(HTTPStatus.NOT_FOUND, "Transaction not found") from refused
        if attempt.status != "SUCCESSFUL" or attempt.left <= 0:
            raise _not_refundable()
        wanted = attempt.left if amount is None else amount
        if wanted > attempt.left:
            raise _too_much(attempt.left)
        return record, attempt, wanted


def _refusal(manner: Manner | None) -> Refused:
    """Refuse a refund that is right in itself; of these answers only the first is documented to the letter."""
    if manner == "balance":
        return problem(HTTPStatus.CONFLICT, "Not enough balance.", error_code="NOT_ENOUGH_BALANCE")
    if manner == "processor":
        return _refund_failed({"code": "PROCESSOR_DECLINED", "detail": "Declined by the processor"})
    return _not_refundable()


def _not_refundable() -> Refused:
    return problem(HTTPStatus.CONFLICT, "The transaction is not refundable in its current state")


def _refund_failed(error: dict[str, object]) -> Refused:
    return problem(HTTPStatus.UNPROCESSABLE_ENTITY, "Refund failed.", errors=[error])


def _too_much(left: Decimal) -> Refused:
    """Refuse a refund of more than is left; the unit of the limit is not documented, the example reads like pence."""
    detail = "Amount exceeds the refundable amount"
    error = {"code": "INVALID_AMOUNT", "detail": detail, "reason": "amount_too_high"}
    return _refund_failed(error | {"max_refundable_amount": int(left * 100)})
