"""A shopper's orders: the list, the page, and the two ways on."""

from __future__ import annotations

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from shared.contracts.states import OrderState, PaymentState
from shared.labels import ORDER_TAGS
from tests.factories.orders import make_order
from tests.fakes.gateway import FakeGateway
from tests.integration.cart.conftest import (
    FillCart,
    Show,
    make_paid_order,
    orders_of,
    payments_of,
    tickets_of,
)
from tests.support.queries import counted_queries
from tests.support.visitor import Visitor

OF_AN_ORDER = [
    ("get", "/orders/{id}/"),
    ("post", "/orders/{id}/pay/"),
    ("post", "/orders/{id}/put-back/"),
]


async def test_orders_are_listed_newest_first_a_page_at_a_time(ada: Visitor, show: Show, session: AsyncSession) -> None:
    made = [
        await make_order(
            session, show.entry, user_id=ada.id, state=OrderState.PAID, payment_state=PaymentState.PAID, quantity=1
        )
        for _ in range(23)
    ]
    await session.commit()
    first = await ada.get("/orders/")
    rest = await ada.get(first.attribute("a[rel=next]", "href") or "")
    numbers = [m.order.number for m in reversed(made)]
    assert first.texts("tbody th") + rest.texts("tbody th") == numbers
    assert not rest.has("a[rel=next]")


async def test_the_list_holds_nobody_elses_orders(
    ada: Visitor, bob: Visitor, show: Show, session: AsyncSession
) -> None:
    await make_order(session, show.entry, user_id=ada.id)
    await session.commit()
    assert (await bob.get("/orders/")).text(".empty__title") == "You have no orders yet"


@pytest.mark.parametrize("before", ["x", "-1", "1.5", "9" * 30])
async def test_a_part_of_the_list_that_cannot_be_is_refused(ada: Visitor, before: str) -> None:
    assert (await ada.get(f"/orders/?before={before}")).status == 422


async def test_a_paid_order_shows_lines_total_and_codes(ada: Visitor, show: Show, session: AsyncSession) -> None:
    made = await make_paid_order(session, show, ada)
    await session.commit()
    page = await ada.get(f"/orders/{made.order.id}/")
    assert page.text(".page-head .tag") == "Paid"
    assert page.texts("tbody td") == ["2", "£12.50", "£25.00"]
    assert page.texts(".ticket__code") == [str(ticket.code) for ticket in made.tickets]
    assert len(page.html.css(".ticket svg[role=img]")) == 2


@pytest.mark.parametrize("state", list(OrderState))
async def test_every_state_is_said_in_words(ada: Visitor, show: Show, session: AsyncSession, state: OrderState) -> None:
    paid = state in {OrderState.PAID, OrderState.PARTIALLY_REFUNDED, OrderState.REFUNDED}
    payment = PaymentState.PAID if paid else PaymentState.OPEN if state is OrderState.PENDING else PaymentState.EXPIRED
    made = await make_order(session, show.entry, user_id=ada.id, state=state, payment_state=payment)
    await session.commit()
    page = await ada.get(f"/orders/{made.order.id}/")
    assert page.status == 200
    assert page.text(".page-head .tag") == ORDER_TAGS[state][0]


@pytest.mark.parametrize(("method", "path"), OF_AN_ORDER)
async def test_anothers_order_is_not_found(
    ada: Visitor, bob: Visitor, show: Show, session: AsyncSession, gateway: FakeGateway, method: str, path: str
) -> None:
    made = await make_order(session, show.entry, user_id=ada.id, ticket_type=show.adult)
    await session.commit()
    answer = await getattr(bob, method)(path.format(id=made.order.id))
    assert answer.status == 404
    assert not gateway.calls
    assert await tickets_of(session, ada) == ["reserved"] * 2


@pytest.mark.parametrize(("method", "path"), OF_AN_ORDER)
async def test_an_order_that_does_not_exist_is_not_found(ada: Visitor, method: str, path: str) -> None:
    assert (await getattr(ada, method)(path.format(id=4711))).status == 404


@pytest.mark.parametrize(("method", "path"), OF_AN_ORDER)
async def test_whoever_is_not_signed_in_is_sent_to_sign_in(visitor: Visitor, method: str, path: str) -> None:
    answer = await getattr(visitor, method)(path.format(id=1))
    assert answer.status == (303 if method == "get" else 401)


@pytest.mark.parametrize("htmx", [False, True])
async def test_continue_to_payment_leads_to_the_same_payment(
    ada: Visitor, show: Show, fill_cart: FillCart, session: AsyncSession, gateway: FakeGateway, htmx: bool
) -> None:
    await fill_cart(ada, show, 2)
    first = await ada.post("/checkout/", {"shown_total": "25.00"})
    [order] = await orders_of(session, ada)
    answer = await ada.post(f"/orders/{order.id}/pay/", htmx=htmx)
    assert answer.location == first.location
    assert gateway.calls["create"] == 1


async def test_a_paid_order_cannot_be_paid_again(
    ada: Visitor, show: Show, session: AsyncSession, gateway: FakeGateway
) -> None:
    made = await make_order(session, show.entry, user_id=ada.id, state=OrderState.PAID, payment_state=PaymentState.PAID)
    await session.commit()
    answer = await ada.post(f"/orders/{made.order.id}/pay/")
    assert (answer.status, answer.location) == (303, f"/orders/{made.order.id}/")
    assert gateway.calls["create"] == 0


async def test_put_back_fences_and_fills_the_cart_again(
    ada: Visitor, show: Show, fill_cart: FillCart, session: AsyncSession, gateway: FakeGateway
) -> None:
    await fill_cart(ada, show, 2)
    await ada.post("/checkout/", {"shown_total": "25.00"})
    [order] = await orders_of(session, ada)
    answer = await ada.post(f"/orders/{order.id}/put-back/")
    assert (answer.status, answer.location) == (303, "/?notice=put-back")
    assert gateway.calls["cancel"] == 1
    assert await tickets_of(session, ada) == ["pending"] * 2
    page = await ada.get(answer.location)
    assert "back in your cart" in page.text(".notice--good")
    assert not page.has("article")


async def test_put_back_of_an_order_that_was_paid_meanwhile_leads_to_the_order(
    ada: Visitor, show: Show, fill_cart: FillCart, session: AsyncSession, gateway: FakeGateway
) -> None:
    await fill_cart(ada, show, 2)
    await ada.post("/checkout/", {"shown_total": "25.00"})
    [order] = await orders_of(session, ada)
    [payment] = await payments_of(session, ada)
    gateway.pay(str(payment.checkout_id))
    answer = await ada.post(f"/orders/{order.id}/put-back/")
    assert (answer.status, answer.location) == (303, f"/orders/{order.id}/")
    assert (await ada.get(answer.location)).text(".page-head .tag") == "Paid"
    assert await tickets_of(session, ada) == ["confirmed"] * 2


@pytest.mark.parametrize("quantity", [1, 12])
async def test_the_order_pages_queries_do_not_depend_on_its_lines(
    ada: Visitor, show: Show, session: AsyncSession, quantity: int
) -> None:
    made = await make_order(session, show.entry, user_id=ada.id, ticket_type=show.adult, quantity=quantity)
    await session.commit()
    with counted_queries(every=True) as statements:
        await ada.get(f"/orders/{made.order.id}/")
    assert len(statements) == ORDER_PAGE_QUERIES, statements


ORDER_PAGE_QUERIES = 12
