"""A payment provider in memory, for tests and for apps that run without a network.

It keeps the protocol's promises and can be told to break them the way a network does: ``decline_next``,
``drop_next_answer``, ``fail_next``. The same tests run against it and against the SumUp adapter.
"""

from __future__ import annotations

import uuid
from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from decimal import Decimal

from shared.contracts.dtos import (
    Account,
    CancelOutcome,
    Checkout,
    CheckoutRequest,
    CheckoutStatus,
    Movement,
    MovementStatus,
    RefundAnswer,
    RefundOutcome,
    Transaction,
)
from shared.contracts.errors import (
    GatewayConflict,
    GatewayError,
    GatewayNotFound,
    GatewayUnavailable,
    GatewayUnknown,
    Rejected,
)
from shared.contracts.money import CENT
from shared.contracts.protocols import Clock, PaymentGateway
from shared.db.guard import refuse_inside_transaction

LONGEST_REFERENCE = 64
OPEN = (CheckoutStatus.PENDING, CheckoutStatus.FAILED)


@dataclass(slots=True)
class _Trouble:
    """What is to go wrong next, by operation; the operation ``any`` is each of them."""

    dropped: Counter[str] = field(default_factory=Counter)
    errors: dict[str, list[GatewayError | None]] = field(default_factory=dict)
    declines: int = 0
    refund_status: MovementStatus = MovementStatus.DONE
    refund_refusal: str = ""

    def raise_before(self, operation: str) -> None:
        """Raise what was ordered for this operation."""
        for name in (operation, "any"):
            error = self.errors[name].pop(0) if self.errors.get(name) else None
            if error is not None:
                raise error

    def drops(self, operation: str) -> bool:
        """Tell whether the answer of this operation is to be lost, once for each order."""
        for name in (operation, "any"):
            if self.dropped[name]:
                self.dropped[name] -= 1
                return True
        return False


class FakeGateway(PaymentGateway):
    """The PaymentGateway protocol in memory. ``calls`` counts the calls that reached it, by operation."""

    def __init__(
        self,
        *,
        merchant_code: str = "MSANDBOX",
        currency: str = "GBP",
        clock: Clock = lambda: datetime.now(UTC),
        page_origin: str = "http://localhost:8010",
    ) -> None:
        """Take the one merchant, its currency, and where its hosted page would be."""
        self.merchant_code = merchant_code
        self.currency = currency
        self.calls: Counter[str] = Counter()
        self._clock = clock
        self._page_origin = page_origin
        self._checkouts: dict[str, Checkout] = {}
        self._transactions: dict[str, Transaction] = {}
        self._trouble = _Trouble()

    # --- the protocol ---

    async def create(self, attempt: CheckoutRequest) -> Checkout:
        """Open a checkout, or return the one that this very attempt opened before."""
        self._begin("create")
        self._refuse(attempt)
        checkout = self._by_reference(attempt.reference)
        if checkout is None:
            checkout = self._opened(attempt)
            self._checkouts[checkout.id] = checkout
        elif checkout.status is not CheckoutStatus.PENDING or _terms(checkout) != _terms(attempt):
            raise GatewayConflict("reference_spent")
        self._lose("create")
        return checkout

    async def get(self, checkout_id: str) -> Checkout:
        """Return a checkout."""
        refuse_inside_transaction()
        self._known(checkout_id)
        self._begin("get")
        checkout = self._known(checkout_id)
        self._lose_read("get")
        return checkout

    async def find(self, reference: str) -> Checkout | None:
        """Return the checkout of a reference, or None."""
        self._begin("find")
        checkout = self._by_reference(reference)
        self._lose_read("find")
        return checkout

    async def cancel(self, checkout_id: str) -> CancelOutcome:
        """Deactivate a checkout. Where the answer is lost it is looked at again, as the real adapter does."""
        refuse_inside_transaction()
        self._known(checkout_id)
        self._begin("cancel")
        checkout = self._known(checkout_id)
        if checkout.status is CheckoutStatus.PAID:
            return CancelOutcome.ALREADY_PAID
        if checkout.status is CheckoutStatus.EXPIRED:
            return CancelOutcome.ALREADY_CLOSED
        self._checkouts[checkout.id] = replace(checkout, status=CheckoutStatus.EXPIRED)
        return CancelOutcome.ALREADY_CLOSED if self._trouble.drops("cancel") else CancelOutcome.CANCELLED

    async def transaction(self, transaction_id: str, merchant_code: str) -> Transaction | None:
        """Return a transaction with its refunds, or None."""
        self._begin("transaction")
        self._lose_read("transaction")
        return self._transactions.get(transaction_id) if merchant_code == self.merchant_code else None

    async def refund(self, transaction_id: str, merchant_code: str, amount: Decimal) -> RefundAnswer:
        """Ask for a refund, once."""
        self._begin("refund")
        transaction = self._transactions.get(transaction_id) if merchant_code == self.merchant_code else None
        refusal = _refusal_of_refund(transaction, amount)
        if transaction is None or refusal is not None:
            return refusal or RefundAnswer(RefundOutcome.REJECTED, "NOT_FOUND", "Transaction not found")
        if self._trouble.refund_refusal:
            return RefundAnswer(RefundOutcome.REJECTED, "CONFLICT", self._trouble.refund_refusal)
        movement = Movement(str(uuid.uuid4()), amount, self._trouble.refund_status)
        self._transactions[transaction_id] = replace(transaction, refunds=(*transaction.refunds, movement))
        if self._trouble.drops("refund"):
            return RefundAnswer(RefundOutcome.UNKNOWN, "ANSWER_LOST", "The answer was lost.")
        return RefundAnswer(RefundOutcome.ACCEPTED)

    async def check_account(self, merchant_code: str) -> Account:
        """Return the account."""
        self._begin("account")
        if merchant_code != self.merchant_code:
            raise GatewayNotFound("NOT_FOUND")
        return Account(merchant_code, "Sandbox shop", self.currency, sandbox=True)

    # --- what a shopper, or bad luck, does ---

    def pay(self, checkout_id: str, *, amount: Decimal | None = None, force: bool = False) -> Transaction:
        """Pay a checkout, as a shopper on the hosted page would; ``force`` pays one that is closed already."""
        checkout = self._known(checkout_id)
        if checkout.status not in OPEN and not force:
            raise GatewayConflict("CHECKOUT_PROCESSED")
        charged = checkout.amount if amount is None else amount
        paid = not self._trouble.declines
        self._trouble.declines -= 0 if paid else 1
        code = f"T{uuid.uuid4().hex[:9].upper()}"
        transaction = Transaction(str(uuid.uuid4()), code, charged, checkout.currency, captured=paid)
        self._transactions[transaction.id] = transaction
        self._checkouts[checkout.id] = replace(
            checkout,
            status=CheckoutStatus.PAID if paid else CheckoutStatus.FAILED,
            amount=charged,
            transaction_id=transaction.id if paid else None,
            transaction_code=code if paid else None,
        )
        return transaction

    def decline_next(self) -> None:
        """Let the next ``pay`` be declined."""
        self._trouble.declines += 1

    def drop_next_answer(self, operation: str = "any") -> None:
        """Let the next call of this operation take effect, and its answer be lost."""
        self._trouble.dropped[operation] += 1

    def fail_next(self, error: GatewayError, operation: str = "any") -> None:
        """Let the next call of this operation raise ``error`` and have no effect."""
        self._trouble.errors.setdefault(operation, []).append(error)

    def fail_after(self, calls: int, error: GatewayError, operation: str) -> None:
        """Let so many calls of this operation go well, and the one after them raise ``error``."""
        self._trouble.errors.setdefault(operation, []).extend([None] * calls + [error])

    def change(self, checkout_id: str, *, amount: Decimal) -> None:
        """Let a checkout be another one than was asked for."""
        self._checkouts[checkout_id] = replace(self._known(checkout_id), amount=amount)

    def forget(self, reference: str) -> None:
        """Let a checkout never have been made: a request that was lost on its way."""
        self._checkouts = {key: one for key, one in self._checkouts.items() if one.reference != reference}

    def hold_refunds(self) -> None:
        """Let refunds from now on be accepted and stay under way until ``settle_refund``."""
        self._trouble.refund_status = MovementStatus.UNDER_WAY

    def refuse_refunds(self, reason: str) -> None:
        """Let refunds from now on be refused."""
        self._trouble.refund_refusal = reason

    def settle_refund(self, transaction_id: str, status: MovementStatus) -> None:
        """Change what became of a transaction's last refund."""
        transaction = self._transactions[transaction_id]
        last = replace(transaction.refunds[-1], status=status)
        self._transactions[transaction_id] = replace(transaction, refunds=(*transaction.refunds[:-1], last))

    # --- inside ---

    def _begin(self, operation: str) -> None:
        """Do what every call begins with."""
        refuse_inside_transaction()
        self.calls[operation] += 1
        self._trouble.raise_before(operation)

    def _lose(self, operation: str) -> None:
        """Lose the answer to a write, if that was ordered."""
        if self._trouble.drops(operation):
            raise GatewayUnknown(f"{operation}: the answer was lost")

    def _lose_read(self, operation: str) -> None:
        """Lose the answer to a read, if that was ordered."""
        if self._trouble.drops(operation):
            raise GatewayUnavailable(f"{operation}: the answer was lost")

    def _refuse(self, attempt: CheckoutRequest) -> None:
        """Refuse what the provider refuses."""
        wrong = [
            ("checkout_reference", not 0 < len(attempt.reference) <= LONGEST_REFERENCE),
            ("amount", attempt.amount <= 0 or attempt.amount != attempt.amount.quantize(CENT)),
            ("currency", attempt.currency != self.currency),
            ("merchant_code", attempt.merchant_code != self.merchant_code),
            ("valid_until", attempt.valid_until.tzinfo is None),
        ]
        params = tuple(name for name, is_wrong in wrong if is_wrong)
        if params:
            raise Rejected("INVALID", params)

    def _opened(self, attempt: CheckoutRequest) -> Checkout:
        """Return a new checkout for this attempt."""
        checkout_id = str(uuid.uuid4())
        return Checkout(
            id=checkout_id,
            reference=attempt.reference,
            status=CheckoutStatus.PENDING,
            amount=attempt.amount,
            currency=attempt.currency,
            merchant_code=attempt.merchant_code,
            hosted_url=f"{self._page_origin}/pay/{checkout_id}",
            valid_until=attempt.valid_until,
        )

    def _known(self, checkout_id: str) -> Checkout:
        """Return a checkout as it is now."""
        checkout = self._checkouts.get(checkout_id)
        if checkout is None:
            raise GatewayNotFound("NOT_FOUND")
        if checkout.status in OPEN and checkout.valid_until is not None and checkout.valid_until <= self._clock():
            checkout = self._checkouts[checkout_id] = replace(checkout, status=CheckoutStatus.EXPIRED)
        return checkout

    def _by_reference(self, reference: str) -> Checkout | None:
        """Return the checkout of a reference as it is now."""
        ids = [checkout.id for checkout in self._checkouts.values() if checkout.reference == reference]
        return self._known(ids[0]) if ids else None


def _terms(thing: Checkout | CheckoutRequest) -> tuple[Decimal, str, str]:
    """Return what must be the same for a repeated attempt."""
    return thing.amount, thing.currency, thing.merchant_code


def _refusal_of_refund(transaction: Transaction | None, amount: Decimal) -> RefundAnswer | None:
    """Return the provider's refusal of a refund, or None."""
    if amount <= 0:
        return RefundAnswer(RefundOutcome.REJECTED, "INVALID", "amount must be greater than zero")
    if transaction is None:
        return RefundAnswer(RefundOutcome.REJECTED, "NOT_FOUND", "Transaction not found")
    left = transaction.amount - transaction.refunded
    if not transaction.captured or left <= 0:
        reason = "The transaction is not refundable in its current state"
        return RefundAnswer(RefundOutcome.REJECTED, "CONFLICT", reason)
    if amount > left:
        reason = "Refund failed. Amount exceeds the refundable amount"
        return RefundAnswer(RefundOutcome.REJECTED, "INVALID_AMOUNT", reason)
    return None
