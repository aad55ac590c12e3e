"""An order of everything, and its receipt: who sold what on which terms, with the VAT in it, and how it was paid."""

from __future__ import annotations

from decimal import Decimal

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from shared.contracts.states import OrderState, PaymentState, RefundState
from shared.models import Calendar, Debt, Order, Payment, Post, Refund
from shared.web.state import AppState
from tests.factories.calendar import make_calendar, make_rule
from tests.factories.orders import make_order
from tests.fakes.gateway import FakeGateway
from tests.integration.cart.conftest import (
    FillCart,
    Jam,
    PutProducts,
    Show,
    book,
    fresh,
    make_jam,
    make_show,
    payments_of,
)
from tests.support.queries import counted_queries
from tests.support.visitor import Answer, Visitor


@pytest.fixture
async def order_id(
    ada: Visitor,
    jam: Jam,
    hall: Calendar,
    show: Show,
    put_products: PutProducts,
    fill_cart: FillCart,
    running: AppState,
    session: AsyncSession,
    gateway: FakeGateway,
) -> int:
    """Two jars of jam with 20% VAT in them, an hour of the hall and two tickets, ordered and paid: 42.00."""
    await _describe(running, session, jam.page_post_id)
    await put_products(ada, jam.variant_id, 2)
    await book(running, session, ada, hall)
    await fill_cart(ada, show)
    return await _pay(ada, session, gateway, "42.00")


async def _describe(running: AppState, session: AsyncSession, page_post_id: int) -> None:
    """Say who sells on a page, and on which terms."""
    await running.services.blog.configure_page(  # type: ignore[attr-defined]
        session,
        page_post_id,
        seller_name="Hollin Bank Farm",
        seller_address="Moor Road\nWellowby",
        seller_email="shop@farm.example",
        seller_phone="01632 960214",
        has_calendar=False,
        has_market=True,
        terms="You buy from the farm.",
        refund_policy="Within two days.",
        collection_place="The apple store",
        collection_times="Saturdays, 8 to 4.",
    )
    await session.commit()


async def _pay(who: Visitor, session: AsyncSession, gateway: FakeGateway, total: str) -> int:
    """Check out and pay what is in somebody's cart; return the order's id."""
    await who.post("/checkout/", {"shown_total": total})
    async with fresh(session) as now:
        payment = (await now.scalars(select(Payment).order_by(Payment.id.desc()).limit(1))).one()
    assert payment.checkout_id is not None
    gateway.pay(payment.checkout_id)
    await who.get(f"/checkout/return/{payment.return_token}/")
    return payment.order_id


def cells(page: Answer, rows: str) -> list[list[str]]:
    """Return what stands in the cells of some rows."""
    return [[cell.text().strip() for cell in row.css("td")] for row in page.html.css(rows)]


async def test_nobody_is_sent_to_collect_what_is_not_paid(
    ada: Visitor, jam: Jam, put_products: PutProducts, running: AppState, session: AsyncSession
) -> None:
    await _describe(running, session, jam.page_post_id)
    await put_products(ada, jam.variant_id, 2)
    await ada.post("/checkout/", {"shown_total": "9.00"})
    [payment] = await payments_of(session, ada)
    page = await ada.get(f"/orders/{payment.order_id}/")
    assert "Plum jam" in page.text("[aria-labelledby='order-products']")
    assert "Collect at" not in page.text("main")


async def test_an_order_shows_its_products_bookings_and_tickets(ada: Visitor, order_id: int) -> None:
    page = await ada.get(f"/orders/{order_id}/")
    assert page.texts("h2") == ["Bookings", "Tickets", "Products", "What you ordered", "Questions?"]
    assert page.text("[aria-labelledby='order-bookings'] .line__title") == "An hour of the hall"
    assert page.text("[aria-labelledby='order-bookings'] .tag") == "Confirmed"
    assert page.text("[aria-labelledby='order-products'] .line__title") == "2 × Plum jam"  # noqa: RUF001
    assert page.text("[aria-labelledby='order-products'] .tag") == "Yours"
    assert "Collect at The apple store. Saturdays, 8 to 4." in page.text("[aria-labelledby='order-products']")
    assert len(page.texts(".ticket__code")) == 2
    assert page.text("dd.totals__grand") == "£42.00"
    assert "VAT included, 20% of £7.50" in page.text(".totals")
    assert page.attribute("main a[href$='/receipt/']", "href") == f"/orders/{order_id}/receipt/"


def links_in(page: Answer, part: str) -> list[str | None]:
    """Return where the links of a part lead that write to somebody or ring them."""
    return [link.attributes["href"] for link in page.html.css(f"{part} a:is([href^='mailto:'], [href^='tel:'])")]


async def test_an_order_says_whom_to_ask_and_names_only_who_can_be_asked(ada: Visitor, order_id: int) -> None:
    page = await ada.get(f"/orders/{order_id}/")
    assert page.texts("[aria-labelledby='order-questions'] > div") == [
        "Ask Hollin Bank Farm: shop@farm.example 01632 960214"
    ]
    assert links_in(page, "main") == ["mailto:shop@farm.example", "tel:01632960214"]


async def test_who_comes_back_from_the_payment_reads_whom_to_ask(
    ada: Visitor, order_id: int, session: AsyncSession
) -> None:
    [payment] = await payments_of(session, ada)
    page = await ada.get(f"/checkout/return/{payment.return_token}/")
    assert links_in(page, "[aria-labelledby='order-questions']") == ["mailto:shop@farm.example", "tel:01632960214"]
    assert payment.order_id == order_id


async def test_an_order_whose_sellers_say_nothing_of_it_asks_no_questions(
    ada: Visitor, show: Show, fill_cart: FillCart, session: AsyncSession, gateway: FakeGateway
) -> None:
    await fill_cart(ada, show)
    order_id = await _pay(ada, session, gateway, "25.00")
    for path in (f"/orders/{order_id}/", f"/orders/{order_id}/receipt/"):
        page = await ada.get(path)
        assert not page.has("[aria-labelledby='order-questions']")
        assert links_in(page, "main") == []


async def test_a_receipt_names_each_seller_with_what_they_sold_and_their_terms(ada: Visitor, order_id: int) -> None:
    page = await ada.get(f"/orders/{order_id}/receipt/")
    sold = page.texts("section[aria-labelledby^='sold-']")
    [farm] = [text for text in sold if "Plum jam" in text]
    assert farm.startswith("Sold by Hollin Bank Farm Moor Road Wellowby")
    assert page.texts("section[aria-labelledby^='sold-'] > p.cluster") == ["shop@farm.example 01632 960214"]
    assert links_in(page, "main") == ["mailto:shop@farm.example", "tel:01632960214"]
    assert farm.endswith("Terms. You buy from the farm.Refunds. Within two days.")
    assert len(sold) == 3
    assert ["2", "£4.50", "20%", "£9.00"] in cells(page, "section[aria-labelledby^='sold-'] tbody tr")


async def test_a_receipt_has_the_vat_by_rate_and_how_it_was_paid(
    ada: Visitor, order_id: int, session: AsyncSession
) -> None:
    async with fresh(session) as now:
        payment = (await now.scalars(select(Payment))).one()
    page = await ada.get(f"/orders/{order_id}/receipt/")
    assert page.texts("section[aria-labelledby='sums'] tbody th") == ["20%", "0%"]
    assert cells(page, "section[aria-labelledby='sums'] tbody tr") == [
        ["£7.50", "£1.50", "£9.00"],
        ["£33.00", "£0.00", "£33.00"],
    ]
    assert page.texts("section[aria-labelledby='sums'] dd") == ["£42.00", "£42.00"]
    assert f"SumUp {payment.transaction_code}" in page.text("section[aria-labelledby='sums'] .totals")


async def test_what_went_back_stands_on_the_receipt(ada: Visitor, order_id: int, session: AsyncSession) -> None:
    payment = (await session.scalars(select(Payment))).one()
    refund = Refund(
        payment_id=payment.id,
        amount=Decimal("9.00"),
        currency="GBP",
        state=RefundState.SUCCEEDED,
        reason="A cracked jar",
    )
    session.add(refund)
    await session.commit()
    page = await ada.get(f"/orders/{order_id}/receipt/")
    assert page.texts("section[aria-labelledby='sums'] dd") == ["£42.00", "£42.00", "−£9.00"]  # noqa: RUF001


async def test_what_went_back_by_hand_stands_there_too_and_not_as_to_the_card(
    ada: Visitor, order_id: int, admin: Visitor, session: AsyncSession
) -> None:
    payment = (await session.scalars(select(Payment))).one()
    debt = Debt(order_id=order_id, payment_id=payment.id, amount="8.00", currency="GBP", reason="declined")
    session.add(debt)
    await session.commit()
    path = f"/orders/{order_id}/receipt/"
    assert "£8.00" not in (await ada.get(path)).text("section[aria-labelledby='sums']")
    await admin.post(f"/admin/refunds/{debt.id}/by-hand/", {"note": "Cash at the hall"})
    page = await ada.get(path)
    assert page.texts("section[aria-labelledby='sums'] dd") == ["£42.00", "£42.00", "−£8.00"]  # noqa: RUF001
    assert page.texts("section[aria-labelledby='sums'] dt")[-1].startswith("Paid back, not to the card")
    assert "Cash" not in page.text("main")


async def test_what_was_sold_stays_on_the_receipt_as_it_was(
    ada: Visitor, order_id: int, jam: Jam, running: AppState, session: AsyncSession
) -> None:
    before = [(await ada.get(f"/orders/{order_id}/{part}")).text("main") for part in ("", "receipt/")]
    await running.services.blog.configure_page(  # type: ignore[attr-defined]
        session,
        jam.page_post_id,
        seller_name="Somebody else",
        seller_email="else@farm.example",
        seller_phone="01632 960999",
        has_calendar=False,
        has_market=True,
        terms="Other terms.",
    )
    (await session.get_one(Post, jam.page_post_id)).title = "Another title"
    await session.commit()
    assert [(await ada.get(f"/orders/{order_id}/{part}")).text("main") for part in ("", "receipt/")] == before


async def test_a_receipt_is_its_buyers_alone(order_id: int, bob: Visitor, visitor: Visitor, guest: Visitor) -> None:
    path = f"/orders/{order_id}/receipt/"
    assert (await bob.get(path)).status == 404
    for nobody in (visitor, guest):
        assert (await nobody.get(path)).status == 303


@pytest.mark.parametrize("state", [OrderState.PENDING, OrderState.EXPIRED, OrderState.CANCELLED])
async def test_there_is_no_receipt_for_what_is_not_paid(
    ada: Visitor, show: Show, session: AsyncSession, state: OrderState
) -> None:
    made = await make_order(
        session, show.entry, user_id=ada.id, ticket_type=show.adult, state=state, payment_state=PaymentState.OPEN
    )
    await session.commit()
    answer = await ada.get(f"/orders/{made.order.id}/receipt/")
    assert answer.status == 404
    assert "There is a receipt once the order is paid." in answer.text("main")


@pytest.mark.parametrize("lines", [1, 4])
async def test_the_queries_of_order_and_receipt_do_not_depend_on_their_lines(
    ada: Visitor,
    put_products: PutProducts,
    fill_cart: FillCart,
    running: AppState,
    session: AsyncSession,
    gateway: FakeGateway,
    lines: int,
) -> None:
    for number in range(lines):
        await put_products(ada, (await make_jam(session, title=f"Jam {number}")).variant_id, 2)
        calendar = await make_calendar(session, name=f"Hall {number}", whole_room=True)
        await make_rule(session, calendar)
        await session.commit()
        await book(running, session, ada, calendar)
        await fill_cart(ada, await make_show(session, name=f"Play {number}"))
    order_id = await _pay(ada, session, gateway, f"{42 * lines}.00")
    async with fresh(session) as now:
        assert (await now.get_one(Order, order_id)).state == "paid"

    with counted_queries(every=True) as order_page:
        await ada.get(f"/orders/{order_id}/")
    with counted_queries(every=True) as receipt:
        await ada.get(f"/orders/{order_id}/receipt/")

    assert (len(order_page), len(receipt)) == (ORDER_QUERIES, RECEIPT_QUERIES)


ORDER_QUERIES, RECEIPT_QUERIES = 14, 17
