"""The number beside "Refunds" in the header: on every app, for those who may refund money, within their pages."""

from __future__ import annotations

import importlib
from decimal import Decimal

import pytest
from quart import Quart
from selectolax.lexbor import LexborHTMLParser as Html
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from shared.contracts.access import EVERYWHERE, PageScope
from shared.contracts.states import OrderState, PaymentState, Role
from shared.db.uow import unit_of_work
from shared.models import Post, ProviderFinding
from shared.services.cart.attention import MOST_COUNTED, count_attention
from shared.services.identity import grant_role
from shared.settings import APPS, Settings
from shared.web.state import AppState
from tests.factories.calendar import make_calendar, make_entry
from tests.factories.orders import MadeOrder, make_debt, make_order
from tests.factories.users import make_user, sign_in_client
from tests.support.queries import counted_queries

LINK = ".site-header a[href$='/admin/refunds/']"


async def an_order(
    session: AsyncSession, *, payment: PaymentState = PaymentState.PAID, page: bool = True
) -> tuple[MadeOrder, int]:
    """Make an order of a page of its own; give the page's id as well."""
    calendar = await make_calendar(session)
    entry = await make_entry(session, calendar)
    page_post_id = (await session.get_one(Post, calendar.container_id)).id
    made = await make_order(
        session,
        entry,
        user_id=(await make_user(session)).id,
        state=OrderState.PAID if payment is PaymentState.PAID else OrderState.PENDING,
        payment_state=payment,
        page_post_id=page_post_id if page else None,
    )
    return made, page_post_id


async def header(app: Quart, *roles: Role, page_post_id: int | None = None) -> list[str]:
    """Return what the header says about refunds to somebody with these roles."""
    client = app.test_client()
    user = await sign_in_client(client, roles=() if page_post_id else roles)
    if page_post_id is not None:
        state: AppState = app.extensions["maypole"]
        async with unit_of_work(state.database) as uow:
            for role in roles:
                await grant_role(uow.session, user.id, role, page_post_id=page_post_id)
            await uow.commit()
    page = Html(await (await client.get("/nothing/is/here")).get_data())
    return [" ".join(link.text().split()) for link in page.css(LINK)]


@pytest.fixture(params=APPS)
async def each_app(request: pytest.FixtureRequest, settings: Settings, database_url: str) -> Quart:
    made: Quart = importlib.import_module(f"{request.param}.app").create_app(settings)
    return made


async def test_every_app_shows_it_to_those_who_may_refund_and_to_nobody_else(
    each_app: Quart, session: AsyncSession
) -> None:
    made, page_post_id = await an_order(session)
    await make_debt(session, made)
    await session.commit()
    async with each_app.test_app():
        assert await header(each_app, Role.ADMIN) == ["Refunds (1) that wait for you"]
        assert await header(each_app, Role.REFUNDS, page_post_id=page_post_id) == ["Refunds (1) that wait for you"]
        assert await header(each_app, Role.REFUNDS, page_post_id=(await an_other_page(session))) == ["Refunds"]
        assert await header(each_app, Role.ORDERS) == []
        assert await header(each_app) == []


async def an_other_page(session: AsyncSession) -> int:
    _, page_post_id = await an_order(session)
    await session.commit()
    return page_post_id


async def test_debts_payments_in_review_and_open_findings_count(session: AsyncSession) -> None:
    paid, _ = await an_order(session)
    await make_debt(session, paid)
    await make_debt(session, paid, line=1)
    reviewed, page_post_id = await an_order(session, payment=PaymentState.REVIEW)
    for payment_id in (reviewed.paying.id, None):
        session.add(
            ProviderFinding(
                merchant_code="MSANDBOX",
                transaction_id=f"t{payment_id}",
                kind="difference",
                payment_id=payment_id,
                amount=Decimal(1),
                currency="GBP",
            )
        )
    await session.flush()
    with counted_queries() as queries:
        assert await count_attention(session, EVERYWHERE) == 5
        assert await count_attention(session, PageScope(page_ids=frozenset({page_post_id}))) == 2
        assert await count_attention(session, PageScope()) == 0
    assert len(queries) == 3


async def test_what_belongs_to_no_page_is_seen_everywhere_alone(session: AsyncSession) -> None:
    made, page_post_id = await an_order(session, page=False)
    await make_debt(session, made)
    twice, _ = await an_order(session, page=False)
    await make_debt(session, twice, line=None, reason="paid_twice")
    assert await count_attention(session, PageScope(page_ids=frozenset({page_post_id}))) == 0
    assert await count_attention(session, EVERYWHERE) == 2


async def test_more_than_a_hundred_are_not_counted(session: AsyncSession) -> None:
    made, _ = await an_order(session)
    await session.execute(text("UPDATE payments SET amount = 1000"))
    await session.execute(
        text(
            "INSERT INTO debts (order_id, payment_id, amount, currency, reason)"
            " SELECT :order_id, :payment_id, 1, 'GBP', 'goodwill' FROM generate_series(1, 150)"
        ),
        {"order_id": made.order.id, "payment_id": made.paying.id},
    )
    assert await count_attention(session, EVERYWHERE) == MOST_COUNTED


async def test_people_without_the_role_and_parts_of_pages_cost_no_query(settings: Settings, database_url: str) -> None:
    app: Quart = importlib.import_module("cart.app").create_app(settings)
    async with app.test_app():
        shopper, admin = app.test_client(), app.test_client()
        await sign_in_client(shopper)
        await sign_in_client(admin, roles=(Role.ADMIN,))
        with counted_queries() as of_shopper:
            await shopper.get("/nothing/is/here")
        with counted_queries() as of_part:
            await admin.get("/nothing/is/here", headers={"HX-Request": "true"})
        with counted_queries() as of_admin:
            await admin.get("/nothing/is/here")
    assert (len(of_shopper), len(of_part), len(of_admin)) == (1, 1, 2)
