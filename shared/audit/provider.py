"""The audit against the provider's own record: every payment there is one here, and its money is where we say it is.

One call a page of the record and one a payment of ours, none of them inside a transaction.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal

from sqlalchemy import text

from shared.contracts.dtos import ZERO, HistoryItem, HistoryPage, Movement, MovementStatus, Transaction
from shared.contracts.protocols import Gateways, PaymentGateway
from shared.contracts.states import REFUND_GONE_BACK, REFUND_IN_FLIGHT
from shared.db.engine import Database
from shared.db.uow import unit_of_work
from shared.payments.record import all_accounts, history_pages

from .check import quoted
from .run import SHOWN_IDS, Finding

GRACE = timedelta(days=1)
"""How long the provider's record and ours may differ about what has only just happened."""

OURS = f"""
    SELECT p.id, p.transaction_id, p.state, p.amount, p.currency, p.paid_at, p.merchant_code,
        coalesce((SELECT sum(r.amount) FROM refunds r WHERE r.payment_id = p.id
            AND r.state IN ({quoted(REFUND_GONE_BACK)})), 0) AS back,
        EXISTS (SELECT 1 FROM refunds r WHERE r.payment_id = p.id AND r.state IN ({quoted(REFUND_IN_FLIGHT)}))
            AS under_way
    FROM payments p WHERE p.transaction_id = ANY(:ids) AND p.merchant_code = :merchant_code"""
PAID_SINCE = """
    SELECT id FROM payments WHERE state = 'paid' AND provider = :provider AND merchant_code = :merchant_code
        AND paid_at BETWEEN :since AND :until"""
EXPLAINED = """
    SELECT transaction_id FROM provider_findings
    WHERE merchant_code = :merchant_code AND transaction_id = ANY(:ids) AND resolved_at IS NOT NULL"""


@dataclass(frozen=True, slots=True)
class Ours:
    """A payment of ours, what went back of it, and whether more is on its way."""

    id: int
    transaction_id: str
    state: str
    amount: Decimal
    currency: str
    paid_at: datetime | None
    merchant_code: str
    back: Decimal
    under_way: bool


@dataclass(slots=True)
class Comparison:
    """What was compared, and what does not agree."""

    transactions: int = 0
    payments: set[int] = field(default_factory=set)
    expected: set[int] = field(default_factory=set)
    strangers: list[str] = field(default_factory=list)
    amounts: list[int] = field(default_factory=list)
    sums: list[int] = field(default_factory=list)

    def findings(self) -> list[Finding]:
        """Say it as the other checks do."""
        known = "every payment at the provider is one of ours that is paid, or is explained"
        there = "every payment of ours is at the provider"
        amounts = "a payment is of the same amount and currency here and at the provider"
        sums = "as much went back of a payment at the provider as we say"
        missing = sorted(self.expected - self.payments)
        return [
            _finding("provider: known here", 7, known, "transaction", self.transactions, self.strangers),
            _finding("provider: there as well", 3, there, "payment", len(self.expected), missing),
            _finding("provider: same amounts", 4, amounts, "payment", len(self.payments), self.amounts),
            _finding("provider: same sums back", 11, sums, "payment", len(self.payments), self.sums),
        ]


def _finding(name: str, promise: int, says: str, thing: str, looked_at: int, wrong: list[str] | list[int]) -> Finding:
    return Finding(name, promise, says, thing, looked_at, len(wrong), tuple(map(str, wrong[:SHOWN_IDS])))


async def audit_provider(
    database: Database, gateways: Gateways, own_account: str, *, since: datetime, now: datetime
) -> list[Finding]:
    """Compare what the provider's record shows since a time, of each account, with what we have. Changes nothing.

    What is younger than a day may still differ. Raises GatewayError where the provider cannot be asked.
    """
    compared = Comparison()
    for merchant_code in await all_accounts(database, gateways, own_account):
        gateway = await gateways.of(merchant_code)
        # One day more than asked for: what we noted on the first day may stand in the provider's record a day earlier.
        async for page in history_pages(gateway, merchant_code, since=since - GRACE):
            await _compare_page(database, gateway, merchant_code, page, compared, now)
        used = {"provider": gateways.name_of(merchant_code), "merchant_code": merchant_code}
        compared.expected |= await _paid_between(database, used | {"since": since, "until": now - GRACE})
    return compared.findings()


async def _compare_page(
    database: Database,
    gateway: PaymentGateway,
    merchant_code: str,
    page: HistoryPage,
    compared: Comparison,
    now: datetime,
) -> None:
    # A card reader on the same account is no business of ours, and a declined attempt moved no money.
    items = [item for item in page.items if item.captured and item.online]
    ours, explained = await _read_ours(database, merchant_code, [item.transaction_id for item in items])
    for item in items:
        compared.transactions += 1
        payment = ours.get(item.transaction_id)
        if payment is None:
            # Fresh ones may be ours, and only not recorded yet: the reconciler has minutes, the audit a day.
            if item.transaction_id not in explained and not _is_fresh(item.at, now):
                compared.strangers.append(item.code)
        elif payment.state == "paid":
            compared.payments.add(payment.id)
            await _compare_payment(gateway, payment, item, compared)


def _is_fresh(at: datetime | None, now: datetime) -> bool:
    return at is not None and now - at < GRACE


async def _compare_payment(gateway: PaymentGateway, payment: Ours, item: HistoryItem, compared: Comparison) -> None:
    if (item.amount, item.currency) != (payment.amount, payment.currency):
        compared.amounts.append(payment.id)
    transaction = await gateway.transaction(payment.transaction_id, payment.merchant_code)
    # While a refund is under way the two records may rightly differ: ours or theirs is a moment ahead.
    if transaction is not None and not payment.under_way and _back(transaction) != payment.back:
        compared.sums.append(payment.id)


def _back(transaction: Transaction) -> Decimal:
    return _done(transaction.refunds) + _done(transaction.chargebacks)


def _done(movements: Iterable[Movement]) -> Decimal:
    # Not what is under way: ``back`` of our own row counts what has succeeded alone.
    return sum((each.amount for each in movements if each.status is MovementStatus.DONE), ZERO)


async def _read_ours(database: Database, merchant_code: str, ids: list[str]) -> tuple[dict[str, Ours], set[str]]:
    used = {"ids": ids, "merchant_code": merchant_code}
    async with unit_of_work(database) as uow:
        rows = await uow.session.execute(text(OURS), used)
        ours = {row.transaction_id: Ours(*row) for row in rows}
        return ours, set(await uow.session.scalars(text(EXPLAINED), used))


async def _paid_between(database: Database, used: dict[str, str | datetime]) -> set[int]:
    async with unit_of_work(database) as uow:
        return set(await uow.session.scalars(text(PAID_SINCE), used))
