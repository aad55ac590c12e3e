"""A guest's order: it opens by the link from the mail, to whoever has it, and by nothing else."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from urllib.parse import urlencode

import pytest
from pydantic import SecretStr
from quart import Quart
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from cart.orders.guest import guest_token
from cart.orders.mails import write_order_mails
from cart.wiring import PAYMENT_CONTEXT
from shared.models import Calendar, Mail, Order, OrderLine, Payment
from shared.settings import Settings
from shared.web.state import AppState
from tests.fakes.gateway import FakeGateway
from tests.integration.cart.conftest import Jam, PutProducts, SignIn, book, fresh
from tests.support.visitor import ORIGIN, Visitor

EMAIL = "grace@maypole.example"


@dataclass(frozen=True, slots=True)
class Ordered:
    """What a guest ordered: two jars of jam and an hour of the hall, 17.00."""

    id: int
    path: str
    checkout_id: str
    return_path: str


@pytest.fixture
async def ordered(
    guest: Visitor,
    jam: Jam,
    hall: Calendar,
    put_products: PutProducts,
    running: AppState,
    session: AsyncSession,
    settings: Settings,
) -> Ordered:
    await put_products(guest, jam.variant_id, 2)
    await book(running, session, guest, hall)
    answer = await guest.post("/checkout/", {"shown_total": "17.00", "email": EMAIL})
    assert answer.status == 303
    async with fresh(session) as now:
        order = (await now.scalars(select(Order))).one()
        payment = (await now.scalars(select(Payment))).one()
    token = guest_token(settings.secret_key, order.number)
    assert payment.checkout_id is not None
    return Ordered(
        order.id, f"/orders/guest/{token}/", payment.checkout_id, f"/checkout/return/{payment.return_token}/"
    )


@pytest.fixture
async def paid(ordered: Ordered, guest: Visitor, gateway: FakeGateway) -> Ordered:
    """The same, paid."""
    gateway.pay(ordered.checkout_id)
    assert (await guest.get(ordered.return_path)).text("h1") == "Paid. Thank you!"
    return ordered


async def test_the_link_in_the_mail_opens_the_order_without_a_cookie(
    app: Quart, paid: Ordered, visitor: Visitor, session: AsyncSession
) -> None:
    await write_order_mails(app.extensions[PAYMENT_CONTEXT], paid.id)
    async with fresh(session) as now:
        mail = (await now.scalars(select(Mail))).one()
    assert (mail.recipient, mail.text.count(f"http://localhost:8002{paid.path}\n")) == (EMAIL, 1)

    page = await visitor.get(paid.path)

    assert (page.status, page.text(".page-head .tag")) == (200, "Paid")
    assert page.texts("section h2") == ["Bookings", "Products", "What you ordered"]
    assert page.text("[aria-labelledby='order-products'] .line__title") == "2 × Plum jam"  # noqa: RUF001
    assert page.texts("[aria-labelledby] .tag") == ["Confirmed", "Yours"]
    assert page.text("dd.totals__grand") == "£17.00"


async def test_its_address_is_told_to_nobody_and_kept_by_no_cache(paid: Ordered, visitor: Visitor) -> None:
    for path in (paid.path, f"{paid.path}receipt/"):
        answer = await visitor.get(path)
        assert (answer.headers["Referrer-Policy"], answer.headers["Cache-Control"]) == ("strict-origin", "no-store")


@pytest.mark.parametrize("more", ["", "receipt/"])
@pytest.mark.parametrize("wrong", ["x", "A" * 43, "%00", "../1", "é"])
async def test_a_wrong_token_opens_nothing(paid: Ordered, guest: Visitor, wrong: str, more: str) -> None:
    assert (await guest.get(f"/orders/guest/{wrong}/{more}")).status == 404


async def test_a_token_is_taken_as_it_is(paid: Ordered, guest: Visitor) -> None:
    token = paid.path.split("/")[-2]
    for wrong in (token[:-1], token + "A", token.swapcase(), f"{token}="):
        answer = await guest.get(f"/orders/guest/{wrong}/")
        assert answer.status == 404
        assert "This link opens no order." in answer.text("main")


async def test_its_number_opens_it_to_nobody(paid: Ordered, guest: Visitor, visitor: Visitor, sign_in: SignIn) -> None:
    same_address = await sign_in(EMAIL)
    for path in (f"/orders/{paid.id}/", f"/orders/{paid.id}/receipt/"):
        assert (await guest.get(path)).status == 303  # to sign in
        assert (await visitor.get(path)).status == 303
        assert (await same_address.get(path)).status == 404


async def test_it_is_listed_nowhere_not_even_for_an_account_with_its_address(
    paid: Ordered, guest: Visitor, sign_in: SignIn
) -> None:
    assert "You have no orders yet" in (await (await sign_in(EMAIL)).get("/orders/")).text("main")
    assert (await guest.get("/orders/")).status == 303
    assert not (await guest.get("/")).has("article")


async def test_one_guests_token_pays_and_puts_back_that_order_alone(
    ordered: Ordered,
    visitor: Visitor,
    guest: Visitor,
    jam: Jam,
    put_products: PutProducts,
    session: AsyncSession,
    settings: Settings,
) -> None:
    await put_products(guest, jam.variant_id, 1)
    await guest.post("/checkout/", {"shown_total": "4.50", "email": "other@maypole.example"})
    page = await visitor.get(ordered.path)
    assert page.has(f"form[action='{ordered.path}pay/']")

    assert (await visitor.post(f"{ordered.path}pay/")).location.endswith(ordered.checkout_id)
    await visitor.post(f"{ordered.path}put-back/")

    async with fresh(session) as now:
        states = {order.id: order.state for order in await now.scalars(select(Order))}
    assert states.pop(ordered.id) == "cancelled"
    assert list(states.values()) == ["pending"]


@pytest.mark.parametrize("what", ["pay", "put-back"])
async def test_without_the_token_nobody_else_pays_or_puts_back(
    ordered: Ordered, visitor: Visitor, bob: Visitor, session: AsyncSession, what: str
) -> None:
    assert (await bob.post(f"/orders/{ordered.id}/{what}/")).status == 404
    assert (await visitor.post(f"/orders/{ordered.id}/{what}/")).status == 401
    assert (await visitor.post(f"/orders/guest/{'A' * 43}/{what}/")).status == 404
    async with fresh(session) as now:
        assert await now.scalar(select(Order.state)) == "pending"


async def test_there_is_a_receipt_once_it_is_paid(
    ordered: Ordered, visitor: Visitor, guest: Visitor, gateway: FakeGateway
) -> None:
    assert (await visitor.get(f"{ordered.path}receipt/")).status == 404
    gateway.pay(ordered.checkout_id)
    await guest.get(ordered.return_path)
    page = await visitor.get(f"{ordered.path}receipt/")
    assert page.text("h1") == "Receipt"
    assert EMAIL in page.text(".page-head")
    assert page.attribute("nav.breadcrumb a", "href") == ordered.path


async def test_a_stranger_with_the_return_address_sees_neither_order_nor_address(
    paid: Ordered, visitor: Visitor
) -> None:
    page = await visitor.get(paid.return_path)
    assert page.text("h1") == "Paid. Thank you!"
    for told in (EMAIL, "Plum jam", paid.path):
        assert told not in str(page.html.html)


async def test_the_link_ends_a_year_after_the_last_event(
    paid: Ordered, visitor: Visitor, running: AppState, session: AsyncSession
) -> None:
    end = await session.scalar(select(func.max(OrderLine.end_at)))
    assert end is not None
    for late, status in ((timedelta(minutes=-1), 200), (timedelta(minutes=1), 410)):
        moment = end + timedelta(days=365) + late
        running.clock = lambda moment=moment: moment  # type: ignore[misc]
        for path in (paid.path, f"{paid.path}receipt/"):
            assert (await visitor.get(path)).status == status
    assert "Its seller can still look it up" in (await visitor.get(paid.path)).text("main")


async def test_a_new_key_of_ours_ends_no_link(
    app: Quart, paid: Ordered, visitor: Visitor, session: AsyncSession, settings: Settings
) -> None:
    changed = settings.model_copy(
        update={"secret_key": SecretStr("n" * 40), "secret_keys_before": (settings.secret_key,)}
    )
    context = replace(app.extensions[PAYMENT_CONTEXT], settings=changed)
    await write_order_mails(context, paid.id)
    async with fresh(session) as now:
        mail = (await now.scalars(select(Mail))).one()
    assert paid.path in mail.text
    assert (await visitor.get(paid.path)).status == 200


async def test_a_third_unpaid_order_of_a_guest_is_refused_beside_the_first_two(
    ordered: Ordered, guest: Visitor, jam: Jam, put_products: PutProducts
) -> None:
    await put_products(guest, jam.variant_id, 1)
    await guest.post("/checkout/", {"shown_total": "4.50", "email": EMAIL})
    await put_products(guest, jam.variant_id, 1)
    answer = await guest.post("/checkout/", {"shown_total": "4.50", "email": "another@maypole.example"})
    assert answer.status == 409
    assert len(answer.texts("article")) == 2
    assert "pay one of them first" in " ".join(answer.text(".notice--bad").split())


async def test_an_order_notes_the_network_of_its_guest(
    guest: Visitor, jam: Jam, put_products: PutProducts, session: AsyncSession
) -> None:
    await put_products(guest, jam.variant_id, 1)
    body = urlencode({"shown_total": "4.50", "email": EMAIL})
    headers = {**ORIGIN, "Content-Type": "application/x-www-form-urlencoded"}
    await guest.client.post("/checkout/", headers=headers, data=body, scope_base={"client": ("2001:db8:1:2:3::4", 1)})
    assert (await session.scalars(select(Order.network))).one() == "2001:db8:1:2::/64"
