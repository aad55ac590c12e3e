"""Checkout over HTTP: to the payment, or back to the cart with the reason."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from cart.payments.create_checkout import TRIES
from shared.contracts.errors import GatewayUnavailable
from shared.models import TicketType
from tests.factories.calendar import make_type
from tests.factories.tickets import make_tickets
from tests.fakes.gateway import FakeGateway
from tests.integration.cart.conftest import FillCart, Show, make_show, orders_of, payments_of, set_account, tickets_of
from tests.support.visitor import Visitor


async def test_checkout_reserves_the_tickets_and_leads_to_the_payment(
    ada: Visitor, show: Show, fill_cart: FillCart, session: AsyncSession
) -> None:
    await fill_cart(ada, show, 2)
    answer = await ada.post("/checkout/", {"shown_total": "25.00"})
    [payment] = await payments_of(session, ada)
    assert (answer.status, answer.headers["location"]) == (303, payment.hosted_url)
    assert payment.amount == Decimal("25.00")
    assert await tickets_of(session, ada) == ["reserved"] * 2


async def test_a_checkout_by_htmx_makes_the_whole_browser_go(
    ada: Visitor, show: Show, fill_cart: FillCart, session: AsyncSession
) -> None:
    await fill_cart(ada, show, 2)
    answer = await ada.post("/checkout/", {"shown_total": "25.00"}, htmx=True)
    [payment] = await payments_of(session, ada)
    assert (answer.status, answer.headers["HX-Redirect"]) == (204, payment.hosted_url)


async def test_one_pages_checkout_takes_its_own_things_alone(
    ada: Visitor, show: Show, fill_cart: FillCart, session: AsyncSession
) -> None:
    await fill_cart(ada, show, 2)
    await fill_cart(ada, await make_show(session, name="Hamlet"), 1)
    answer = await ada.post(f"/{show.page.slug}/checkout/", {"shown_total": "25.00"})
    assert answer.status == 303
    assert sorted(await tickets_of(session, ada)) == ["pending", "reserved", "reserved"]


async def test_a_total_that_changed_is_shown_and_nothing_is_kept(
    ada: Visitor, show: Show, fill_cart: FillCart, session: AsyncSession, gateway: FakeGateway
) -> None:
    await fill_cart(ada, show, 2)
    adult = await session.get_one(TicketType, show.adult.id)
    adult.cost = Decimal("14.00")
    await session.commit()
    answer = await ada.post("/checkout/", {"shown_total": "25.00"})
    assert answer.status == 409
    assert "£28.00" in answer.text(".notice--bad")
    assert answer.attribute("form[action='/checkout/'] [name=shown_total]", "value") == "28.00"
    assert await orders_of(session, ada) == []
    assert await tickets_of(session, ada) == ["pending"] * 2
    assert not gateway.calls


@pytest.mark.parametrize("htmx", [False, True])
async def test_what_is_sold_out_is_marked_with_what_is_left_and_nothing_is_lost(
    ada: Visitor, bob: Visitor, fill_cart: FillCart, session: AsyncSession, gateway: FakeGateway, htmx: bool
) -> None:
    show = await make_show(session, capacity=3)
    other = await make_show(session, name="Hamlet")
    await fill_cart(ada, show, 2)
    await fill_cart(ada, other, 1)
    await make_tickets(session, show.entry, user_id=bob.id, ticket_type=show.adult, quantity=2)
    await session.commit()
    answer = await ada.post("/checkout/", {"shown_total": "37.50"}, htmx=htmx)
    assert answer.status == 409
    assert answer.text("li.line--bad .line__title") == "The Tempest"
    assert answer.text("li.line--bad .field__error") == "Only 1 left."
    assert "no longer available" in answer.text(".notice--bad .notice__title")
    assert await tickets_of(session, ada) == ["pending"] * 3
    assert await orders_of(session, ada) == []
    assert not gateway.calls


async def test_what_is_short_only_taken_together_is_marked_where_it_is_too_much(
    ada: Visitor, show: Show, fill_cart: FillCart, session: AsyncSession
) -> None:
    show.entry.capacity = 3
    child = await make_type(session, show.entry, "Child", "6.00")
    await session.commit()
    await fill_cart(ada, show, 2)
    await fill_cart(ada, replace(show, adult=child), 2)
    assert (await ada.get("/")).texts("li.line--bad .field__error") == ["Only 1 left."]
    answer = await ada.post("/checkout/", {"shown_total": "37.00"})
    assert answer.status == 409
    assert len(answer.html.css("li.line--bad .field__error")) == 2
    assert await tickets_of(session, ada) == ["pending"] * 4


async def test_a_second_press_goes_to_the_payment_of_the_first(
    ada: Visitor, show: Show, fill_cart: FillCart, session: AsyncSession, gateway: FakeGateway
) -> None:
    await fill_cart(ada, show, 2)
    first = await ada.post("/checkout/", {"shown_total": "25.00"})
    second = await ada.post("/checkout/", {"shown_total": "25.00"})
    assert second.status == 303
    assert second.headers["location"] == first.headers["location"]
    assert len(await payments_of(session, ada)) == 1
    assert gateway.calls["create"] == 1


async def test_an_empty_cart_cannot_be_checked_out(ada: Visitor) -> None:
    answer = await ada.post("/checkout/", {"shown_total": "0.00"})
    assert answer.status == 409
    assert "nothing in your cart" in answer.text(".notice--bad")


@pytest.mark.parametrize("body", [{}, {"shown_total": "lots"}, {"shown_total": "-1.00"}, {"shown_total": "NaN"}])
async def test_a_checkout_without_the_total_that_was_seen_is_refused(
    ada: Visitor, show: Show, fill_cart: FillCart, session: AsyncSession, body: dict[str, str]
) -> None:
    await fill_cart(ada, show)
    answer = await ada.post("/checkout/", body)
    assert answer.status == 422
    assert answer.has(".notice--bad")
    assert await orders_of(session, ada) == []


async def test_pages_of_several_accounts_are_not_checked_out_together(
    ada: Visitor, show: Show, fill_cart: FillCart, session: AsyncSession
) -> None:
    other = await make_show(session, name="Hamlet")
    await set_account(session, other.page, "MOTHER")
    await fill_cart(ada, show, 1)
    await fill_cart(ada, other, 1)
    answer = await ada.post("/checkout/", {"shown_total": "25.00"})
    assert answer.status == 409
    assert "separately" in answer.text(".notice--bad")
    assert await orders_of(session, ada) == []


async def test_a_provider_out_of_reach_is_told_and_nothing_is_lost(
    ada: Visitor, show: Show, fill_cart: FillCart, session: AsyncSession, gateway: FakeGateway
) -> None:
    await fill_cart(ada, show, 2)
    gateway.fail_next(GatewayUnavailable("no route"), "create", TRIES)
    answer = await ada.post("/checkout/", {"shown_total": "25.00"})
    assert answer.status == 503
    assert "Nothing was charged" in answer.text(".notice--bad")
    assert answer.text(".line__title") == "The Tempest"
    assert await tickets_of(session, ada) == ["pending"] * 2


async def test_a_lost_answer_of_the_provider_is_checked_and_never_paid_twice(
    ada: Visitor, show: Show, fill_cart: FillCart, session: AsyncSession, gateway: FakeGateway
) -> None:
    await fill_cart(ada, show, 2)
    gateway.drop_next_answer("create", TRIES)
    answer = await ada.post("/checkout/", {"shown_total": "25.00"})
    [payment] = await payments_of(session, ada)
    assert (answer.status, answer.location) == (303, f"/checkout/return/{payment.return_token}/")
    assert await tickets_of(session, ada) == ["reserved"] * 2
    page = await ada.get("/")
    assert page.has("article")
    assert not page.has("article form[action$='/pay/']")


async def test_a_free_order_needs_no_payment(
    ada: Visitor, fill_cart: FillCart, session: AsyncSession, gateway: FakeGateway
) -> None:
    show = await make_show(session, cost="0.00")
    await fill_cart(ada, show, 2)
    answer = await ada.post("/checkout/", {"shown_total": "0.00"})
    [order] = await orders_of(session, ada)
    assert (answer.status, answer.location) == (303, f"/orders/{order.id}/")
    assert await tickets_of(session, ada) == ["confirmed"] * 2
    assert not gateway.calls


@pytest.mark.parametrize("path", ["/checkout/", "/{slug}/checkout/"])
async def test_a_stranger_without_a_cart_is_told_that_it_is_empty(visitor: Visitor, show: Show, path: str) -> None:
    answer = await visitor.post(path.format(slug=show.page.slug), {"shown_total": "0.00"})
    assert answer.status == 409
    assert "nothing in your cart" in answer.text(".notice--bad")


@pytest.mark.parametrize(("path", "to"), [("/checkout/", "/"), ("/{slug}/checkout/", "/{slug}/")])
async def test_the_address_of_a_refused_checkout_leads_to_the_cart(
    ada: Visitor, show: Show, path: str, to: str
) -> None:
    answer = await ada.get(path.format(slug=show.page.slug))
    assert (answer.status, answer.location) == (303, to.format(slug=show.page.slug))


async def test_a_page_that_does_not_exist_has_no_checkout(ada: Visitor) -> None:
    assert (await ada.post("/no-such-page/checkout/", {"shown_total": "0.00"})).status == 404
