"""Products and bookings in the cart: shown with what is known against them, changed, and taken out with one press."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from shared.models import BookingRule, Calendar, CalendarEntry, CartItem, Post, Product, ProductVariant, Ticket
from shared.web.state import AppState
from tests.factories.calendar import make_calendar, make_rule
from tests.integration.cart.conftest import (
    FillCart,
    Jam,
    PutProducts,
    Show,
    book,
    fresh,
    make_jam,
    make_show,
    set_account,
)
from tests.support.queries import counted_queries
from tests.support.visitor import Visitor

TIDY = "/cart/tidy/"


async def in_cart(session: AsyncSession) -> dict[int, int]:
    """Return how many of each variant are in carts now."""
    async with fresh(session) as now:
        rows = await now.execute(select(CartItem.variant_id, CartItem.quantity))
        return {row.variant_id: row.quantity for row in rows}


# --- Looking at it ---


async def test_a_guest_sees_products_and_bookings_with_their_sum_and_badge(
    guest: Visitor, jam: Jam, hall: Calendar, put_products: PutProducts, running: AppState, session: AsyncSession
) -> None:
    await put_products(guest, jam.variant_id, 2)
    await book(running, session, guest, hall)
    page = await guest.get("/")
    assert page.texts("h3") == ["Products", "Bookings"]
    assert page.text("#grand-total") == "£17.00"
    assert page.text(".cart-badge__count") == "3"
    assert "2 products 1 booking" in page.text("#cart-mini")


async def test_vat_is_shown_by_rate(guest: Visitor, jam: Jam, put_products: PutProducts) -> None:
    await put_products(guest, jam.variant_id, 2)
    totals = (await guest.get("/")).text("aside .totals")
    assert "VAT included, 20% of £7.50£1.50" in totals


async def test_who_sells_on_which_terms_and_where_to_collect_is_read_before_paying(
    guest: Visitor, jam: Jam, put_products: PutProducts, running: AppState, session: AsyncSession
) -> None:
    await running.services.blog.configure_page(  # type: ignore[attr-defined]
        session,
        jam.page_post_id,
        seller_name="The Barn Trust",
        seller_address="Barn Lane 1",
        seller_email="ann@barn.example",
        seller_phone="01632 960123",
        has_market=True,
        terms="Jars come back.",
        refund_policy="Within two weeks.",
        collection_place="The barn door",
        collection_times="Saturdays",
    )
    await put_products(guest, jam.variant_id)
    page = await guest.get("/")
    text = page.text("#cart-panel")
    for words in ("Barn Lane 1", "Jars come back.", "Within two weeks.", "The barn door", "Saturdays"):
        assert words in text
    assert page.text("#cart-panel a[href='mailto:ann@barn.example']") == "ann@barn.example"
    assert page.text("#cart-panel a[href='tel:01632960123']") == "01632 960123"


async def test_a_seller_who_says_only_how_to_write_to_them_is_named_by_their_page(
    guest: Visitor, jam: Jam, put_products: PutProducts, running: AppState, session: AsyncSession
) -> None:
    await running.services.blog.configure_page(  # type: ignore[attr-defined]
        session, jam.page_post_id, has_market=True, seller_email="ann@barn.example"
    )
    await put_products(guest, jam.variant_id)
    page = await guest.get("/")
    assert "Sold by Barn of Plum jam" in page.text("#cart-panel")
    assert page.has("#cart-panel a[href='mailto:ann@barn.example']")
    assert not page.has("#cart-panel a[href^='tel:']")


async def test_a_seller_who_says_nothing_of_it_has_no_links(
    guest: Visitor, jam: Jam, put_products: PutProducts
) -> None:
    await put_products(guest, jam.variant_id)
    assert not (await guest.get("/")).has("#cart-panel a:is([href^='mailto:'], [href^='tel:'])")


async def test_somebody_elses_products_and_bookings_are_not_shown(
    guest: Visitor,
    bob: Visitor,
    visitor: Visitor,
    jam: Jam,
    hall: Calendar,
    put_products: PutProducts,
    running: AppState,
    session: AsyncSession,
) -> None:
    await put_products(guest, jam.variant_id, 2)
    await book(running, session, guest, hall)
    for other in (bob, visitor):
        assert not (await other.get("/")).has(".lines")


@pytest.mark.parametrize("lines", [1, 5])
async def test_the_number_of_queries_does_not_depend_on_the_lines(
    ada: Visitor,
    put_products: PutProducts,
    fill_cart: FillCart,
    running: AppState,
    session: AsyncSession,
    lines: int,
) -> None:
    for number in range(lines):
        await put_products(ada, (await make_jam(session, title=f"Jam {number}")).variant_id, 2)
        calendar = await make_calendar(session, name=f"Hall {number}", whole_room=bool(number % 2))
        await make_rule(session, calendar)
        await session.commit()
        await book(running, session, ada, calendar)
        await fill_cart(ada, await make_show(session, name=f"Play {number}"))
    with counted_queries(every=True) as statements:
        page = await ada.get("/")
    assert len(page.html.css("section.card")) == 3 * lines
    # Two more where rooms that are let as a whole and places of slots are both in the cart.
    assert len(statements) == CART_PAGE_QUERIES + 2 * (lines > 1), statements


CART_PAGE_QUERIES = 22

# --- Changing it ---


@pytest.mark.parametrize("htmx", [False, True])
async def test_the_number_of_a_product_can_be_changed(
    guest: Visitor, jam: Jam, put_products: PutProducts, session: AsyncSession, htmx: bool
) -> None:
    await put_products(guest, jam.variant_id, 2)
    answer = await guest.post(
        "/cart/products/", {"variant_id": str(jam.variant_id), "quantity": "4", "view": ""}, htmx=htmx
    )
    assert (answer.status, answer.location) == ((200, "") if htmx else (303, "/"))
    if htmx:
        assert answer.text("#grand-total") == "£18.00"
        assert answer.text(".cart-badge__count") == "4"
    assert await in_cart(session) == {jam.variant_id: 4}


@pytest.mark.parametrize("form", [{"quantity": "0"}, {"quantity": "3", "remove": "1"}])
async def test_a_product_can_be_taken_out(
    guest: Visitor, jam: Jam, put_products: PutProducts, session: AsyncSession, form: dict[str, str]
) -> None:
    await put_products(guest, jam.variant_id, 2)
    answer = await guest.post("/cart/products/", {"variant_id": str(jam.variant_id), "view": "", **form})
    assert (answer.status, await in_cart(session)) == (303, {})


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("6", "Only 5 of Plum jam left."),
        ("100", "You can buy at most 99 of Plum jam at once."),
        ("-1", "Enter a whole number, such as 2."),
        ("two", "Enter a whole number, such as 2."),
        ("", "Enter a whole number, such as 2."),
        ("9" * 30, "You can buy at most 99 of Plum jam at once."),
    ],
)
async def test_a_number_that_cannot_be_had_is_explained_at_its_line(
    guest: Visitor, jam: Jam, put_products: PutProducts, session: AsyncSession, typed: str, words: str
) -> None:
    await put_products(guest, jam.variant_id, 2)
    answer = await guest.post("/cart/products/", {"variant_id": str(jam.variant_id), "quantity": typed, "view": ""})
    assert answer.status == 422
    assert answer.text("li.line--bad .field__error") == words
    assert answer.attribute("li.line--bad input.qty", "value") == typed
    assert await in_cart(session) == {jam.variant_id: 2}


@pytest.mark.parametrize("variant", ["", "x", "-1", "9" * 25])
async def test_a_form_that_names_no_product_is_refused(guest: Visitor, variant: str) -> None:
    assert (await guest.post("/cart/products/", {"variant_id": variant, "quantity": "1"})).status == 422


async def test_a_product_that_does_not_exist_is_not_found(guest: Visitor, session: AsyncSession) -> None:
    answer = await guest.post("/cart/products/", {"variant_id": "4711", "quantity": "1", "view": ""})
    assert (answer.status, await in_cart(session)) == (404, {})


@pytest.mark.parametrize("htmx", [False, True])
async def test_a_booking_can_be_taken_out(
    guest: Visitor, hall: Calendar, running: AppState, session: AsyncSession, htmx: bool
) -> None:
    entry_id = await book(running, session, guest, hall)
    answer = await guest.post("/cart/bookings/", {"entry_id": str(entry_id), "view": ""}, htmx=htmx)
    assert answer.status == (200 if htmx else 303)
    async with fresh(session) as now:
        assert await now.scalar(select(CalendarEntry.state)) == "cancelled"


async def test_nobody_else_changes_a_cart(
    guest: Visitor,
    bob: Visitor,
    jam: Jam,
    hall: Calendar,
    put_products: PutProducts,
    running: AppState,
    session: AsyncSession,
) -> None:
    await put_products(guest, jam.variant_id, 2)
    entry_id = await book(running, session, guest, hall)
    await bob.post("/cart/products/", {"variant_id": str(jam.variant_id), "quantity": "0", "view": ""})
    await bob.post("/cart/bookings/", {"entry_id": str(entry_id), "view": ""})
    await bob.post(TIDY, {"view": ""})
    assert await in_cart(session) == {jam.variant_id: 2}
    async with fresh(session) as now:
        assert await now.scalar(select(CalendarEntry.state)) == "pending"


# --- What is known against a line ---


async def set_stock(session: AsyncSession, jam: Jam, stock: int) -> None:
    """Let there be so many jars."""
    await session.execute(update(ProductVariant).where(ProductVariant.id == jam.variant_id).values(stock=stock))
    await session.commit()


@pytest.mark.parametrize(("stock", "words"), [(1, "Only 1 left."), (0, "Sold out.")])
async def test_fewer_than_wanted_are_told_at_the_line(
    guest: Visitor, jam: Jam, put_products: PutProducts, session: AsyncSession, stock: int, words: str
) -> None:
    await put_products(guest, jam.variant_id, 2)
    await set_stock(session, jam, stock)
    page = await guest.get("/")
    assert page.text("li.line--bad .field__error") == words
    assert page.has(f"form[action='{TIDY}']")


async def test_what_is_no_longer_sold_is_told(
    guest: Visitor, jam: Jam, put_products: PutProducts, session: AsyncSession
) -> None:
    await put_products(guest, jam.variant_id)
    await session.execute(update(Product).values(published=False))
    await session.commit()
    assert (await guest.get("/")).text("li.line--bad .field__error") == "This is no longer sold."


async def test_a_time_that_somebody_else_has_is_told(
    guest: Visitor, ada: Visitor, hall: Calendar, running: AppState, session: AsyncSession
) -> None:
    await book(running, session, guest, hall)
    await book(running, session, ada, hall)
    await ada.post("/checkout/", {"shown_total": "8.00"})
    told = "This time has been taken. It is not paid yet, so it may come back."
    assert (await guest.get("/")).text("li.line--bad .field__error") == told


async def test_a_changed_price_is_told_and_does_not_stand_in_the_way(
    guest: Visitor, jam: Jam, put_products: PutProducts, session: AsyncSession
) -> None:
    await put_products(guest, jam.variant_id, 2)
    await session.execute(update(ProductVariant).values(price=Decimal("5.00")))
    await session.commit()
    page = await guest.get("/")
    assert page.text(".lines .field__hint") == "The price has changed: it was £4.50."
    assert page.text("#grand-total") == "£10.00"
    assert not page.has("li.line--bad")


async def test_changed_prices_of_tickets_and_bookings_are_told(
    ada: Visitor, show: Show, hall: Calendar, running: AppState, session: AsyncSession
) -> None:
    await running.services.calendar.add_pending_tickets(
        session, user_id=ada.id, entry_id=show.entry.id, choice={show.adult.id: 1}, now=datetime.now(UTC)
    )
    await session.commit()
    await book(running, session, ada, hall)
    show.adult.cost = Decimal("15.00")
    await session.execute(update(BookingRule).values(price=Decimal("9.00")))
    await session.commit()
    page = await ada.get("/")
    assert page.texts(".lines .field__hint") == [  # the home of the play comes before the hall
        "The price has changed: it was £12.50.",
        "The price has changed: it was £8.00.",
    ]
    assert page.text("#grand-total") == "£24.00"


@pytest.mark.parametrize("htmx", [False, True])
async def test_one_press_takes_out_what_cannot_be_had(  # noqa: PLR0917 - fixtures
    ada: Visitor,
    bob: Visitor,
    jam: Jam,
    hall: Calendar,
    show: Show,
    put_products: PutProducts,
    fill_cart: FillCart,
    running: AppState,
    session: AsyncSession,
    htmx: bool,
) -> None:
    await put_products(ada, jam.variant_id, 3)
    await book(running, session, ada, hall)
    await book(running, session, bob, hall)
    await bob.post("/checkout/", {"shown_total": "8.00"})
    await fill_cart(ada, show, 3)
    show.entry.capacity = 2
    await set_stock(session, jam, 1)

    answer = await ada.post(TIDY, {"view": ""}, htmx=htmx)

    assert (answer.status, answer.location) == ((200, "") if htmx else (303, "/?notice=tidied"))
    page = answer if htmx else await ada.get(answer.location)
    assert "was taken out" in page.text("#cart-panel .notice--good")
    assert page.text("#grand-total") == "£29.50"
    assert not page.has("li.line--bad")
    assert await in_cart(session) == {jam.variant_id: 1}
    async with fresh(session) as now:
        assert await now.scalar(select(func.count()).where(Ticket.user_id == ada.id, Ticket.state == "pending")) == 2


async def test_tidying_one_page_leaves_the_others_alone(
    guest: Visitor, put_products: PutProducts, session: AsyncSession
) -> None:
    one, other = await make_jam(session, stock=5), await make_jam(session, stock=5, title="Quince jelly")
    for jam in (one, other):
        await put_products(guest, jam.variant_id, 2)
        await set_stock(session, jam, 1)
    page = await guest.get("/")
    first = page.html.css_first("#group-1 a").attributes["href"]
    answer = await guest.post(TIDY, {"view": str(first).strip("/")})
    assert answer.location == f"{first}?notice=tidied"
    assert await in_cart(session) == {one.variant_id: 1, other.variant_id: 2}


# --- Several accounts ---


async def test_pages_with_accounts_of_their_own_say_why_they_are_paid_separately(
    guest: Visitor, jam: Jam, hall: Calendar, put_products: PutProducts, running: AppState, session: AsyncSession
) -> None:
    await put_products(guest, jam.variant_id)
    await book(running, session, guest, hall)
    page = await guest.get("/")
    assert page.has("aside form[action='/checkout/']")
    await set_account(session, await session.get_one(Post, jam.page_post_id), "MFARM")
    page = await guest.get("/")
    assert not page.has("aside form[action='/checkout/']")
    assert "separate accounts" in page.text("aside")
    assert len(page.html.css("section.card form[action$='/checkout/']")) == 2
