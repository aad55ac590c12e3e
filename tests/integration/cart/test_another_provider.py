"""One more payment provider is one more name: it takes an order through payment and refund, beside SumUp."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

import pytest
from quart import Quart
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from cart.app import create_app
from cart.provider.accounts import reconcile_all
from cart.wiring import PAYMENT_CONTEXT
from shared.audit.provider import audit_provider
from shared.audit.run import run_audit
from shared.contracts.errors import AccountMissing
from shared.models import Order, Payment
from shared.payments.accounts import OneGateway
from shared.payments.providers import SUMUP, Providers
from shared.settings import Settings
from tests.fakes.gateway import FakeGateway
from tests.integration.cart.conftest import FillCart, Show, make_show, orders_of, payments_of, set_account
from tests.support.visitor import Visitor

OTHER = "otherpay"
ACCOUNT = "OTHER1"


@pytest.fixture
def other() -> FakeGateway:
    """The other provider, in memory, and our account there."""
    return FakeGateway(merchant_code=ACCOUNT, page_origin="https://pay.otherpay.example")


@pytest.fixture
def providers(gateway: FakeGateway, other: FakeGateway) -> Providers:
    return Providers({SUMUP: OneGateway(gateway), OTHER: OneGateway(other)}, elsewhere={ACCOUNT: OTHER})


@pytest.fixture
async def app(settings: Settings, database_url: str, providers: Providers) -> AsyncIterator[Quart]:
    """Serve the cart app, which is paid through either."""
    made = create_app(settings, gateways=providers)
    async with made.test_app():
        yield made


@pytest.fixture
async def elsewhere(session: AsyncSession) -> Show:
    """A play whose page is paid at the other provider."""
    made = await make_show(session, name="Elsewhere", cost="7.00")
    await set_account(session, made.page, ACCOUNT)
    return made


async def check_out(who: Visitor, session: AsyncSession, show: Show, total: str) -> tuple[Payment, str]:
    """Check one page's group out; give its payment, and where the browser was sent."""
    answer = await who.post(f"/{show.page.slug}/checkout/", {"shown_total": total})
    assert answer.status == 303, answer.texts(".notice")
    return (await payments_of(session, who))[-1], answer.headers["Location"]


async def pay(who: Visitor, at: FakeGateway, payment: Payment) -> str:
    at.pay(str(payment.checkout_id))
    return (await who.get(f"/checkout/return/{payment.return_token}/")).text("h1")


async def refund_all(admin: Visitor, order: Order) -> str:
    address = f"/admin/orders/{order.id}/refund/"
    boxes = [str(each.attributes["name"]) for each in (await admin.get(address)).html.css("input[name^=line_]")]
    preview = await admin.get(f"{address}preview/?{urlencode(dict.fromkeys(boxes, 'yes'))}")
    hidden = preview.html.css("main form[method=post] input[type=hidden]")
    sent = {str(field.attributes["name"]): field.attributes["value"] or "" for field in hidden}
    return (await admin.get((await admin.post(address, sent)).location)).text("h1")


async def test_each_order_is_paid_and_refunded_where_its_account_is(
    app: Quart,
    ada: Visitor,
    admin: Visitor,
    session: AsyncSession,
    show: Show,
    elsewhere: Show,
    fill_cart: FillCart,
    gateway: FakeGateway,
    other: FakeGateway,
) -> None:
    await fill_cart(ada, show, 1)
    await fill_cart(ada, elsewhere, 2)
    there, address = await check_out(ada, session, elsewhere, "14.00")
    here, _ = await check_out(ada, session, show, "12.50")
    assert address.startswith("https://pay.otherpay.example/")
    assert [(each.provider, each.merchant_code) for each in (there, here)] == [(OTHER, ACCOUNT), (SUMUP, "MSANDBOX")]

    assert await pay(ada, other, there) == "Paid. Thank you!"
    assert await pay(ada, gateway, here) == "Paid. Thank you!"
    orders = {order.id: order for order in await orders_of(session, ada)}
    assert await refund_all(admin, orders[there.order_id]) == "£14.00 went back"
    assert [at.calls["refund"] for at in (other, gateway)] == [2, 0]  # one for each line
    states = {order.id: order.state for order in await orders_of(session, ada)}
    assert (states[there.order_id], states[here.order_id]) == ("refunded", "paid")

    context, now = app.extensions[PAYMENT_CONTEXT], datetime.now(UTC)
    assert [reconciled.is_complete for reconciled in await reconcile_all(context)] == [True, True]
    findings = await run_audit(context.database, now=now)
    later = now + timedelta(days=2)
    findings += await audit_provider(
        context.database, context.gateways, "MSANDBOX", since=now - timedelta(days=2), now=later
    )
    assert [each.name for each in findings if each.wrong] == []
    assert next(each for each in findings if each.name == "provider: there as well").looked_at == 2


async def test_a_second_payment_belongs_to_the_provider_that_took_it(
    app: Quart, ada: Visitor, session: AsyncSession, elsewhere: Show, fill_cart: FillCart, other: FakeGateway
) -> None:
    await fill_cart(ada, elsewhere, 1)
    payment, _ = await check_out(ada, session, elsewhere, "7.00")
    await pay(ada, other, payment)
    other.pay(str(payment.checkout_id), force=True)

    await reconcile_all(app.extensions[PAYMENT_CONTEXT])
    assert [each.provider for each in await payments_of(session, ada)] == [OTHER, OTHER]


async def test_what_is_put_back_is_fenced_at_its_own_provider(
    ada: Visitor,
    session: AsyncSession,
    elsewhere: Show,
    fill_cart: FillCart,
    gateway: FakeGateway,
    other: FakeGateway,
) -> None:
    await fill_cart(ada, elsewhere, 1)
    payment, _ = await check_out(ada, session, elsewhere, "7.00")
    await ada.post(f"/orders/{payment.order_id}/put-back/")
    assert [order.state for order in await orders_of(session, ada)] == ["cancelled"]
    assert (other.calls["cancel"], gateway.calls) == (1, {})


async def test_a_payment_stays_with_the_provider_that_it_was_begun_at(
    app: Quart, ada: Visitor, session: AsyncSession, elsewhere: Show, fill_cart: FillCart, gateway: FakeGateway
) -> None:
    await fill_cart(ada, elsewhere, 1)
    payment, _ = await check_out(ada, session, elsewhere, "7.00")
    moved = Providers({SUMUP: OneGateway(gateway)})
    assert moved.name_of(ACCOUNT) == SUMUP
    with pytest.raises(AccountMissing):
        await moved.of(payment.merchant_code, payment.provider)
    assert await session.scalar(select(Payment.provider)) == OTHER
