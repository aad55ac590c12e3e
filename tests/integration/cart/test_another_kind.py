"""One more kind of thing sold is one module and one migration: donations go from the cart to paid to refunded."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from urllib.parse import urlencode

import pytest
from alembic.migration import MigrationContext
from alembic.operations import Operations
from quart import Quart
from sqlalchemy import select, text
from sqlalchemy.engine import Connection
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession

from cart.app import create_app
from cart.orders.mails import write_order_mails
from cart.wiring import KINDS, PAYMENT_CONTEXT, PaymentContext
from shared.audit.run import checks_of, run_audit
from shared.contracts.owner import CartOwner
from shared.db.engine import Database
from shared.db.grants import apply_grants
from shared.models import Mail, Order, OrderLine
from shared.settings import DEV_SECRET, Settings
from tests.factories.blog import make_page
from tests.fakes.gateway import FakeGateway
from tests.integration.cart.conftest import (
    FillCart,
    Jam,
    PutProducts,
    Show,
    fresh,
    orders_of,
    payments_of,
)
from tests.support import donations_migration
from tests.support.donations import TABLE, Donations, give
from tests.support.visitor import Visitor

ALL_KINDS = (*KINDS, Donations)


def migrate(connection: Connection) -> None:
    with Operations.context(MigrationContext.configure(connection)):
        donations_migration.upgrade()
    apply_grants(connection)


@pytest.fixture
async def app(
    settings: Settings, database_url: str, owner_database_url: str, gateway: FakeGateway
) -> AsyncIterator[Quart]:
    """Serve the cart app that sells donations as well, on a database that has them."""
    owner = Database(owner_database_url, pool_size=1, settings=settings)
    async with owner.engine.begin() as connection:
        await connection.run_sync(migrate)
    await owner.dispose()
    made = create_app(settings, gateway=gateway, kinds=ALL_KINDS)
    async with made.test_app():
        yield made


@pytest.fixture
def context(app: Quart) -> PaymentContext:
    found: PaymentContext = app.extensions[PAYMENT_CONTEXT]
    return found


@pytest.fixture
async def page_post_id(session: AsyncSession) -> int:
    made = await make_page(session, title="The Barn")
    await session.commit()
    return made


async def states_of(session: AsyncSession) -> list[str]:
    async with fresh(session) as now:
        return list(await now.scalars(select(TABLE.c.state).order_by(TABLE.c.id)))


async def wrong(context: PaymentContext, moment: datetime | None = None) -> list[str]:
    """Give the names of the checks of the audit that find something."""
    checks = checks_of([kind.audited for kind in ALL_KINDS])
    findings = await run_audit(context.database, now=moment or datetime.now(UTC), checks=checks)
    return [f"{each.name}: {each.first_ids}" for each in findings if each.wrong]


async def buy(who: Visitor, session: AsyncSession, gateway: FakeGateway, total: str) -> Order:
    """Check out, pay at the provider, and come back."""
    answer = await who.post("/checkout/", {"shown_total": total})
    assert answer.status == 303, answer.texts(".notice")
    payment = (await payments_of(session, who))[-1]
    gateway.pay(str(payment.checkout_id))
    returned = await who.get(f"/checkout/return/{payment.return_token}/")
    assert returned.text("h1") == "Paid. Thank you!"
    return (await orders_of(session, who))[-1]


# --- in the cart ---


async def test_it_stands_in_the_cart_with_its_words_and_counts(
    app: Quart, ada: Visitor, session: AsyncSession, page_post_id: int
) -> None:
    await give(session, CartOwner.of_user(ada.id), page_post_id, "5.00")
    await give(session, CartOwner.of_user(ada.id), page_post_id, "20.00")
    page = await ada.get("/")
    assert page.texts("#cart-panel section.card h3") == ["Donations"]
    assert page.texts("#cart-panel .lines .price") == ["£5.00", "£20.00"]
    assert "Thank you for giving." in page.text("#cart-panel section.card")
    assert page.texts("aside dl.totals dt, aside dl.totals dd") == ["2 donations", "£25.00", "Total", "£25.00"]
    assert page.texts("#cart-mini span") == ["Cart", "2", ": 2 donations"]


async def test_other_apps_are_told_of_it(app: Quart, ada: Visitor, session: AsyncSession, page_post_id: int) -> None:
    await give(session, CartOwner.of_user(ada.id), page_post_id, "5.00")
    address = f"/internal/v1/cart/summary?{urlencode({'user_id': ada.id, 'lines': '1'})}"
    answer = await app.test_client().get(address, headers={"Authorization": f"Bearer {DEV_SECRET}"})
    told = await answer.get_json()
    count = {"kind": "donation", "one": "donation", "many": "donations", "count": 1, "total": "5.00"}
    assert (told["count"], told["others"], told["lines"][0]["kind"]) == (0, [count], "donation")


async def test_it_is_taken_out_by_its_owner_alone(
    ada: Visitor, bob: Visitor, session: AsyncSession, page_post_id: int
) -> None:
    await give(session, CartOwner.of_user(ada.id), page_post_id, "5.00")
    page = await ada.get("/")
    form = page.html.css_first("#cart-panel .lines form")
    sent = {str(f.attributes["name"]): f.attributes["value"] or "" for f in form.css("input[type=hidden]")}
    assert form.attributes["action"] == "/cart/lines/"

    assert (await bob.post("/cart/lines/", {**sent, "remove": "1"})).status == 303
    assert await states_of(session) == ["pending"]
    assert (await ada.post("/cart/lines/", {**sent, "remove": "1"})).status == 303
    assert await states_of(session) == []


async def test_a_kind_that_nobody_sells_is_not_found(ada: Visitor) -> None:
    assert (await ada.post("/cart/lines/", {"kind": "unicorn", "thing_id": "1", "remove": "1"})).status == 404


# --- paid, and refunded ---


async def test_it_goes_from_the_cart_to_paid_to_refunded(
    context: PaymentContext,
    ada: Visitor,
    admin: Visitor,
    session: AsyncSession,
    page_post_id: int,
    gateway: FakeGateway,
) -> None:
    await give(session, CartOwner.of_user(ada.id), page_post_id, "25.00")
    order = await buy(ada, session, gateway, "25.00")
    assert (order.state, await states_of(session)) == ("paid", ["sold"])
    page = await ada.get(f"/orders/{order.id}/")
    assert "A donation" in page.text("#order-things-1 ~ ul.lines")
    assert page.text("#order-things-1") == "Donations"
    await write_order_mails(context, order.id)
    [mail] = await session.scalars(select(Mail))
    assert (mail.kind, "Your donation\nA donation" in mail.text) == ("order-paid", True)
    assert await wrong(context) == []

    history = await admin.get(f"/admin/orders/{order.id}/")
    assert history.texts("[id^=line-] [data-label=State]") == ["Given"]
    refunds = f"/admin/orders/{order.id}/refund/"
    [box] = [str(each.attributes["name"]) for each in (await admin.get(refunds)).html.css("input[name^=line_]")]
    preview = await admin.get(f"{refunds}preview/?{urlencode({box: 'yes', 'cancel': 'yes'})}")
    hidden = preview.html.css("main form[method=post] input[type=hidden]")
    sent = {str(field.attributes["name"]): field.attributes["value"] or "" for field in hidden}
    outcome = await admin.get((await admin.post(refunds, sent)).location)
    assert (outcome.text("h1"), gateway.calls["refund"]) == ("£25.00 went back", 1)

    [order] = await orders_of(session, ada)
    assert (order.state, await states_of(session)) == ("refunded", ["refunded"])
    history = await admin.get(f"/admin/orders/{order.id}/")
    assert history.texts("[id^=line-] [data-label=State]") == ["Refunded"]
    assert "Donation: refunded" in " ".join(history.texts("main"))
    assert await wrong(context) == []


async def test_it_is_bought_with_everything_else_and_by_page(
    context: PaymentContext,
    ada: Visitor,
    session: AsyncSession,
    show: Show,
    jam: Jam,
    fill_cart: FillCart,
    put_products: PutProducts,
    gateway: FakeGateway,
) -> None:
    await fill_cart(ada, show, 1)
    await put_products(ada, jam.variant_id, 1)
    await give(session, CartOwner.of_user(ada.id), show.page.id, "10.00")
    await give(session, CartOwner.of_user(ada.id), jam.page_post_id, "3.00")
    payment = await ada.post(f"/{show.page.slug}/checkout/", {"shown_total": "22.50"})
    assert (payment.status, await states_of(session)) == (303, ["reserved", "pending"])
    order = (await payments_of(session, ada))[-1]
    gateway.pay(str(order.checkout_id))
    await ada.get(f"/checkout/return/{order.return_token}/")
    await buy(ada, session, gateway, "7.50")
    kinds = await session.execute(select(OrderLine.kind, OrderLine.total).order_by(OrderLine.id))
    assert [f"{kind} {total}" for kind, total in kinds] == [
        "ticket 12.50",
        "donation 10.00",
        "product 4.50",
        "donation 3.00",
    ]
    assert await wrong(context) == []


async def test_a_guest_gives(
    context: PaymentContext, guest: Visitor, session: AsyncSession, page_post_id: int, gateway: FakeGateway
) -> None:
    session_id = (await session.scalars(text("SELECT id FROM sessions WHERE user_id IS NULL"))).one()
    await give(session, CartOwner.of_session(session_id), page_post_id, "25.00")
    answer = await guest.post("/checkout/", {"shown_total": "25.00", "email": "guest@maypole.example"})
    assert answer.status == 303
    payment = (await session.execute(text("SELECT checkout_id, return_token FROM payments"))).one()
    gateway.pay(payment.checkout_id)
    assert (await guest.get(f"/checkout/return/{payment.return_token}/")).text("h1") == "Paid. Thank you!"
    assert (await states_of(session), await wrong(context)) == (["sold"], [])


# --- not paid, and paid too late ---


async def test_what_is_put_back_is_in_the_cart_again(
    context: PaymentContext, ada: Visitor, session: AsyncSession, page_post_id: int
) -> None:
    await give(session, CartOwner.of_user(ada.id), page_post_id, "25.00")
    await ada.post("/checkout/", {"shown_total": "25.00"})
    [order] = await orders_of(session, ada)
    assert await states_of(session) == ["reserved"]
    await ada.post(f"/orders/{order.id}/put-back/")
    assert await states_of(session) == ["pending"]
    assert (await ada.get("/")).texts("#cart-panel section.card h3") == ["Donations"]
    assert await wrong(context) == []


@pytest.mark.parametrize("given_again", [False, True], ids=["still in the cart", "given again meanwhile"])
async def test_late_money_takes_it_again_or_is_owed(
    context: PaymentContext,
    ada: Visitor,
    session: AsyncSession,
    page_post_id: int,
    gateway: FakeGateway,
    *,
    given_again: bool,
) -> None:
    await give(session, CartOwner.of_user(ada.id), page_post_id, "25.00")
    await ada.post("/checkout/", {"shown_total": "25.00"})
    [order], [late] = await orders_of(session, ada), await payments_of(session, ada)
    await ada.post(f"/orders/{order.id}/put-back/")
    if given_again:
        await buy(ada, session, gateway, "25.00")
    gateway.pay(str(late.checkout_id), force=True)
    await ada.get(f"/checkout/return/{late.return_token}/")
    first = (await orders_of(session, ada))[0]
    owed = await session.scalar(text("SELECT coalesce(sum(amount), 0) FROM debts WHERE reason = 'paid_twice'"))
    assert (first.state, await states_of(session), f"{owed:.2f}") == (
        "paid",
        ["sold"],
        "25.00" if given_again else "0.00",
    )
    assert await wrong(context) == []


# --- the guards ---


async def test_the_audit_sees_a_donation_that_is_not_given(
    context: PaymentContext, ada: Visitor, session: AsyncSession, page_post_id: int, gateway: FakeGateway
) -> None:
    await give(session, CartOwner.of_user(ada.id), page_post_id, "25.00")
    order = await buy(ada, session, gateway, "25.00")
    await session.execute(text("UPDATE donations SET order_id = NULL"))
    await session.commit()
    assert await wrong(context) == [f"every penny: ('{order.id}',)", f"paid lines given or owed: ('{order.id}',)"][::-1]


@pytest.mark.parametrize(
    ("kind", "named"), [("donation", "NULL"), ("Donation", "1"), ("", "1"), ("a b", "1")], ids=repr
)
async def test_the_database_takes_no_line_that_names_nothing(
    ada: Visitor, session: AsyncSession, page_post_id: int, gateway: FakeGateway, kind: str, named: str
) -> None:
    await give(session, CartOwner.of_user(ada.id), page_post_id, "25.00")
    order = await buy(ada, session, gateway, "25.00")
    line = f"""INSERT INTO order_lines (order_id, kind, title, quantity, unit_price, total, thing_id)
        VALUES ({order.id}, '{kind}', 'A gift', 1, 0, 0, {named})"""
    with pytest.raises(DBAPIError, match="ck_order_lines_"):
        await session.execute(text(line))
