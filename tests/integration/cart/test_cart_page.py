"""The cart's page: what is in it, whose it is, and changing it."""

from __future__ import annotations

from dataclasses import replace
from typing import cast

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from cart.app import create_app
from shared.contracts.protocols import CalendarService
from shared.contracts.states import PaymentState
from shared.services.stubs import StubCalendarService
from shared.services.wiring import sql_services
from shared.settings import Settings
from shared.web.state import AppState, utc_now
from tests.factories.orders import make_order
from tests.integration.cart.conftest import (
    FillCart,
    Jam,
    PutProducts,
    Show,
    later,
    make_show,
    set_account,
    tickets_of,
)
from tests.support.queries import counted_queries
from tests.support.visitor import Visitor


async def test_a_strangers_cart_is_empty_and_leads_on_or_to_the_sign_in(visitor: Visitor) -> None:
    page = await visitor.get("/")
    assert page.status == 200
    assert page.text("#cart-panel .empty__title") == "Your cart is empty"
    assert page.text("#cart-panel .empty .btn") == "See what\N{RIGHT SINGLE QUOTATION MARK}s on"
    assert "Sign in to see what you put in before" in page.texts("#cart-panel a")


async def test_an_empty_cart_leads_to_the_programme(ada: Visitor) -> None:
    page = await ada.get("/")
    assert page.attribute("#cart-panel .empty .btn", "href") == "http://localhost:8003/"


async def test_tickets_in_the_cart_are_shown_with_total_badge_and_notice(
    ada: Visitor, show: Show, fill_cart: FillCart
) -> None:
    await fill_cart(ada, show, 3)
    page = await ada.get("/")
    assert page.text(".line__title") == "The Tempest"
    assert "Adult, £12.50 each" in page.text(".line__detail")
    assert page.text(".lines .price") == "£37.50"
    assert page.text("#grand-total") == "£37.50"
    assert page.text(".cart-badge__count") == "3"
    assert page.texts("#cart-panel .tag") == ["3 tickets"]
    assert "If the event sells out before payment, you will be refunded." in page.texts("#cart-panel .small.muted")
    assert page.attribute("form[action='/checkout/'] [name=shown_total]", "value") == "37.50"


async def test_each_page_has_its_group_and_its_own_checkout(
    ada: Visitor, show: Show, fill_cart: FillCart, session: AsyncSession
) -> None:
    other = await make_show(session, name="Hamlet", cost="8.00")
    await fill_cart(ada, show, 2)
    await fill_cart(ada, other, 1)
    page = await ada.get("/")
    assert sorted(page.texts("section.card h2")) == ["Home of Hamlet", "Home of The Tempest"]
    assert page.attribute(f"form[action='/{show.page.slug}/checkout/'] [name=shown_total]", "value") == "25.00"
    assert page.attribute(f"form[action='/{other.page.slug}/checkout/'] [name=shown_total]", "value") == "8.00"
    assert page.attribute("form[action='/checkout/'] [name=shown_total]", "value") == "33.00"


async def test_pages_of_several_accounts_have_no_common_checkout(
    ada: Visitor, show: Show, fill_cart: FillCart, session: AsyncSession
) -> None:
    other = await make_show(session, name="Hamlet")
    await set_account(session, other.page, "MOTHER")
    await fill_cart(ada, show)
    await fill_cart(ada, other)
    page = await ada.get("/")
    assert not page.has("form[action='/checkout/']")
    assert page.has(f"form[action='/{other.page.slug}/checkout/']")
    assert "separate accounts" in page.text("aside")


async def test_one_pages_part_of_the_cart_shows_nothing_else(
    ada: Visitor, show: Show, fill_cart: FillCart, session: AsyncSession
) -> None:
    await fill_cart(ada, show)
    await fill_cart(ada, await make_show(session, name="Hamlet"))
    page = await ada.get(f"/{show.page.slug}/")
    assert page.text(".line__title") == "The Tempest"
    assert page.text("#grand-total") == "£25.00"
    assert page.attribute("form[action$='/checkout/']", "action") == f"/{show.page.slug}/checkout/"


async def test_a_page_that_does_not_exist_is_not_found(ada: Visitor) -> None:
    assert (await ada.get("/no-such-page/")).status == 404


async def test_a_line_that_cannot_be_had_is_marked_with_what_is_left(
    ada: Visitor, fill_cart: FillCart, session: AsyncSession
) -> None:
    show = await make_show(session, capacity=1)
    await fill_cart(ada, show, 2)
    page = await ada.get("/")
    assert page.text("li.line--bad .field__error") == "Only 1 left."


async def test_nobody_sees_anothers_cart(ada: Visitor, bob: Visitor, show: Show, fill_cart: FillCart) -> None:
    await fill_cart(ada, show)
    assert not (await bob.get("/")).has(".lines")


@pytest.mark.parametrize("lines", [1, 6])
async def test_the_number_of_queries_does_not_depend_on_the_lines(
    ada: Visitor, fill_cart: FillCart, session: AsyncSession, lines: int
) -> None:
    for number in range(lines):
        show = await make_show(session, name=f"Play {number}")
        await fill_cart(ada, show)
        await make_order(session, show.entry, user_id=ada.id, ticket_type=show.adult)
    await session.commit()
    with counted_queries(every=True) as statements:
        page = await ada.get("/")
    assert len(page.html.css("section.card")) == lines
    assert len(statements) == CART_PAGE_QUERIES, statements


CART_PAGE_QUERIES = 16


# --- Changing it ---


async def test_the_number_of_tickets_can_be_changed(
    ada: Visitor, show: Show, fill_cart: FillCart, session: AsyncSession
) -> None:
    await fill_cart(ada, show, 1)
    answer = await ada.post("/cart/tickets/", show.form(quantity="4"))
    assert (answer.status, answer.location) == (303, "/")
    assert await tickets_of(session, ada) == ["pending"] * 4


async def test_a_change_made_on_one_pages_part_leads_back_to_it(ada: Visitor, show: Show, fill_cart: FillCart) -> None:
    await fill_cart(ada, show)
    answer = await ada.post("/cart/tickets/", show.form(quantity="1", view=show.page.slug))
    assert (answer.status, answer.location) == (303, f"/{show.page.slug}/")


async def test_a_line_can_be_removed_whatever_its_number_field_says(
    ada: Visitor, show: Show, fill_cart: FillCart, session: AsyncSession
) -> None:
    await fill_cart(ada, show, 2)
    answer = await ada.post("/cart/tickets/", show.form(quantity="abc", remove="1"))
    assert answer.status == 303
    assert await tickets_of(session, ada) == []


async def test_htmx_gets_the_panel_and_the_new_badge(
    ada: Visitor, show: Show, fill_cart: FillCart, session: AsyncSession
) -> None:
    await fill_cart(ada, show, 1)
    answer = await ada.post("/cart/tickets/", show.form(quantity="3"), htmx=True)
    assert answer.status == 200
    assert not answer.has("header.site-header")
    assert answer.text("#grand-total") == "£37.50"
    assert answer.text("#cart-mini[hx-swap-oob] .cart-badge__count") == "3"
    assert await tickets_of(session, ada) == ["pending"] * 3


@pytest.mark.parametrize(
    ("typed", "htmx"),
    [(typed, False) for typed in ("-1", "1.5", "two", "", "9" * 30, "1000000000", "٣", "400")] + [("-1", True)],
)
async def test_a_number_that_cannot_be_is_refused_at_its_line_and_kept(
    ada: Visitor, show: Show, fill_cart: FillCart, session: AsyncSession, typed: str, htmx: bool
) -> None:
    await fill_cart(ada, show, 2)
    answer = await ada.post("/cart/tickets/", show.form(quantity=typed), htmx=htmx)
    assert answer.status == 422
    field = "li.line--bad input.qty"
    assert answer.attribute(field, "value") == typed
    assert answer.attribute(field, "aria-invalid") == "true"
    assert answer.text(f"#{answer.attribute(field, 'aria-describedby')}")
    assert await tickets_of(session, ada) == ["pending"] * 2


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"entry_id": "x", "quantity": "1"},
        {"entry_id": "1", "ticket_type_id": "-5", "quantity": "1"},
        {"entry_id": "9" * 40, "quantity": "1"},
    ],
)
async def test_a_form_that_no_page_of_ours_sends_is_refused(ada: Visitor, body: dict[str, str]) -> None:
    assert (await ada.post("/cart/tickets/", body)).status == 422


async def test_one_persons_form_changes_nobody_elses_cart(
    ada: Visitor, bob: Visitor, show: Show, fill_cart: FillCart, session: AsyncSession
) -> None:
    await fill_cart(ada, show, 2)
    await fill_cart(bob, show, 1)
    await bob.post("/cart/tickets/", show.form(remove="1"))
    assert await tickets_of(session, ada) == ["pending"] * 2
    assert await tickets_of(session, bob) == []


async def test_only_somebody_who_is_signed_in_changes_a_cart(visitor: Visitor, show: Show) -> None:
    assert (await visitor.post("/cart/tickets/", show.form(quantity="1"))).status == 401


# --- Unpaid orders ---


async def test_an_unpaid_order_stands_on_top_with_its_ways_on(ada: Visitor, show: Show, session: AsyncSession) -> None:
    made = await make_order(session, show.entry, user_id=ada.id, ticket_type=show.adult)
    await session.commit()
    page = await ada.get("/")
    assert page.text("article h3") == f"Order {made.order.number}"
    assert page.text("article li") == "2 \u00d7 The Tempest, Adult"
    assert page.has(f"article form[action='/orders/{made.order.id}/pay/']")
    assert page.has(f"article form[action='/orders/{made.order.id}/put-back/']")
    assert page.attribute("article time[data-countdown]", "datetime") == made.order.expires_at.isoformat()


async def test_a_guests_unpaid_order_can_be_paid_there_but_not_opened(
    guest: Visitor, jam: Jam, put_products: PutProducts
) -> None:
    await put_products(guest, jam.variant_id)
    await guest.post("/checkout/", {"shown_total": "4.50", "email": "guest@maypole.example"})
    page = await guest.get("/")
    assert page.text("article h3").startswith("Order ")
    assert not page.has("article h3 a")
    assert page.has("article form[action$='/pay/']")
    assert page.has("article form[action$='/put-back/']")


@pytest.mark.parametrize("payment", [PaymentState.CREATED, PaymentState.UNKNOWN, PaymentState.CLOSING])
async def test_an_order_whose_payment_is_in_doubt_cannot_be_paid_again(
    ada: Visitor, show: Show, session: AsyncSession, payment: PaymentState
) -> None:
    await make_order(session, show.entry, user_id=ada.id, ticket_type=show.adult, payment_state=payment)
    await session.commit()
    page = await ada.get("/")
    assert "We are checking" in page.text("article strong")
    assert not page.has("article form")


async def test_an_order_out_of_time_cannot_be_paid(
    ada: Visitor, show: Show, session: AsyncSession, running: AppState
) -> None:
    made = await make_order(session, show.entry, user_id=ada.id, ticket_type=show.adult)
    await session.commit()
    later(running, minutes=31)
    page = await ada.get("/")
    assert not page.has(f"form[action='/orders/{made.order.id}/pay/']")
    assert page.has(f"form[action='/orders/{made.order.id}/put-back/']")


# --- The app itself ---


def test_the_app_refuses_to_start_on_a_calendar_that_does_nothing(settings: Settings) -> None:
    stub = cast("CalendarService", StubCalendarService())
    with pytest.raises(RuntimeError, match="stub"):
        create_app(settings, replace(sql_services(settings, utc_now), calendar=stub))
