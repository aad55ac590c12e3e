"""A payment provider in memory, for tests and for apps that run without a network.

It keeps the protocol's promises and can be told to break them the way a network does (``drop_next_answer``,
``drop_next_request``, ``fail_next``, ``stale_next``, ``hide_next``), and to do what a shop has no part in (``race``,
``refund_by_hand``, ``charge_back``, ``take``). The same tests run against it and against the SumUp adapter.
"""

from __future__ import annotations

import uuid
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

from shared.contracts.dtos import (
    Account,
    CancelOutcome,
    Checkout,
    CheckoutRequest,
    CheckoutStatus,
    HistoryItem,
    HistoryPage,
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

from .gateway_trouble import Race, Trouble

LONGEST_REFERENCE = 64
OPEN = (CheckoutStatus.PENDING, CheckoutStatus.FAILED)


class FakeGateway(PaymentGateway):
    """The PaymentGateway protocol in memory. ``calls`` counts the calls that reached it, by operation."""

    def __init__(
        self,
        *,
        merchant_code: str = "MSANDBOX",
        currency: str = "GBP",
        clock: Clock = lambda: datetime.now(UTC),
        page_origin: str = "http://localhost:8010",
        history_length: int = 100,
    ) -> None:
        """Take the one merchant, its currency, where its hosted page would be, and how long a page of its record is."""
        self.merchant_code = merchant_code
        self.currency = currency
        self.calls: Counter[str] = Counter()
        self._clock = clock
        self._page_origin = page_origin
        self._checkouts: dict[str, Checkout] = {}
        self._transactions: dict[str, Transaction] = {}
        self._checkouts_before: dict[str, Checkout] = {}
        self._transactions_before: dict[str, Transaction] = {}
        self._changed_at: dict[str, datetime] = {}
        self._at_reader: set[str] = set()
        self._history_length = history_length
        self._trouble = Trouble()

    # --- the protocol ---

    async def create(self, attempt: CheckoutRequest) -> Checkout:
        """Open a checkout, or return the one that this very attempt opened before."""
        self._begin("create")
        self._swallow("create")
        self._refuse(attempt)
        checkout = self._by_reference(attempt.reference)
        if checkout is None:
            checkout = self._opened(attempt)
            self._keep(checkout)
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
        if self._trouble.is_stale("get"):
            return self._earlier(checkout)
        return checkout

    async def find(self, reference: str) -> Checkout | None:
        """Return the checkout of a reference, or None."""
        self._begin("find")
        checkout = self._by_reference(reference)
        self._lose_read("find")
        if checkout is not None and self._trouble.is_stale("find"):
            return self._checkouts_before.get(checkout.id)
        return checkout

    async def cancel(self, checkout_id: str) -> CancelOutcome:
        """Deactivate a checkout. Where the answer is lost it is looked at again, as the real adapter does."""
        refuse_inside_transaction()
        self._known(checkout_id)
        self._begin("cancel")
        race = self._trouble.races.pop(checkout_id, None)
        if race == "payment_first":
            self.pay(checkout_id)
        checkout = self._known(checkout_id)
        if checkout.status is CheckoutStatus.PAID:
            return CancelOutcome.ALREADY_PAID
        if checkout.status is CheckoutStatus.EXPIRED:
            return CancelOutcome.ALREADY_CLOSED
        self._swallow("cancel")
        self._keep(replace(checkout, status=CheckoutStatus.EXPIRED))
        if race == "payment_last":
            self.pay(checkout_id, force=True)
        if not self._trouble.drops("cancel"):
            return CancelOutcome.CANCELLED
        paid = self._known(checkout_id).status is CheckoutStatus.PAID
        return CancelOutcome.ALREADY_PAID if paid else CancelOutcome.ALREADY_CLOSED

    async def transaction(self, transaction_id: str, merchant_code: str) -> Transaction | None:
        """Return a transaction with its refunds, or None."""
        self._begin("transaction")
        self._lose_read("transaction")
        transaction = self._transactions.get(transaction_id) if merchant_code == self.merchant_code else None
        if transaction is None or self._trouble.finds_nothing():
            return None
        stale = self._trouble.is_stale("transaction")
        return self._transactions_before.get(transaction_id) if stale else transaction

    async def history(self, merchant_code: str, *, since: datetime, following: str | None = None) -> HistoryPage:
        """Return a page of the account's transactions."""
        self._begin("history")
        self._lose_read("history")
        if merchant_code != self.merchant_code:
            raise GatewayNotFound("NOT_FOUND")
        ids = list(self._transactions)
        ids = ids[ids.index(following) + 1 :] if following else ids
        ids = [name for name in ids if self._changed_at[name] >= since]
        page = ids[: self._history_length]
        more = len(ids) > len(page)
        return HistoryPage(tuple(self._history_item(name) for name in page), page[-1] if more else None)

    async def refund(self, transaction_id: str, merchant_code: str, amount: Decimal) -> RefundAnswer:
        """Ask for a refund, once."""
        self._begin("refund")
        transaction = self._transactions.get(transaction_id) if merchant_code == self.merchant_code else None
        refusal = _refusal_of_refund(transaction, amount)
        if transaction is None or refusal is not None:
            return refusal or RefundAnswer(RefundOutcome.REJECTED, "NOT_FOUND", "Transaction not found")
        if self._trouble.refund_refusal:
            return RefundAnswer(RefundOutcome.REJECTED, "CONFLICT", self._trouble.refund_refusal)
        if self._trouble.swallows("refund"):
            return RefundAnswer(RefundOutcome.UNKNOWN, "ANSWER_LOST", "The request was lost.")
        self._move_back(transaction, amount, self._trouble.refund_status)
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

    def pay(
        self, checkout_id: str, *, amount: Decimal | None = None, currency: str | None = None, force: bool = False
    ) -> Transaction:
        """Pay a checkout, as a shopper on the hosted page would; ``force`` pays one that is closed already."""
        checkout = self._known(checkout_id)
        if checkout.status not in OPEN and not force:
            raise GatewayConflict("CHECKOUT_PROCESSED")
        checkout = replace(checkout, amount=amount or checkout.amount, currency=currency or checkout.currency)
        paid = not self._trouble.declines
        self._trouble.declines -= 0 if paid else 1
        transaction = self._new_transaction(checkout.amount, checkout.currency, checkout.reference, captured=paid)
        if checkout.transaction_id is None:
            self._keep(
                replace(
                    checkout,
                    status=CheckoutStatus.PAID if paid else CheckoutStatus.FAILED,
                    transaction_id=transaction.id if paid else None,
                    transaction_code=transaction.code if paid else None,
                )
            )
        return transaction

    def take(self, amount: Decimal, *, at_reader: bool = False) -> Transaction:
        """Take a payment that belongs to no checkout of ours: by a link from the dashboard, or at a card reader."""
        taken = self._new_transaction(amount, self.currency, "", captured=True)
        if at_reader:
            self._at_reader.add(taken.id)
        return taken

    def refund_by_hand(self, transaction_id: str, amount: Decimal) -> None:
        """Refund money in the provider's dashboard."""
        self._move_back(self._transactions[transaction_id], amount, MovementStatus.DONE)

    def charge_back(self, transaction_id: str, amount: Decimal | None = None) -> None:
        """Let the buyer's bank take money back: all that is left, or a part."""
        transaction = self._transactions[transaction_id]
        movement = Movement(str(uuid.uuid4()), amount or transaction.left, MovementStatus.DONE)
        self._change(replace(transaction, chargebacks=(*transaction.chargebacks, movement)))

    def race(self, checkout_id: str, order: Race) -> None:
        """Let the next attempt to deactivate a checkout meet a payment, just before it or just after."""
        self._trouble.races[checkout_id] = order

    def decline_next(self) -> None:
        """Let the next ``pay`` be declined."""
        self._trouble.declines += 1

    def drop_next_answer(self, operation: str = "any", times: int = 1) -> None:
        """Let the next calls of this operation take effect, and their answers be lost."""
        self._trouble.dropped[operation] += times

    def drop_next_request(self, operation: str = "any", times: int = 1) -> None:
        """Let the next calls of this operation look as if their answers were lost, though they never arrived."""
        self._trouble.swallowed[operation] += times

    def stale_next(self, operation: str, times: int = 1) -> None:
        """Let the next reads show what was before the last change: ``get``, ``find`` or ``transaction``."""
        self._trouble.stale[operation] += times

    def hide_next(self, times: int = 1) -> None:
        """Let the next reads of a transaction find nothing, as happens just after a payment."""
        self._trouble.missing += times

    def fail_next(self, error: GatewayError, operation: str = "any", times: int = 1) -> None:
        """Let the next calls of this operation raise ``error`` and have no effect."""
        self._trouble.errors.setdefault(operation, []).extend([error] * times)

    def fail_after(self, calls: int, error: GatewayError, operation: str) -> None:
        """Let so many calls of this operation go well, and the one after them raise ``error``."""
        self._trouble.errors.setdefault(operation, []).extend([None] * calls + [error])

    def change(self, checkout_id: str, *, amount: Decimal) -> None:
        """Let a checkout be another one than was asked for."""
        self._keep(replace(self._known(checkout_id), amount=amount))

    def forget(self, reference: str) -> None:
        """Let a checkout never have been made: a request that was lost on its way."""
        self._checkouts = {key: one for key, one in self._checkouts.items() if one.reference != reference}

    def hold_refunds(self, *, hold: bool = True) -> None:
        """Let refunds from now on be accepted and stay under way until ``settle_refund``; or no longer."""
        self._trouble.refund_status = MovementStatus.UNDER_WAY if hold else MovementStatus.DONE

    def refuse_refunds(self, reason: str) -> None:
        """Let refunds from now on be refused; an empty reason ends that."""
        self._trouble.refund_refusal = reason

    def settle_refund(self, transaction_id: str, status: MovementStatus, *, which: int = -1) -> None:
        """Change what became of a transaction's last refund, or of another one."""
        transaction = self._transactions[transaction_id]
        refunds = list(transaction.refunds)
        refunds[which] = replace(refunds[which], status=status)
        self._change(replace(transaction, refunds=tuple(refunds)))

    # --- inside ---

    def _begin(self, operation: str) -> None:
        """Do what every call begins with."""
        refuse_inside_transaction()
        self.calls[operation] += 1
        self._trouble.raise_before(operation)

    def _swallow(self, operation: str) -> None:
        """Lose a write on its way, if that was ordered."""
        if self._trouble.swallows(operation):
            raise GatewayUnknown(f"{operation}: the request was lost")

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

    def _new_transaction(self, amount: Decimal, currency: str, reference: str, *, captured: bool) -> Transaction:
        """Write a new transaction down."""
        code = f"T{uuid.uuid4().hex[:9].upper()}"
        made = Transaction(str(uuid.uuid4()), code, amount, currency, captured, reference=reference)
        self._change(made)
        return made

    def _move_back(self, transaction: Transaction, amount: Decimal, status: MovementStatus) -> None:
        """Write a refund down."""
        movement = Movement(str(uuid.uuid4()), amount, status)
        self._change(replace(transaction, refunds=(*transaction.refunds, movement)))

    def _change(self, transaction: Transaction) -> None:
        """Keep a new or changed transaction, and what it was before."""
        before = self._transactions.get(transaction.id)
        if before is not None:
            self._transactions_before[transaction.id] = before
        self._transactions[transaction.id] = transaction
        self._changed_at[transaction.id] = self._clock()

    def _keep(self, checkout: Checkout) -> None:
        """Keep a new or changed checkout, and what it was before."""
        before = self._checkouts.get(checkout.id)
        if before is not None:
            self._checkouts_before[checkout.id] = before
        self._checkouts[checkout.id] = checkout

    def _earlier(self, checkout: Checkout) -> Checkout:
        """Return a checkout as it was before its last change."""
        before = self._checkouts_before.get(checkout.id)
        if before is None:
            raise GatewayNotFound("NOT_FOUND")
        return before

    def _history_item(self, transaction_id: str) -> HistoryItem:
        """Return a transaction as the list of all of them has it."""
        one = self._transactions[transaction_id]
        at = self._changed_at[transaction_id]
        online = transaction_id not in self._at_reader
        return HistoryItem(one.id, one.code, one.amount, one.currency, captured=one.captured, at=at, online=online)

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
    left = transaction.left
    if not transaction.captured or left <= 0:
        reason = "The transaction is not refundable in its current state"
        return RefundAnswer(RefundOutcome.REJECTED, "CONFLICT", reason)
    if amount > left:
        reason = "Refund failed. Amount exceeds the refundable amount"
        return RefundAnswer(RefundOutcome.REJECTED, "INVALID_AMOUNT", reason)
    return None
