"""Reconcile an account's history at the provider: write down what we did not know (docs/money.md, promises 3 and 7).

Of each payment over the internet that changed since the last time: is it one of ours, do we know that it is paid, and
has its money moved without us? Whatever is repeated finds nothing new; what cannot be decided yet is reconciled again.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import structlog
from sqlalchemy import func, or_, select
from sqlalchemy.dialects.postgresql import insert

from cart.payments.late_transaction import LateTransaction, keep_transaction
from cart.payments.second_payment import keep_second_payment
from cart.payments.settle import fulfil, is_settled_elsewhere, settle
from cart.refunds.refund import settle_refund
from cart.wiring import PaymentContext
from shared.contracts.dtos import HistoryItem, HistoryPage, Transaction
from shared.contracts.protocols import PaymentGateway
from shared.contracts.states import REFUND_IN_FLIGHT, FindingKind, PaymentState
from shared.db.uow import unit_of_work
from shared.models import Payment, ProviderWalk, Refund
from shared.payments.record import history_pages

from .elsewhere import compare
from .findings import note_finding

OVERLAP = timedelta(days=1)
"""How much of the last reconciliation is reconciled again: an entry may appear late, and clocks differ."""
MISSING_FOR = timedelta(days=1)
"""How long a transaction of the list may be unknown by itself (docs/sumup.md § 5), before it counts without details."""
_log = structlog.get_logger("maypole.reconcile")


@dataclass(frozen=True, slots=True)
class Reconciled:
    """What came of it: entries seen, payments of ours settled by it, new findings, and what is undecided."""

    merchant_code: str
    entries: int = 0
    settled: int = 0
    found: int = 0
    undecided: int = 0
    unreachable: str = ""
    """Why the provider could not be asked, by the name of the error."""

    @property
    def is_complete(self) -> bool:
        """Whether everything could be looked at and decided."""
        return not self.undecided and not self.unreachable

    def __str__(self) -> str:
        """Say it in one line, for whoever started the reconciliation by hand."""
        if self.unreachable:
            return f"{self.merchant_code}: SumUp could not be asked ({self.unreachable})"
        return (
            f"{self.merchant_code}: {self.entries} looked at, {self.settled} settled, {self.found} found,"
            f" {self.undecided} undecided"
        )

    def plus(self, *, settled: bool = False, found: int = 0, undecided: bool = False) -> Reconciled:
        """Return this and one more entry."""
        return replace(
            self,
            entries=self.entries + 1,
            settled=self.settled + settled,
            found=self.found + found,
            undecided=self.undecided + undecided,
        )


async def reconcile_history(context: PaymentContext, merchant_code: str) -> Reconciled:
    """Reconcile what changed in an account's history since the last reconciliation.

    Safe to repeat, and to run at the same time as itself. Raises GatewayError where the provider cannot be asked;
    an entry that fails by itself does not keep the others waiting, and the next reconciliation begins before it.
    """
    # Taken before the reading: what appears while it runs belongs to the next one.
    begun, gateway = context.clock(), await context.gateways.of(merchant_code)
    reconciled = Reconciled(merchant_code)
    since = (await reconciled_since(context, merchant_code) or begun) - OVERLAP
    async for page in history_pages(gateway, merchant_code, since=since):
        for item, payment_id in await _with_payments(context, page):
            reconciled = await _look(context, gateway, reconciled, item, payment_id)
    # Else the next one begins where this one did: nothing that could not be decided is skipped.
    if not reconciled.undecided:
        await _remember(context, merchant_code, begun)
    _log.info("history_reconciled", **{name: getattr(reconciled, name) for name in Reconciled.__slots__})
    return reconciled


async def reconciled_since(context: PaymentContext, merchant_code: str) -> datetime | None:
    """Return up to when an account has been reconciled: else its first payment; None without payments."""
    async with unit_of_work(context.database) as uow:
        reconcile = await uow.session.get(ProviderWalk, merchant_code)
        if reconcile is not None:
            return reconcile.walked_until
        first = select(func.min(Payment.created_at)).where(Payment.merchant_code == merchant_code)
        moment: datetime | None = await uow.session.scalar(first)
        return moment


async def _with_payments(context: PaymentContext, page: HistoryPage) -> list[tuple[HistoryItem, int | None]]:
    """Return the entries of a page, each with the payment of ours that it is about, if any.

    An entry about a refund may have an id of its own, but bears the code of its payment: it is read as that payment's.
    """
    async with unit_of_work(context.database) as uow:
        ids = [item.transaction_id for item in page.items]
        codes = [item.code for item in page.items if item.code]
        rows = await uow.session.execute(
            select(Payment.transaction_id, Payment.transaction_code, Payment.id).where(
                or_(Payment.transaction_id.in_(ids), Payment.transaction_code.in_(codes))
            )
        )
        payments = list(rows)
    by_id = {row.transaction_id: row for row in payments}
    # Second choice: codes are for people, ids are unique.
    by_code = {row.transaction_code: row for row in payments}
    found = [(item, by_id.get(item.transaction_id) or by_code.get(item.code)) for item in page.items]
    return [(item, None) if row is None else (_under_payment(item, row.transaction_id), row.id) for item, row in found]


def _under_payment(item: HistoryItem, transaction_id: str | None) -> HistoryItem:
    """Return an entry under the transaction of the payment that it is about, where that is known."""
    return item if transaction_id is None else replace(item, transaction_id=transaction_id)


async def _look(
    context: PaymentContext, gateway: PaymentGateway, reconciled: Reconciled, item: HistoryItem, payment_id: int | None
) -> Reconciled:
    """Look at one entry; a failure is logged, and keeps the reconciliation from counting as done."""
    try:
        # Takings at a card reader, and what took no money, are none of the shop's.
        if payment_id is None and not (item.captured and item.online):
            return reconciled.plus()
        transaction = await gateway.transaction(item.transaction_id, reconciled.merchant_code)
        # Listed but not readable yet: SumUp's list runs ahead of its details (docs/sumup.md § 5).
        if transaction is None and not _is_long_gone(context, item):
            return reconciled.plus(undecided=True)
        return await _decide(context, reconciled, item, transaction, payment_id)
    except Exception:  # noqa: BLE001 - the edge of the reconciliation: it is logged, and reconciled again
        _log.exception("history_entry_failed", merchant_code=reconciled.merchant_code, transaction=item.code)
        return reconciled.plus(undecided=True)


def _is_long_gone(context: PaymentContext, item: HistoryItem) -> bool:
    """Tell whether a transaction has been missing for too long to wait for it."""
    return item.at is not None and context.clock() - item.at > MISSING_FOR


async def _decide(
    context: PaymentContext,
    reconciled: Reconciled,
    item: HistoryItem,
    transaction: Transaction | None,
    payment_id: int | None,
) -> Reconciled:
    """Find whose payment an entry is, settle it, and compare."""
    if payment_id is None and transaction is not None:
        payment_id = await _payment_by_reference(context, reconciled.merchant_code, transaction.reference)
    if payment_id is None:
        return reconciled.plus(found=await _note(context, reconciled, item, FindingKind.FOREIGN_PAYMENT))
    # First our own side, then the comparison: what has just arrived would else be a difference.
    settled = await _settle(context, payment_id)
    payment = await _named(context, reconciled.merchant_code, await _payment(context, payment_id), item, transaction)
    if payment.transaction_id is None and payment.state != PaymentState.PAID:
        # the checkout is still behind the times, or cannot be read
        return reconciled.plus(undecided=not is_settled_elsewhere(payment))
    # The same checkout, another transaction: paid a second time, or one payment under two names.
    if payment.transaction_id != item.transaction_id:
        return await _decide_another(context, reconciled, item, transaction, payment, settled=settled)
    if transaction is None:
        return reconciled.plus(settled=settled)
    compared = await compare(context, payment_id, transaction)
    return reconciled.plus(settled=settled, found=compared.found, undecided=compared.undecided)


async def _decide_another(
    context: PaymentContext,
    reconciled: Reconciled,
    item: HistoryItem,
    transaction: Transaction | None,
    payment: Payment,
    *,
    settled: bool,
) -> Reconciled:
    """Decide on an entry about a payment's checkout that is not the transaction which we know of it.

    Where the record has both of them it was paid again, and that is a payment of its own; else a person looks at it.
    """
    first = await _transaction_of(context, payment)
    if (
        payment.transaction_id is not None
        and first is None
        and item.at is not None
        and not _is_long_gone(context, item)
    ):
        return reconciled.plus(settled=settled, undecided=True)
    if transaction is not None and item.captured and transaction.captured and _is_another(first, transaction):
        told = _told(reconciled.merchant_code, item, transaction)
        # None: a person has it, or it is not what the order costs; then it becomes a finding.
        further_id = await keep_second_payment(context, payment.id, told, item.at)
        if further_id is not None:
            compared = await compare(context, further_id, transaction)
            return reconciled.plus(settled=True, found=compared.found, undecided=compared.undecided)
    found = await _note(context, reconciled, item, FindingKind.DIFFERENCE, payment.id)
    return reconciled.plus(settled=settled, found=found)


async def _transaction_of(context: PaymentContext, payment: Payment) -> Transaction | None:
    """Ask for the transaction that a payment is known to be. Raises GatewayError."""
    if payment.transaction_id is None:
        return None
    gateway = await context.gateways.of(payment.merchant_code, payment.provider)
    return await gateway.transaction(payment.transaction_id, payment.merchant_code)


def _is_another(first: Transaction | None, transaction: Transaction) -> bool:
    """Tell whether two transactions both took money: one that has two names in the record took it once."""
    # Without both in hand nothing is booked: a second payment is owed back, so it must surely be one.
    if first is None or not first.captured or first.id == transaction.id:
        return False
    return bool(first.code and transaction.code) and first.code != transaction.code


async def _named(
    context: PaymentContext, merchant_code: str, payment: Payment, item: HistoryItem, transaction: Transaction | None
) -> Payment:
    """Return a payment with its transaction: where its checkout never named it, the record of the account does."""
    if payment.transaction_id is not None or transaction is None or not transaction.captured:
        return payment
    await keep_transaction(context, payment.id, _told(merchant_code, item, transaction))
    return await _payment(context, payment.id)


def _told(merchant_code: str, item: HistoryItem, transaction: Transaction) -> LateTransaction:
    """Return a captured transaction as the record of an account tells of it."""
    return LateTransaction(
        item.transaction_id,
        item.code or transaction.code,
        transaction.reference,
        merchant_code,
        transaction.currency,
        transaction.amount,
    )


async def _payment_by_reference(context: PaymentContext, merchant_code: str, reference: str) -> int | None:
    """Return the payment of this account that a checkout was opened for, or None."""
    async with unit_of_work(context.database) as uow:
        statement = select(Payment.id).where(Payment.checkout_reference == reference)
        payment_id: int | None = await uow.session.scalar(statement.where(Payment.merchant_code == merchant_code))
        return payment_id


async def _payment(context: PaymentContext, payment_id: int) -> Payment:
    async with unit_of_work(context.database) as uow:
        return await uow.session.get_one(Payment, payment_id)


async def _settle(context: PaymentContext, payment_id: int) -> bool:
    """Settle a payment whose arrival we have missed, and refunds that are under way; tell whether it was missed."""
    before = PaymentState((await _payment(context, payment_id)).state)
    missed = before not in (PaymentState.PAID, PaymentState.REVIEW)
    if missed:
        missed = await settle(context, payment_id) == PaymentState.PAID
    elif before is PaymentState.PAID:
        await fulfil(context, payment_id)  # before what went back of it is counted: what cannot be given is owed first
    async with unit_of_work(context.database) as uow:
        under_way = select(Refund.id).where(Refund.payment_id == payment_id, Refund.state.in_(REFUND_IN_FLIGHT))
        refund_id = await uow.session.scalar(under_way)
    if refund_id is not None:
        await settle_refund(context, refund_id)
    return missed


async def _note(
    context: PaymentContext, reconciled: Reconciled, item: HistoryItem, kind: FindingKind, payment_id: int | None = None
) -> int:
    async with unit_of_work(context.database) as uow:
        found = await note_finding(
            uow.session, reconciled.merchant_code, item, kind, item.amount, payment_id=payment_id, happened_at=item.at
        )
        await uow.commit()
    return found


async def _remember(context: PaymentContext, merchant_code: str, until: datetime) -> None:
    """Write down how far an account has been reconciled; a reconciliation that began earlier takes nothing back."""
    async with unit_of_work(context.database) as uow:
        statement = insert(ProviderWalk).values(merchant_code=merchant_code, walked_until=until)
        # Two readings may end in either order.
        later = func.greatest(ProviderWalk.walked_until, statement.excluded.walked_until)
        await uow.session.execute(
            statement.on_conflict_do_update(index_elements=["merchant_code"], set_={"walked_until": later})
        )
        await uow.commit()
