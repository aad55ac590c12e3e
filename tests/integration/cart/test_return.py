"""Coming back from the payment: "paid", "checking" or "not paid", and never the wrong one."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from itertools import product

import pytest
from quart import Quart
from sqlalchemy import func, update
from sqlalchemy.ext.asyncio import AsyncSession

from cart.bp.cart.return_page import ReturnOutcome, judge, state_now
from shared.contracts.dtos import CheckoutStatus
from shared.contracts.errors import GatewayUnavailable
from shared.contracts.states import PAID_ORDER_STATES, OrderState, PaymentState
from shared.models import Payment
from shared.web.state import EXTENSION, AppState
from tests.factories.orders import make_debt, make_order
from tests.fakes.gateway import FakeGateway
from tests.integration.cart.conftest import FillCart, Show, later, make_paid_order, payments_of, tickets_of
from tests.support.visitor import Visitor

DOUBT = {PaymentState.CREATED, PaymentState.UNKNOWN, PaymentState.CLOSING, PaymentState.REVIEW}


async def _check_out(who: Visitor, session: AsyncSession) -> Payment:
    answer = await who.post("/checkout/", {"shown_total": "25.00"})
    assert answer.status == 303
    [payment] = await payments_of(session, who)
    return payment


def _address(payment: Payment) -> str:
    return f"/checkout/return/{payment.return_token}/"


@pytest.mark.parametrize(("payment", "order"), list(product(PaymentState, (None, *OrderState))))
def test_the_verdict_is_paid_only_for_what_is_paid(payment: PaymentState, order: OrderState | None) -> None:
    verdict = judge(payment, order)
    assert (verdict is ReturnOutcome.PAID) == (
        order in PAID_ORDER_STATES or (payment is PaymentState.PAID and order is None)
    )


@pytest.mark.parametrize(
    ("payment", "order"), list(product(sorted(DOUBT), (None, OrderState.PENDING, OrderState.EXPIRED)))
)
def test_what_is_in_doubt_is_being_checked(payment: PaymentState, order: OrderState | None) -> None:
    assert judge(payment, order) is ReturnOutcome.CHECKING


def test_an_open_payment_past_its_deadline_is_being_checked() -> None:
    status = CheckoutStatus.FAILED
    assert judge(PaymentState.OPEN, OrderState.PENDING, status=status, in_time=False) is ReturnOutcome.CHECKING


@pytest.mark.parametrize("order", [None, OrderState.PENDING])
def test_only_a_payment_that_the_provider_calls_failed_is_not_paid(order: OrderState | None) -> None:
    said = {status: judge(PaymentState.OPEN, order, status=status) for status in CheckoutStatus}
    assert [status for status, verdict in said.items() if verdict is ReturnOutcome.NOT_PAID] == [CheckoutStatus.FAILED]


@pytest.mark.parametrize(
    ("settled", "newest", "counts"),
    [
        (PaymentState.EXPIRED, PaymentState.UNKNOWN, PaymentState.UNKNOWN),
        (PaymentState.UNKNOWN, PaymentState.OPEN, PaymentState.UNKNOWN),
        (PaymentState.PAID, PaymentState.OPEN, PaymentState.PAID),
        (PaymentState.OPEN, None, PaymentState.OPEN),
    ],
)
def test_doubt_about_any_attempt_counts(settled: PaymentState, newest: PaymentState, counts: PaymentState) -> None:
    assert state_now(settled, newest) is counts


async def test_a_paid_order_shows_its_tickets_with_their_codes(
    ada: Visitor, show: Show, fill_cart: FillCart, session: AsyncSession, gateway: FakeGateway
) -> None:
    await fill_cart(ada, show, 2)
    payment = await _check_out(ada, session)
    gateway.pay(str(payment.checkout_id))
    page = await ada.get(_address(payment))
    assert page.status == 200
    assert page.text("h1") == "Paid. Thank you!"
    assert len(page.html.css("article.ticket svg[role=img]")) == 2
    assert "ada@maypole.example" in page.text(".lede")
    assert await tickets_of(session, ada) == ["confirmed"] * 2


async def test_whoever_left_without_paying_may_go_on_and_whoever_has_just_paid_may_wait(
    ada: Visitor, show: Show, fill_cart: FillCart, session: AsyncSession
) -> None:
    await fill_cart(ada, show, 2)
    payment = await _check_out(ada, session)
    page = await ada.get(_address(payment))
    assert page.text("h1") == "Checking your payment"
    assert page.text(".checking h2") == "No payment has reached us yet"
    assert "nothing was charged" not in page.text("body")
    assert page.attribute("[hx-get]", "hx-get") == _address(payment)
    assert page.attribute(".checking time", "datetime") == payment.valid_until.isoformat()
    assert page.has(f"form[action$='/orders/{payment.order_id}/pay/']")
    assert page.has(f"form[action$='/orders/{payment.order_id}/put-back/']")


async def test_whose_card_was_declined_reads_not_paid_and_may_go_on(
    ada: Visitor, show: Show, fill_cart: FillCart, session: AsyncSession, gateway: FakeGateway
) -> None:
    await fill_cart(ada, show, 2)
    payment = await _check_out(ada, session)
    gateway.decline_next()
    gateway.pay(str(payment.checkout_id))
    page = await ada.get(_address(payment))
    assert page.text("h1") == "Not paid"
    assert page.attribute(".notice time", "datetime") == payment.valid_until.isoformat()
    assert page.has(f"form[action$='/orders/{payment.order_id}/pay/']")
    assert page.has(f"form[action$='/orders/{payment.order_id}/put-back/']")


async def test_a_provider_out_of_reach_means_checking(
    ada: Visitor, show: Show, fill_cart: FillCart, session: AsyncSession, gateway: FakeGateway
) -> None:
    await fill_cart(ada, show, 2)
    payment = await _check_out(ada, session)
    gateway.pay(str(payment.checkout_id))
    gateway.fail_next(GatewayUnavailable("no route"), "get")
    page = await ada.get(_address(payment))
    assert page.text("h1") == "Checking your payment"
    assert page.html.css_first("head noscript meta, noscript meta") or "refresh" in (page.html.html or "")
    assert page.attribute("[hx-get]", "hx-get") == _address(payment)
    assert not page.has("form[action$='/pay/']")


async def test_what_is_paid_stays_paid_while_its_transaction_cannot_be_asked_for(
    ada: Visitor, visitor: Visitor, show: Show, fill_cart: FillCart, session: AsyncSession, gateway: FakeGateway
) -> None:
    await fill_cart(ada, show, 2)
    payment = await _check_out(ada, session)
    gateway.pay(str(payment.checkout_id))
    await ada.get(_address(payment))
    await session.execute(update(Payment).values(transaction_id=None, transaction_code=None))
    await session.commit()
    gateway.fail_next(GatewayUnavailable("no route"), "get")
    assert (await visitor.get(_address(payment))).text("h1") == "Paid. Thank you!"


async def test_polling_waits_and_then_loads_the_page_anew(
    ada: Visitor,
    show: Show,
    fill_cart: FillCart,
    session: AsyncSession,
    gateway: FakeGateway,
    running: AppState,
) -> None:
    await fill_cart(ada, show, 2)
    payment = await _check_out(ada, session)
    gateway.pay(str(payment.checkout_id))
    gateway.fail_next(GatewayUnavailable("no route"), "get")
    waiting = await ada.get(_address(payment), htmx=True)
    later(running, minutes=1)
    done = await ada.get(_address(payment), htmx=True)
    assert (waiting.status, waiting.headers.get("HX-Redirect")) == (204, None)
    assert (done.status, done.location) == (204, _address(payment))


async def test_past_the_deadline_an_open_payment_is_checked_and_cannot_be_paid(
    ada: Visitor, show: Show, session: AsyncSession, running: AppState, gateway: FakeGateway
) -> None:
    made = await make_order(session, show.entry, user_id=ada.id, ticket_type=show.adult)
    await session.commit()
    later(running, minutes=31)
    gateway.fail_next(GatewayUnavailable("no route"), "get")
    page = await ada.get(_address(made.paying))
    assert page.text("h1") == "Checking your payment"
    assert not page.has("form[action$='/pay/']")


@pytest.mark.parametrize("payment", [PaymentState.EXPIRED, PaymentState.CANCELLED])
async def test_an_order_that_released_says_that_all_is_back_in_the_cart(
    ada: Visitor, show: Show, session: AsyncSession, payment: PaymentState
) -> None:
    made = await make_order(
        session,
        show.entry,
        user_id=ada.id,
        ticket_type=show.adult,
        state=OrderState.EXPIRED,
        payment_state=payment,
        minutes_left=-5,
    )
    await session.commit()
    page = await ada.get(_address(made.paying))
    assert page.text("h1") == "Not paid"
    assert "back in your cart" in page.text(".main")
    assert not page.has("form[action$='/pay/']")


async def test_what_could_not_be_given_is_told_with_what_happens_to_the_money(
    ada: Visitor, show: Show, session: AsyncSession
) -> None:
    made = await make_paid_order(session, show, ada)
    await make_debt(session, made)
    await session.commit()
    page = await ada.get(_address(made.paying))
    assert page.text(".notice--warning .notice__title") == "You get money back"
    assert "The Tempest, Adult, £12.50: sold out" in page.text(".notice--warning li")
    assert "We owe you this money" in page.text(".notice--warning")


async def test_who_gets_nothing_for_the_payment_is_not_thanked_for_it(
    ada: Visitor, show: Show, session: AsyncSession
) -> None:
    made = await make_paid_order(session, show, ada)
    for line in range(len(made.lines)):
        await make_debt(session, made, line=line)
    await session.commit()
    page = await ada.get(_address(made.paying))
    assert page.text("h1") == "You get your money back"
    assert page.text("title").startswith("You get your money back")
    assert "Nothing of what you paid for could be given to you:" in page.text(".notice--warning")


async def test_a_payment_in_review_is_told_as_that_in_the_cart_and_on_the_order(
    ada: Visitor, show: Show, session: AsyncSession
) -> None:
    made = await make_order(
        session, show.entry, user_id=ada.id, ticket_type=show.adult, payment_state=PaymentState.REVIEW
    )
    await session.commit()
    for path in ("/", f"/orders/{made.order.id}/", _address(made.paying)):
        page = await ada.get(path)
        assert "A person has to look at this payment" in page.text("main")
        assert "a minute" not in page.text("main")
    assert (await ada.get("/")).text("#open-orders") == "Not settled yet"


@pytest.mark.parametrize("who", ["visitor", "bob"])
async def test_a_stranger_with_the_address_sees_the_state_alone(
    ada: Visitor, show: Show, session: AsyncSession, people: dict[str, Visitor], who: str
) -> None:
    made = await make_paid_order(session, show, ada)
    await session.commit()
    page = await people[who].get(_address(made.paying))
    assert page.text("h1") == "Paid. Thank you!"
    text = page.text("body")
    secrets = [made.order.number, "ada@", "The Tempest", str(made.tickets[0].code), "25.00"]
    assert [secret for secret in secrets if secret in text] == []


async def test_an_unknown_address_is_not_found(visitor: Visitor, gateway: FakeGateway) -> None:
    assert (await visitor.get("/checkout/return/no-such-token/")).status == 404
    assert not gateway.calls


async def test_many_looks_ask_the_provider_once_in_three_seconds(
    app: Quart, ada: Visitor, show: Show, fill_cart: FillCart, session: AsyncSession, gateway: FakeGateway
) -> None:
    await fill_cart(ada, show, 2)
    address = _address(await _check_out(ada, session))
    before = gateway.calls["get"]
    await asyncio.gather(*(app.test_client().get(address) for _ in range(30)))
    assert gateway.calls["get"] == before + 1

    state: AppState = app.extensions[EXTENSION]
    start = state.clock()
    state.clock = lambda: start + timedelta(seconds=3)
    await asyncio.gather(*(app.test_client().get(address) for _ in range(30)))
    assert gateway.calls["get"] == before + 2


async def test_what_was_paid_for_is_given_also_between_two_questions(
    ada: Visitor, show: Show, fill_cart: FillCart, session: AsyncSession, gateway: FakeGateway
) -> None:
    await fill_cart(ada, show, 2)
    payment = await _check_out(ada, session)
    await ada.get(_address(payment))
    await session.execute(update(Payment).values(state=PaymentState.PAID, paid_at=func.now()))
    await session.commit()

    assert (await ada.get(_address(payment))).text("h1") == "Paid. Thank you!"
    assert await tickets_of(session, ada) == ["confirmed"] * 2


async def test_who_looked_before_and_pays_at_once_is_told_so(
    ada: Visitor, show: Show, fill_cart: FillCart, session: AsyncSession, gateway: FakeGateway
) -> None:
    await fill_cart(ada, show, 2)
    payment = await _check_out(ada, session)
    assert (await ada.get(_address(payment))).text("h1") != "Paid. Thank you!"
    await ada.post(f"/orders/{payment.order_id}/pay/")
    gateway.pay(str(payment.checkout_id))
    assert (await ada.get(_address(payment))).text("h1") == "Paid. Thank you!"
