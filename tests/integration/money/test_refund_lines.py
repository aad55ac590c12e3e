"""Giving back chosen lines or an amount: decided once, never more than is left, whatever the provider answers."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select, text

from cart.orders.buyer import Buyer
from cart.orders.mails import write_order_mails
from cart.payments.settle import settle
from cart.refunds.batch import RefundJob, run_refunds
from cart.refunds.refund_lines import Decision, refund_lines
from cart.refunds.refundable import RefundableOrder, Wish, find_refundable
from shared.contracts.access import EVERYWHERE, PageScope
from shared.contracts.errors import BadInput, Conflict, GatewayUnavailable, NotFound
from shared.db.engine import Database
from shared.db.uow import unit_of_work
from shared.models import Mail, Payment
from shared.payments.accounts import OneGateway
from shared.settings import Settings
from tests.fakes.interrupted import InterruptedGateway
from tests.support.mixed import let_ask, make_goods, put
from tests.support.shop import Shop, Show, open_shop


@pytest.fixture
async def bought(shop: Shop, ada: int, show: Show) -> Payment:
    """Two tickets at 12.50, paid."""
    return await shop.buy_and_pay(ada, show, 2)


async def look(shop: Shop, payment: Payment, scope: PageScope = EVERYWHERE) -> RefundableOrder:
    async with unit_of_work(shop.context.database) as uow:
        return await find_refundable(uow.session, scope, payment.order_id)


async def decide(
    shop: Shop,
    payment: Payment,
    admin: int,
    shown: str,
    *,
    lines: int = 0,
    amount: str | None = None,
    cancel: bool = False,
    key: UUID | None = None,
) -> None:
    """Refund so many of the order's lines, or an amount."""
    chosen = frozenset(line.id for line in (await look(shop, payment)).lines[:lines])
    wish = Wish(chosen, None if amount is None else Decimal(amount), cancel)
    await refund_lines(
        shop.context, payment.order_id, Decision(wish, key or uuid4(), Decimal(shown), admin), EVERYWHERE
    )


async def mails(shop: Shop) -> list[str]:
    async with unit_of_work(shop.context.database) as uow:
        return sorted(await uow.session.scalars(select(Mail.kind)))


async def test_a_line_goes_back_and_its_ticket_stays_good(
    shop: Shop, ada: int, bob: int, show: Show, bought: Payment
) -> None:
    await decide(shop, bought, bob, "12.50", lines=1)
    assert [(debt.amount, debt.reason, debt.state) for debt in await shop.debts()] == [
        (Decimal("12.50"), "goodwill", "settled")
    ]
    assert (await shop.tickets(ada), await shop.held(show)) == (["confirmed", "confirmed"], (2, 2, 2))
    assert [order.state for order in await shop.orders(ada)] == ["partially_refunded"]
    assert await mails(shop) == ["order-refund"]


async def test_a_line_that_is_cancelled_as_well_frees_its_seat(
    shop: Shop, ada: int, bob: int, show: Show, bought: Payment
) -> None:
    await decide(shop, bought, bob, "12.50", lines=1, cancel=True)
    assert [(debt.reason, debt.state) for debt in await shop.debts()] == [("cancelled_by_organiser", "settled")]
    assert sorted(await shop.tickets(ada)) == ["cancelled", "confirmed"]
    assert await shop.held(show) == (1, 1, 1)
    assert await mails(shop) == ["lines-cancelled", "order-refund"]


async def test_an_amount_goes_back_of_no_line_in_particular(shop: Shop, bob: int, bought: Payment) -> None:
    await decide(shop, bought, bob, "3.00", amount="3.00")
    assert [(debt.order_line_id, debt.amount) for debt in await shop.debts()] == [(None, Decimal("3.00"))]
    assert (await look(shop, bought)).left == Decimal("22.00")


async def test_a_part_of_several_lines_is_divided_among_them(shop: Shop, bob: int, bought: Payment) -> None:
    await decide(shop, bought, bob, "5.01", lines=2, amount="5.01")
    assert [debt.amount for debt in await shop.debts()] == [Decimal("2.51"), Decimal("2.50")]
    assert [line.left for line in (await look(shop, bought)).lines] == [Decimal("9.99"), Decimal("10.00")]


@pytest.mark.parametrize(
    ("lines", "amount", "cancel", "field"),
    [
        (0, None, False, "lines"),
        (0, "25.01", False, "amount"),
        (0, "0.00", False, "amount"),
        (1, "12.51", False, "amount"),
        (0, "1.00", True, "lines"),
    ],
)
async def test_what_cannot_be_refunded_is_told_with_its_field(
    shop: Shop, bob: int, bought: Payment, lines: int, amount: str | None, cancel: bool, field: str
) -> None:
    with pytest.raises(BadInput) as refusal:
        await decide(shop, bought, bob, "1.00", lines=lines, amount=amount, cancel=cancel)
    assert refusal.value.field == field
    assert (await shop.debts(), shop.gateway.calls["refund"]) == ([], 0)


async def test_never_more_goes_back_than_was_paid_in_whatever_parts(shop: Shop, bob: int, bought: Payment) -> None:
    await decide(shop, bought, bob, "20.00", amount="20.00")
    with pytest.raises(BadInput, match=r"No more than 5\.00"):
        await decide(shop, bought, bob, "12.50", lines=1)
    await decide(shop, bought, bob, "5.00", lines=1, amount="5.00")
    with pytest.raises(BadInput):
        await decide(shop, bought, bob, "0.01", amount="0.01")
    assert sum(refund.amount for refund in await shop.refunds()) == bought.amount


async def test_what_was_refunded_is_not_told_again_as_what_could_not_be_given(
    shop: Shop, bob: int, bought: Payment
) -> None:
    await decide(shop, bought, bob, "12.50", lines=1)
    await write_order_mails(shop.context, bought.order_id)
    assert await mails(shop) == ["order-paid", "order-refund"]


@pytest.mark.parametrize(
    ("lines", "amount", "answers_to", "asked"),
    [
        (1, None, "box@office.example", ["Questions? Write to box@office.example."]),
        (
            0,
            "12.50",
            "",
            [
                "Questions for The Barn? Write to ann@barn.example.",
                "Questions for The Lantern Theatre? Write to box@office.example.",
            ],
        ),
    ],
)
async def test_the_buyer_reads_whom_to_ask_about_what_goes_back(
    shop: Shop, ada: int, bob: int, show: Show, lines: int, amount: str | None, answers_to: str, asked: list[str]
) -> None:
    goods = await make_goods(shop)
    await let_ask(shop, show.page_post_id, "box@office.example")
    await let_ask(shop, goods.page_post_id, "ann@barn.example")
    await put(shop, Buyer.of_user(ada), goods)
    await shop.add(ada, show)
    await shop.check_out(ada, "17.00")
    [payment] = await shop.payments(ada)
    shop.pay(payment)
    await settle(shop.context, payment.id)

    await decide(shop, payment, bob, "12.50", lines=lines, amount=amount)

    async with unit_of_work(shop.context.database) as uow:
        mail = (await uow.session.scalars(select(Mail))).one()
    assert mail.reply_to == answers_to
    assert sorted(line for line in mail.text.splitlines() if "Questions" in line) == asked
    assert mail.html.count("mailto:") == len(asked)


async def test_a_second_press_makes_no_second_debt_and_no_second_refund(shop: Shop, bob: int, bought: Payment) -> None:
    key = uuid4()
    for _ in range(3):
        await decide(shop, bought, bob, "12.50", lines=1, key=key)
    assert (len(await shop.debts()), shop.gateway.calls["refund"], await mails(shop)) == (1, 1, ["order-refund"])


async def test_a_second_press_does_not_try_again_what_was_refused(shop: Shop, bob: int, bought: Payment) -> None:
    shop.gateway.refuse_refunds("Balance too low")
    key = uuid4()
    for _ in range(2):
        await decide(shop, bought, bob, "12.50", lines=1, key=key)
    assert [(refund.state, refund.reason) for refund in await shop.refunds()] == [
        ("failed", "SumUp says: Balance too low")
    ]
    assert [debt.state for debt in await shop.debts()] == ["owed"]


async def test_what_is_left_changed_since_it_was_shown_so_nothing_is_done(
    shop: Shop, bob: int, bought: Payment
) -> None:
    await decide(shop, bought, bob, "2.50", lines=1, amount="2.50")
    with pytest.raises(Conflict):
        await decide(shop, bought, bob, "12.50", lines=1)
    assert len(await shop.debts()) == 1


async def test_a_lost_answer_is_looked_up_and_what_waits_for_it_follows_by_itself(
    shop: Shop, bob: int, bought: Payment
) -> None:
    shop.gateway.drop_next_answer("refund")
    shop.gateway.fail_after(1, GatewayUnavailable(), "transaction")
    await decide(shop, bought, bob, "25.00", lines=2)
    assert [refund.state for refund in await shop.refunds()] == ["unknown"]
    shop.clock.forward(minutes=1)
    await shop.work()
    async with unit_of_work(shop.context.database) as uow:
        payload = await uow.session.scalar(
            text("SELECT convert_from(payload, 'UTF8')::json FROM pgqueuer WHERE entrypoint = 'refund_debts'")
        )
    await run_refunds(shop.context, RefundJob.read(payload))
    assert [debt.state for debt in await shop.debts()] == ["settled", "settled"]
    assert shop.gateway.calls["refund"] == 2


async def test_of_an_order_that_was_paid_twice_the_payment_is_refunded_that_it_was_given_for(
    shop: Shop, ada: int, bob: int
) -> None:
    show = await shop.show(capacity=10)
    first = await shop.buy(ada, show)
    async with unit_of_work(shop.context.database) as uow:
        await uow.session.execute(text("UPDATE payments SET state = 'cancelled' WHERE id = :id"), {"id": first.id})
        await uow.commit()
    async with unit_of_work(shop.context.database) as uow:
        again = Payment(
            order_id=first.order_id,
            merchant_code=first.merchant_code,
            amount=first.amount,
            currency=first.currency,
            checkout_reference="again",
            return_token="again",
            webhook_token="again",
            valid_until=first.valid_until,
        )
        uow.session.add(again)
        await uow.session.flush()
        await uow.commit()
    await settle(shop.context, again.id)
    shop.pay(first, force=True)
    await settle(shop.context, first.id)
    assert (await look(shop, first)).payment_id == first.id
    await decide(shop, first, bob, "12.50", lines=1)
    assert {refund.payment_id for refund in await shop.refunds()} == {first.id}


async def test_an_unpaid_order_gives_nothing_back(shop: Shop, ada: int, bob: int, show: Show) -> None:
    payment = await shop.buy(ada, show)
    with pytest.raises(Conflict):
        await decide(shop, payment, bob, "12.50", lines=1)


async def test_a_page_gives_back_its_own_lines_and_no_amount_of_others(
    shop: Shop, ada: int, bob: int, show: Show
) -> None:
    other = await shop.show()
    await shop.add(ada, show)
    await shop.add(ada, other)
    await shop.check_out(ada, "25.00")
    payment = (await shop.payments(ada))[-1]
    shop.pay(payment)
    await settle(shop.context, payment.id)
    scope = PageScope(page_ids=frozenset({show.page_post_id}))
    order = await look(shop, payment, scope)
    assert (len(order.lines), order.is_whole) == (1, False)
    theirs = next(line for line in (await look(shop, payment)).lines if line.id != order.lines[0].id)
    for wish in (Wish(frozenset({theirs.id})), Wish(amount=Decimal(1))):
        with pytest.raises(BadInput):
            await refund_lines(shop.context, payment.order_id, Decision(wish, uuid4(), Decimal("12.50"), bob), scope)
    with pytest.raises(NotFound):
        await look(shop, payment, PageScope(page_ids=frozenset({other.page_post_id + 99})))
    assert await shop.debts() == []


async def test_a_refund_made_between_the_steps_of_ours_is_not_repeated(database: Database, settings: Settings) -> None:
    opened = open_shop(database, settings)
    gateway = InterruptedGateway(clock=opened.clock)
    shop = replace(opened, gateway=gateway, context=replace(opened.context, gateways=OneGateway(gateway)))
    ada, bob, show = await shop.shopper(), await shop.shopper(), await shop.show()
    bought, key = await shop.buy_and_pay(ada, show, 2), uuid4()

    async def press_again() -> None:
        await decide(shop, bought, bob, "25.00", lines=2, key=key)

    gateway.interrupt("refund", press_again)
    await decide(shop, bought, bob, "25.00", lines=2, key=key)
    assert gateway.calls["refund"] == 2
    assert [debt.state for debt in await shop.debts()] == ["settled", "settled"]
