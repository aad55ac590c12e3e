"""Reconciling the provider's record: what nobody told us of (docs/money.md, promises 3 and 7)."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime
from decimal import Decimal

import pytest
from sqlalchemy import select, text, update

from cart.bp.reviews.services import close_finding, list_findings, settle_payment_elsewhere
from cart.payments.settle import record_status, settle
from cart.provider.accounts import reconcile_due
from cart.provider.elsewhere import divide
from cart.provider.findings import note_finding
from cart.provider.history import Reconciled, reconcile_history
from cart.refunds.refund import refund_debt
from shared.audit.run import CHECKS, run_audit
from shared.contracts.access import EVERYWHERE
from shared.contracts.dtos import HistoryPage, MovementStatus, Transaction
from shared.contracts.errors import Conflict, GatewayUnavailable
from shared.contracts.states import FindingKind
from shared.db.uow import unit_of_work
from shared.models import Debt, JournalEntry, Payment, ProviderFinding, ProviderWalk
from shared.payments.accounts import OneGateway
from tests.fakes.gateway import FakeGateway
from tests.support.shop import Shop, Show

MERCHANT = "MSANDBOX"
NOTHING_NEW = (0, 0, 0)


async def walk(shop: Shop) -> tuple[int, int, int]:
    """Reconcile, and return how many payments were settled, findings new, entries undecided."""
    reconciled = await reconcile_history(shop.context, MERCHANT)
    return reconciled.settled, reconciled.found, reconciled.undecided


async def findings(shop: Shop) -> list[tuple[str, Decimal, bool]]:
    """Return kind and amount of each finding, and whether it is about a payment of ours."""
    async with unit_of_work(shop.context.database) as uow:
        rows = await uow.session.scalars(select(ProviderFinding).order_by(ProviderFinding.id))
        return [(row.kind, row.amount, row.payment_id is not None) for row in rows]


async def external(shop: Shop) -> list[tuple[int | None, Decimal, bool]]:
    """Return debt, amount and kind of each refund that was made elsewhere."""
    rows = [refund for refund in await shop.refunds() if refund.state == "external"]
    return [(refund.debt_id, refund.amount, refund.chargeback) for refund in rows]


async def transaction_of(shop: Shop, payment_id: int) -> str:
    async with unit_of_work(shop.context.database) as uow:
        transaction_id = (await uow.session.get_one(Payment, payment_id)).transaction_id
    assert transaction_id is not None
    return transaction_id


@pytest.fixture(autouse=True)
async def audited(shop: Shop) -> AsyncIterator[None]:
    """See after each test that every penny is still a thing or a debt. No worker runs here that would write mails."""
    yield
    checks = [check for check in CHECKS if check.name != "buyers are told"]
    findings = await run_audit(shop.context.database, now=shop.clock(), checks=checks)
    assert [finding for finding in findings if finding.wrong] == []


@pytest.fixture
async def paid(shop: Shop, ada: int, show: Show) -> str:
    """The transaction with which Ada has paid 25.00 for both seats."""
    payment = await shop.buy_and_pay(ada, show, 2)
    return await transaction_of(shop, payment.id)


@pytest.fixture
async def debts(shop: Shop, ada: int, bob: int, show: Show) -> list[Debt]:
    """Ada paid late for two seats that Bob has bought meanwhile: 12.50 owed twice."""
    payment = await shop.buy(ada, show, 2)
    shop.clock.forward(minutes=31)
    await shop.work()
    await shop.buy_and_pay(bob, show, 2)
    shop.pay(payment, force=True)
    await settle(shop.context, payment.id)
    return await shop.debts()


async def test_what_is_known_is_no_finding(shop: Shop, paid: str) -> None:
    assert await walk(shop) == NOTHING_NEW
    assert await findings(shop) == []
    assert paid


async def test_a_payment_of_no_order_of_ours_is_found_once(shop: Shop, paid: str) -> None:
    shop.gateway.take(Decimal("7.00"))
    assert await walk(shop) == (0, 1, 0)
    assert await walk(shop) == NOTHING_NEW
    assert await findings(shop) == [("foreign_payment", Decimal("7.00"), False)]
    assert paid


async def test_what_was_taken_at_a_card_reader_is_nobodys_business(shop: Shop) -> None:
    shop.gateway.take(Decimal("7.00"), at_reader=True)
    assert await walk(shop) == NOTHING_NEW


async def test_a_payment_that_nothing_told_us_of_is_settled(shop: Shop, ada: int, show: Show) -> None:
    payment = await shop.buy(ada, show, 2)
    shop.pay(payment)
    assert await walk(shop) == (1, 0, 0)
    assert [order.state for order in await shop.orders(ada)] == ["paid"]
    assert await walk(shop) == NOTHING_NEW


async def test_money_for_an_order_that_nobody_looks_at_any_more_is_settled(shop: Shop, ada: int, show: Show) -> None:
    payment = await shop.buy(ada, show, 2)
    shop.clock.forward(days=2)
    await shop.work(9)
    shop.pay(payment, force=True)
    await shop.work(9)
    assert [order.state for order in await shop.orders(ada)] == ["expired"]
    assert await walk(shop) == (1, 0, 0)
    assert [order.state for order in await shop.orders(ada)] == ["paid"]


async def test_a_declined_attempt_is_no_finding(shop: Shop, ada: int, show: Show) -> None:
    payment = await shop.buy(ada, show)
    shop.gateway.decline_next()
    shop.pay(payment)
    assert await walk(shop) == NOTHING_NEW


# --- a checkout that was paid more than once ---


async def of_payments(shop: Shop, user_id: int) -> list[tuple[str, Decimal, Decimal]]:
    """Return state, amount and what is owed of each payment of somebody's."""
    return [(payment.state, payment.amount, payment.owed) for payment in await shop.payments(user_id)]


async def test_a_second_payment_of_one_checkout_is_owed_back(shop: Shop, ada: int, bob: int, show: Show) -> None:
    payment = await shop.buy_and_pay(ada, show)
    second = shop.gateway.pay(str(payment.checkout_id), force=True)
    assert await walk(shop) == (1, 0, 0)
    assert await walk(shop) == NOTHING_NEW
    assert await of_payments(shop, ada) == [("paid", show.cost, Decimal(0)), ("paid", show.cost, show.cost)]
    assert await shop.tickets(ada) == ["confirmed"]
    [debt] = await shop.debts()
    assert (debt.reason, debt.amount) == ("paid_twice", show.cost)
    assert await transaction_of(shop, debt.payment_id) == second.id
    assert await refund_debt(shop.context, debt_id=debt.id, actor_user_id=bob) == "succeeded"
    refunded_so_far = await shop.gateway.transaction(second.id, MERCHANT)
    assert refunded_so_far is not None
    assert refunded_so_far.refunded == show.cost
    assert [order.state for order in await shop.orders(ada)] == ["paid"]


async def test_a_third_payment_of_one_checkout_is_owed_back_too(shop: Shop, ada: int, show: Show) -> None:
    payment = await shop.buy_and_pay(ada, show)
    for _ in range(2):
        shop.pay(payment, force=True)
    assert await walk(shop) == (2, 0, 0)
    assert [debt.reason for debt in await shop.debts()] == ["paid_twice"] * 2


async def test_of_two_payments_that_no_checkout_names_one_pays_and_one_is_owed_back(
    shop: Shop, ada: int, show: Show
) -> None:
    payment = await shop.buy_and_pay(ada, show)
    shop.pay(payment, force=True)
    await forget_transaction(shop, payment.id)
    assert await walk(shop) == (1, 0, 0)
    assert await of_payments(shop, ada) == [("paid", show.cost, Decimal(0)), ("paid", show.cost, show.cost)]


async def test_a_second_payment_that_went_back_in_the_dashboard_is_owed_no_more(
    shop: Shop, ada: int, show: Show
) -> None:
    payment = await shop.buy_and_pay(ada, show)
    second = shop.gateway.pay(str(payment.checkout_id), force=True)
    shop.gateway.refund_by_hand(second.id, show.cost)
    assert await walk(shop) == (1, 1, 0)
    assert [(debt.reason, debt.state) for debt in await shop.debts()] == [("paid_twice", "settled")]


async def test_a_payment_of_the_right_sum_after_one_of_a_wrong_one_pays_the_order(
    shop: Shop, ada: int, show: Show
) -> None:
    payment = await shop.buy(ada, show)
    checkout_id = str(payment.checkout_id)
    shop.gateway.pay(checkout_id, amount=Decimal("1.00"))
    await settle(shop.context, payment.id)
    shop.gateway.pay(checkout_id, amount=show.cost, force=True)
    assert await walk(shop) == (1, 0, 0)
    assert await of_payments(shop, ada) == [("review", show.cost, Decimal(0)), ("paid", show.cost, Decimal(0))]
    assert [order.state for order in await shop.orders(ada)] == ["paid"]


async def test_a_second_payment_of_another_sum_is_left_to_a_person(shop: Shop, ada: int, show: Show) -> None:
    payment = await shop.buy_and_pay(ada, show)
    shop.gateway.pay(str(payment.checkout_id), amount=Decimal("20.00"), force=True)
    assert await walk(shop) == (0, 1, 0)
    assert await walk(shop) == NOTHING_NEW
    assert await findings(shop) == [("difference", Decimal("20.00"), True)]
    assert await shop.debts() == []


@pytest.mark.parametrize("closed", [True, False])
async def test_what_a_person_looks_at_already_is_left_to_them(
    shop: Shop, ada: int, bob: int, show: Show, *, closed: bool
) -> None:
    payment = await shop.buy_and_pay(ada, show)
    second = shop.gateway.pay(str(payment.checkout_id), force=True)
    async with unit_of_work(shop.context.database) as uow:
        await note_finding(uow.session, MERCHANT, second, FindingKind.DIFFERENCE, second.amount, payment_id=payment.id)
        await uow.commit()
    if closed:
        async with unit_of_work(shop.context.database) as uow:
            [found] = await list_findings(uow.session, EVERYWHERE, limit=2)
        await close_finding(shop.context, found.id, note="bank transfer", actor_user_id=bob, scope=EVERYWHERE)
    assert await walk(shop) == NOTHING_NEW
    assert await shop.debts() == []


async def test_only_where_the_record_has_both_a_checkout_was_paid_twice(shop: Shop, ada: int, show: Show) -> None:
    payment = await shop.buy_and_pay(ada, show)
    another = str(uuid.uuid4())
    async with unit_of_work(shop.context.database) as uow:
        await uow.session.execute(update(Payment).where(Payment.id == payment.id).values(transaction_code=None))
        await uow.session.execute(update(Payment).where(Payment.id == payment.id).values(transaction_id=another))
        await uow.commit()
    assert await walk(shop) == (0, 0, 1)
    shop.clock.forward(days=2)
    assert await walk(shop) == (0, 1, 0)
    assert await findings(shop) == [("difference", show.cost, True)]
    assert await shop.debts() == []


# --- money that went back without us ---


async def test_a_refund_in_the_dashboard_pays_the_debt_of_that_sum(shop: Shop, debts: list[Debt]) -> None:
    shop.gateway.refund_by_hand(await transaction_of(shop, debts[0].payment_id), Decimal("12.50"))
    assert await walk(shop) == (0, 1, 0)
    assert await walk(shop) == NOTHING_NEW
    assert await external(shop) == [(debts[0].id, Decimal("12.50"), False)]
    assert [debt.state for debt in await shop.debts()] == ["settled", "owed"]
    assert await findings(shop) == [("external_refund", Decimal("12.50"), True)]
    assert (await shop.journal("refund"))[-1] == "external"


async def test_a_refund_in_the_dashboard_pays_several_debts(shop: Shop, ada: int, debts: list[Debt]) -> None:
    shop.gateway.refund_by_hand(await transaction_of(shop, debts[0].payment_id), Decimal("25.00"))
    await walk(shop)
    assert [debt.state for debt in await shop.debts()] == ["settled", "settled"]
    assert [order.state for order in await shop.orders(ada)] == ["refunded"]


async def test_a_refund_in_the_dashboard_that_nobody_was_owed_counts_as_refunded(
    shop: Shop, ada: int, paid: str
) -> None:
    shop.gateway.refund_by_hand(paid, Decimal("5.00"))
    assert await walk(shop) == (0, 1, 0)
    assert await external(shop) == [(None, Decimal("5.00"), False)]
    (payment,) = await shop.payments(ada)
    assert (payment.refunded, payment.owed) == (Decimal("5.00"), Decimal("5.00"))
    assert [order.state for order in await shop.orders(ada)] == ["partially_refunded"]


class NamingAnew(FakeGateway):
    """A provider whose record calls its transactions by other ids than its checkouts do, and leaves the codes out."""

    def record_as(self, name: str) -> str:
        return str(uuid.uuid5(uuid.NAMESPACE_OID, name))

    async def history(self, merchant_code: str, *, since: datetime, following: str | None = None) -> HistoryPage:
        page = await super().history(merchant_code, since=since, following=following)
        anew = (replace(item, transaction_id=self.record_as(item.transaction_id), code="") for item in page.items)
        return replace(page, items=tuple(anew))

    async def transaction(self, transaction_id: str, merchant_code: str) -> Transaction | None:
        ids = {self.record_as(name): name for name in self._transactions}
        found = await super().transaction(ids.get(transaction_id, transaction_id), merchant_code)
        return None if found is None else replace(found, id=transaction_id)


async def test_one_payment_of_two_names_was_paid_once(shop: Shop, ada: int, show: Show) -> None:
    shop.gateway = NamingAnew(clock=shop.clock)
    shop.context = replace(shop.context, gateways=OneGateway(shop.gateway))
    await shop.buy_and_pay(ada, show)
    assert await walk(shop) == (0, 1, 0)
    assert await findings(shop) == [("difference", show.cost, True)]
    assert await shop.debts() == []


class ListingApart(FakeGateway):
    """A provider whose list names what was refunded, by ids of its own, and not the payments."""

    async def history(self, merchant_code: str, *, since: datetime, following: str | None = None) -> HistoryPage:
        page = await super().history(merchant_code, since=since, following=following)
        apart = (replace(item, transaction_id=str(uuid.uuid4()), captured=False) for item in page.items)
        return replace(page, items=tuple(apart))


async def test_an_entry_about_a_refund_is_read_as_its_payments(shop: Shop, ada: int, show: Show) -> None:
    shop.gateway = ListingApart(clock=shop.clock)
    shop.context = replace(shop.context, gateways=OneGateway(shop.gateway))
    payment = await shop.buy_and_pay(ada, show, 2)
    shop.gateway.refund_by_hand(await transaction_of(shop, payment.id), Decimal("5.00"))
    assert await walk(shop) == (0, 1, 0)
    assert await external(shop) == [(None, Decimal("5.00"), False)]
    assert await findings(shop) == [("external_refund", Decimal("5.00"), True)]


async def test_two_refunds_of_one_sum_in_the_dashboard_are_two(shop: Shop, paid: str) -> None:
    for _ in range(2):
        shop.gateway.refund_by_hand(paid, Decimal("5.00"))
        await walk(shop)
    assert await external(shop) == [(None, Decimal("5.00"), False)] * 2
    assert await counted(shop) == [True, True]


async def counted(shop: Shop) -> list[bool]:
    """Return of each open finding whether what went back is said to be counted."""
    async with unit_of_work(shop.context.database) as uow:
        return [row.is_counted for row in await list_findings(uow.session, EVERYWHERE, limit=9)]


async def test_what_went_back_of_a_payment_that_was_closed_is_not_counted(
    shop: Shop, ada: int, bob: int, show: Show
) -> None:
    payment = await shop.buy(ada, show, 2)
    paid = shop.gateway.pay(str(payment.checkout_id), amount=Decimal("30.00"))
    await settle(shop.context, payment.id)
    await settle_payment_elsewhere(shop.context, payment.id, note="dashboard", actor_user_id=bob, scope=EVERYWHERE)
    shop.gateway.refund_by_hand(paid.id, Decimal("30.00"))
    assert await walk(shop) == (0, 1, 0)
    assert await external(shop) == []
    assert await counted(shop) == [False]


async def close_findings(shop: Shop, user_id: int) -> None:
    """Let somebody look at every finding and close it."""
    async with unit_of_work(shop.context.database) as uow:
        open_now = list(await uow.session.scalars(select(ProviderFinding).where(ProviderFinding.resolved_at.is_(None))))
    for found in open_now:
        await close_finding(shop.context, found.id, note="seen", actor_user_id=user_id, scope=EVERYWHERE)


@pytest.mark.parametrize("kind", ["external_refund", "chargeback"])
async def test_a_movement_is_found_though_one_of_the_same_sum_was_closed(
    shop: Shop, ada: int, paid: str, kind: str
) -> None:
    for _ in range(2):
        if kind == "chargeback":
            shop.gateway.charge_back(paid, Decimal("5.00"))
        else:
            shop.gateway.refund_by_hand(paid, Decimal("5.00"))
        assert await walk(shop) == (0, 1, 0)
        await close_findings(shop, ada)
        assert await walk(shop) == NOTHING_NEW
    assert await findings(shop) == [(kind, Decimal("5.00"), True)] * 2


async def test_what_pays_a_debt_in_part_is_left_to_a_person(shop: Shop, debts: list[Debt]) -> None:
    shop.gateway.refund_by_hand(await transaction_of(shop, debts[0].payment_id), Decimal("4.00"))
    assert await walk(shop) == (0, 1, 0)
    assert await walk(shop) == NOTHING_NEW
    assert await external(shop) == []
    assert await findings(shop) == [("external_refund", Decimal("4.00"), True)]
    assert await counted(shop) == [False]


async def test_a_refund_of_ours_is_no_finding(shop: Shop, bob: int, debts: list[Debt]) -> None:
    await refund_debt(shop.context, debt_id=debts[0].id, actor_user_id=bob)
    assert await walk(shop) == NOTHING_NEW
    assert await external(shop) == []


async def test_a_refund_beside_one_of_ours_of_the_same_sum_is_found(shop: Shop, bob: int, debts: list[Debt]) -> None:
    await refund_debt(shop.context, debt_id=debts[0].id, actor_user_id=bob)
    shop.gateway.refund_by_hand(await transaction_of(shop, debts[0].payment_id), Decimal("12.50"))
    assert await walk(shop) == (0, 1, 0)
    assert await external(shop) == [(debts[1].id, Decimal("12.50"), False)]


async def test_while_a_refund_of_ours_is_under_way_nothing_is_decided(shop: Shop, bob: int, debts: list[Debt]) -> None:
    shop.gateway.hold_refunds()
    await refund_debt(shop.context, debt_id=debts[0].id, actor_user_id=bob)
    assert await walk(shop) == (0, 0, 1)
    assert await walked_until(shop) is None
    transaction_id = await transaction_of(shop, debts[0].payment_id)
    shop.gateway.settle_refund(transaction_id, MovementStatus.DONE)
    assert await walk(shop) == NOTHING_NEW
    assert [refund.state for refund in await shop.refunds()] == ["succeeded"]


async def test_a_refund_of_ours_that_failed_after_all_differs(shop: Shop, bob: int, debts: list[Debt]) -> None:
    await refund_debt(shop.context, debt_id=debts[0].id, actor_user_id=bob)
    shop.gateway.settle_refund(await transaction_of(shop, debts[0].payment_id), MovementStatus.VOID)
    assert await walk(shop) == NOTHING_NEW  # the record may be behind the times
    shop.clock.forward(hours=2)
    assert await walk(shop) == (0, 1, 0)
    assert await findings(shop) == [("difference", Decimal("12.50"), True)]


async def test_each_refund_of_ours_of_one_sum_that_failed_after_all_differs(
    shop: Shop, bob: int, debts: list[Debt]
) -> None:
    for debt in debts:
        await refund_debt(shop.context, debt_id=debt.id, actor_user_id=bob)
    shop.clock.forward(hours=2)
    for which, debt in enumerate(debts):
        shop.gateway.settle_refund(await transaction_of(shop, debt.payment_id), MovementStatus.VOID, which=which)
        assert await walk(shop) == (0, 1, 0)
        await close_findings(shop, bob)
        assert await walk(shop) == NOTHING_NEW
    assert await findings(shop) == [("difference", Decimal("12.50"), True)] * 2


async def test_what_the_bank_took_back_is_found_and_counts_as_refunded(shop: Shop, ada: int, paid: str) -> None:
    shop.gateway.charge_back(paid)
    assert await walk(shop) == (0, 1, 0)
    assert await walk(shop) == NOTHING_NEW
    assert await external(shop) == [(None, Decimal("25.00"), True)]
    assert await findings(shop) == [("chargeback", Decimal("25.00"), True)]
    assert [order.state for order in await shop.orders(ada)] == ["refunded"]


@pytest.mark.parametrize(("back", "state"), [("12.50", "refunded"), ("2.00", "partially_refunded")])
async def test_what_the_bank_took_back_before_the_order_was_confirmed_counts_too(
    shop: Shop, ada: int, show: Show, back: str, state: str
) -> None:
    payment = await shop.buy(ada, show)
    shop.pay(payment)
    checkout = await shop.gateway.get(str(payment.checkout_id))
    recorded = await record_status(shop.context, payment.id, checkout)  # and here the app was killed
    shop.gateway.charge_back(str(recorded.transaction_id), Decimal(back))
    await walk(shop)
    await settle(shop.context, payment.id)
    assert [order.state for order in await shop.orders(ada)] == [state]
    assert await shop.tickets(ada) == ["confirmed"]


async def test_a_late_payment_that_was_only_recorded_is_owed_before_the_bank_takes_it_back(
    shop: Shop, ada: int, bob: int
) -> None:
    show = await shop.show(capacity=1)
    payment = await shop.buy(ada, show)
    shop.clock.forward(minutes=31)
    await shop.work()
    await shop.buy_and_pay(bob, show)
    shop.pay(payment, force=True)
    recorded = await record_status(shop.context, payment.id, await shop.gateway.get(str(payment.checkout_id)))
    shop.gateway.charge_back(str(recorded.transaction_id), Decimal("2.00"))
    await walk(shop)
    await settle(shop.context, payment.id)
    assert await shop.tickets(ada) == ["oversold"]
    assert [(debt.amount, debt.reason) for debt in await shop.debts()] == [(Decimal("12.50"), "sold_out")]


@pytest.mark.parametrize(
    ("amount", "parts"),
    [
        ("5.00", [(None, "5.00")]),
        ("12.50", [(2, "12.50")]),
        ("22.50", [(1, "10.00"), (2, "12.50")]),
        ("11.00", [(1, "10.00"), (None, "1.00")]),
    ],
)
def test_a_sum_is_divided_among_whole_debts(amount: str, parts: list[tuple[int | None, str]]) -> None:
    debts = {1: Decimal("10.00"), 2: Decimal("12.50")}
    assert divide(Decimal(amount), debts) == [(debt_id, Decimal(part)) for debt_id, part in parts]


# --- payments whose transaction the provider has not named ---


async def forget_transaction(shop: Shop, payment_id: int, **changes: object) -> None:
    """Let a payment be one of which the provider told without its transaction."""
    async with unit_of_work(shop.context.database) as uow:
        forgotten = {"transaction_id": None, "transaction_code": None} | changes
        await uow.session.execute(update(Payment).where(Payment.id == payment_id).values(forgotten))
        await uow.commit()


async def test_a_paid_payment_without_a_transaction_gets_it_from_the_record(
    shop: Shop, bob: int, debts: list[Debt]
) -> None:
    late = debts[0].payment_id
    known = await transaction_of(shop, late)
    await forget_transaction(shop, late)
    with pytest.raises(Conflict):
        await refund_debt(shop.context, debt_id=debts[0].id, actor_user_id=bob)
    assert await walk(shop) == NOTHING_NEW
    assert await transaction_of(shop, late) == known
    assert await walked_until(shop) == shop.clock()
    assert await refund_debt(shop.context, debt_id=debts[0].id, actor_user_id=bob) == "succeeded"
    async with unit_of_work(shop.context.database) as uow:
        why = JournalEntry.why == "its transaction became known"
        told = await uow.session.execute(select(JournalEntry.thing_id, JournalEntry.event).where(why))
        assert [tuple(row) for row in told] == [(late, "paid")]


async def test_what_went_back_of_a_payment_without_a_transaction_is_found_with_it(
    shop: Shop, ada: int, paid: str
) -> None:
    shop.gateway.refund_by_hand(paid, Decimal("5.00"))
    await forget_transaction(shop, (await shop.payments(ada))[0].id)
    assert await walk(shop) == (0, 1, 0)
    assert await external(shop) == [(None, Decimal("5.00"), False)]


async def test_its_code_alone_names_no_transaction_but_the_record_completes_it(shop: Shop, ada: int, paid: str) -> None:
    [payment] = await shop.payments(ada)
    await forget_transaction(shop, payment.id, transaction_code=payment.transaction_code)
    assert await walk(shop) == NOTHING_NEW
    assert await transaction_of(shop, payment.id) == paid


async def test_a_transaction_of_another_sum_is_not_taken_for_the_payments(shop: Shop, ada: int, show: Show) -> None:
    payment = await shop.buy(ada, show, 2)
    shop.gateway.pay(str(payment.checkout_id), amount=Decimal("20.00"))
    shop.gateway.change(str(payment.checkout_id), amount=Decimal("25.00"))
    assert await settle(shop.context, payment.id) == "paid"
    await forget_transaction(shop, payment.id)
    assert await walk(shop) == (0, 1, 0)
    assert await walked_until(shop) == shop.clock()
    assert [one.transaction_id for one in await shop.payments(ada)] == [None]
    assert await findings(shop) == [("difference", Decimal("20.00"), True)]


async def test_a_payment_that_was_closed_without_a_transaction_keeps_no_walk_waiting(
    shop: Shop, ada: int, bob: int, show: Show
) -> None:
    payment = await shop.buy(ada, show, 2)
    shop.gateway.pay(str(payment.checkout_id), amount=Decimal("20.00"))
    await settle(shop.context, payment.id)
    await forget_transaction(shop, payment.id)
    assert await walk(shop) == (0, 0, 1)
    await settle_payment_elsewhere(shop.context, payment.id, note="in cash", actor_user_id=bob, scope=EVERYWHERE)
    assert await walk(shop) == NOTHING_NEW
    assert await walked_until(shop) == shop.clock()


async def test_settling_again_asks_for_a_transaction_that_is_not_known(shop: Shop, ada: int, paid: str) -> None:
    [payment] = await shop.payments(ada)
    asked = shop.gateway.calls["get"]
    await settle(shop.context, payment.id)
    assert shop.gateway.calls["get"] == asked
    await forget_transaction(shop, payment.id)
    shop.gateway.fail_next(GatewayUnavailable(), "get")
    assert await settle(shop.context, payment.id) == "paid"
    assert (await shop.payments(ada))[0].transaction_id is None
    await settle(shop.context, payment.id)
    [known] = await shop.payments(ada)
    assert (known.transaction_id, known.transaction_code) == (paid, payment.transaction_code)


async def test_settling_again_takes_no_other_sum_for_the_transaction(shop: Shop, ada: int, paid: str) -> None:
    [payment] = await shop.payments(ada)
    await forget_transaction(shop, payment.id)
    shop.gateway.change(str(payment.checkout_id), amount=Decimal("20.00"))
    await settle(shop.context, payment.id)
    assert (await shop.payments(ada))[0].transaction_id is None
    assert paid


# --- how far, and how often ---


async def walked_until(shop: Shop) -> object:
    async with unit_of_work(shop.context.database) as uow:
        return await uow.session.scalar(select(ProviderWalk.walked_until))


async def test_a_walk_begins_a_day_before_the_last_one(shop: Shop, paid: str) -> None:
    await walk(shop)
    assert await walked_until(shop) == shop.clock()
    shop.clock.forward(days=3)
    await walk(shop)
    assert (await reconcile_history(shop.context, MERCHANT)).entries == 0
    shop.gateway.refund_by_hand(paid, Decimal("5.00"))
    assert (await reconcile_history(shop.context, MERCHANT)).entries == 1


async def test_a_transaction_that_is_not_there_yet_is_walked_again(shop: Shop, paid: str) -> None:
    shop.gateway.take(Decimal("7.00"))
    shop.gateway.hide_next(2)
    assert await walk(shop) == (0, 0, 2)
    assert await walked_until(shop) is None
    assert await walk(shop) == (0, 1, 0)
    assert paid


async def test_a_transaction_that_never_comes_is_found_all_the_same(shop: Shop, paid: str) -> None:
    shop.gateway.take(Decimal("7.00"))
    shop.clock.forward(days=2)
    shop.gateway.hide_next(2)
    assert await walk(shop) == (0, 1, 0)
    assert paid


async def test_one_entry_that_fails_does_not_keep_the_others_waiting(shop: Shop, paid: str) -> None:
    shop.gateway.take(Decimal("7.00"))
    shop.gateway.fail_next(GatewayUnavailable(), "transaction")
    assert await walk(shop) == (0, 1, 1)
    assert await walked_until(shop) is None
    assert paid


async def test_a_provider_that_is_away_is_asked_again(shop: Shop, paid: str) -> None:
    shop.clock.forward(days=2)
    shop.gateway.fail_next(GatewayUnavailable(), "history")
    await reconcile_due(shop.context)
    assert await walked_until(shop) is None
    await reconcile_due(shop.context)
    assert await walked_until(shop) == shop.clock()
    assert paid


async def test_a_walk_is_due_once_a_day(shop: Shop, paid: str) -> None:
    for hours in (0, 23, 2, 20, 5):
        shop.clock.forward(hours=hours)
        await reconcile_due(shop.context)
    assert shop.gateway.calls["history"] == 2
    assert paid


async def test_long_records_are_walked_to_their_end(shop: Shop, paid: str) -> None:
    for pence in range(1, 131):
        shop.gateway.take(Decimal(pence) / 100)
    reconciled = await reconcile_history(shop.context, MERCHANT)
    assert (reconciled.entries, reconciled.found, shop.gateway.calls["history"]) == (131, 130, 2)
    assert paid


async def test_a_walk_writes_nothing_where_nothing_is_new(shop: Shop, paid: str) -> None:
    await walk(shop)
    before = await _writes(shop)
    await walk(shop)
    assert await _writes(shop) == before
    assert paid


async def _writes(shop: Shop) -> tuple[int, int]:
    """Count journal entries and findings."""
    async with unit_of_work(shop.context.database) as uow:
        counts = await uow.session.execute(
            text("SELECT (SELECT count(*) FROM journal), (SELECT count(*) FROM provider_findings)")
        )
        journal, found = counts.one()
        return journal, found


def test_a_walk_says_in_one_line_what_came_of_it() -> None:
    assert (
        str(Reconciled("MHALL", entries=3, settled=1, found=2)) == "MHALL: 3 looked at, 1 settled, 2 found, 0 undecided"
    )
    assert str(Reconciled("MHALL", unreachable="AuthFailed")) == "MHALL: SumUp could not be asked (AuthFailed)"
    assert not Reconciled("MHALL", unreachable="AuthFailed").is_complete
