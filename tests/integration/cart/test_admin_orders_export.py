"""The list of orders as a file: all of what is listed, in stretches, and harmless in a spreadsheet."""

from __future__ import annotations

import csv
import io
from collections.abc import AsyncIterator
from decimal import Decimal

import pytest
from quart import Quart
from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncSession

from cart.bp.admin_orders.services import OrderFilter, export_orders
from cart.bp.admin_orders.services.export import BYTE_ORDER_MARK, HEAD, harmless
from cart.wiring import PAYMENT_CONTEXT, PaymentContext
from shared.contracts.access import PageScope
from shared.contracts.states import OrderState, PaymentState
from shared.models import User
from tests.factories.orders import MadeOrder, make_debt, make_order, make_refund
from tests.integration.cart.conftest import Show, make_show
from tests.support.queries import counted_queries
from tests.support.visitor import Visitor

EXPORT = "/admin/orders/export.csv"
EVERYWHERE = PageScope(everywhere=True)


@pytest.fixture
def context(app: Quart) -> PaymentContext:
    found: PaymentContext = app.extensions[PAYMENT_CONTEXT]
    return found


async def make(session: AsyncSession, of: Show, who: Visitor, state: OrderState = OrderState.PAID) -> MadeOrder:
    """Make an order of one ticket, which the caller commits."""
    return await make_order(
        session,
        of.entry,
        user_id=who.id,
        ticket_type=of.adult,
        quantity=1,
        state=state,
        payment_state=PaymentState.PAID if state is OrderState.PAID else None,
        page_post_id=of.page.id,
    )


def read(body: str) -> list[dict[str, str]]:
    """Read a file as a spreadsheet does."""
    assert body.startswith(BYTE_ORDER_MARK)
    return list(csv.DictReader(io.StringIO(body.removeprefix(BYTE_ORDER_MARK), newline="")))


async def joined(parts: AsyncIterator[bytes]) -> tuple[int, str]:
    """Return how many parts came, and all that is in them."""
    found = [part async for part in parts]
    return len(found), b"".join(found).decode()


async def download(who: Visitor, query: str = "") -> list[dict[str, str]]:
    """Return what somebody saves."""
    response = await who.client.get(f"{EXPORT}{query}")
    assert response.status_code == 200
    return read(await response.get_data(as_text=True))


@pytest.mark.parametrize(("who", "status"), [("visitor", 303), ("ada", 403), ("admin", 200)])
async def test_only_those_with_a_role_save_orders(people: dict[str, Visitor], who: str, status: int) -> None:
    assert (await people[who].client.get(EXPORT)).status_code == status


async def test_an_order_is_a_row_with_amounts_times_and_codes(
    admin: Visitor, ada: Visitor, session: AsyncSession, show: Show
) -> None:
    await session.execute(update(User).where(User.id == ada.id).values(name="Ada Byron"))
    made = await make(session, show, ada)
    made.paying.transaction_code = "TEENSK4W2K"
    debt = await make_debt(session, made)
    await make_refund(session, debt, state="failed")
    await session.commit()

    response = await admin.client.get(EXPORT)

    assert response.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert response.headers["Content-Disposition"] == 'attachment; filename="orders.csv"'
    [row] = read(await response.get_data(as_text=True))
    assert made.order.paid_at is not None
    assert row == dict(
        zip(
            HEAD,
            (
                made.order.number,
                "paid",
                made.order.created_at.isoformat(timespec="seconds"),
                made.order.paid_at.isoformat(timespec="seconds"),
                "Ada Byron",
                "ada@maypole.example",
                "12.50",
                "12.50",
                "0.00",
                "GBP",
                "TEENSK4W2K",
            ),
            strict=True,
        )
    )


async def test_what_went_back_is_told(admin: Visitor, ada: Visitor, session: AsyncSession, show: Show) -> None:
    made = await make(session, show, ada)
    await make_refund(session, await make_debt(session, made), state="succeeded")
    await session.commit()
    [row] = await download(admin)
    assert Decimal(row["Refunded"]) == Decimal("12.50")


async def test_the_file_is_what_the_list_shows(
    admin: Visitor, ada: Visitor, bob: Visitor, session: AsyncSession, show: Show
) -> None:
    for who, state in ((ada, OrderState.PAID), (bob, OrderState.PAID), (bob, OrderState.EXPIRED)):
        await make(session, show, who, state)
    await session.commit()
    page = await admin.get("/admin/orders/?q=bob&state=paid")
    link = page.attribute("a[download]", "href") or ""
    assert link.startswith(f"{EXPORT}?")
    assert [row["Order"] for row in await download(admin, link.removeprefix(EXPORT))] == page.texts("tbody th")


async def test_there_are_more_orders_than_one_stretch_holds(
    context: PaymentContext, ada: Visitor, session: AsyncSession, show: Show
) -> None:
    made = [await make(session, show, ada) for _ in range(7)]
    await session.commit()
    with counted_queries(every=True) as statements:
        parts, body = await joined(export_orders(context, OrderFilter("Europe/London"), EVERYWHERE, chunk=3))
    assert [row["Order"] for row in read(body)] == [one.order.number for one in reversed(made)]
    assert (parts, len(statements)) == (4, 3)  # the head, and a query for each stretch


async def test_a_full_last_stretch_is_the_end(
    context: PaymentContext, ada: Visitor, session: AsyncSession, show: Show
) -> None:
    for _ in range(3):
        await make(session, show, ada)
    await session.commit()
    parts, body = await joined(export_orders(context, OrderFilter("Europe/London"), EVERYWHERE, chunk=3))
    assert (parts, len(read(body))) == (2, 3)


async def test_nothing_found_is_a_file_with_a_head(admin: Visitor) -> None:
    assert await download(admin, "?q=nobody") == []


async def test_somebody_bound_to_a_page_saves_the_orders_of_theirs_alone(
    context: PaymentContext, ada: Visitor, session: AsyncSession, show: Show
) -> None:
    other = await make_show(session, name="The other page's")
    mine, _theirs = await make(session, show, ada), await make(session, other, ada)
    await session.commit()
    scope = PageScope(page_ids=frozenset({show.page.id}))
    _, body = await joined(export_orders(context, OrderFilter("Europe/London"), scope))
    assert [row["Order"] for row in read(body)] == [mine.order.number]


@pytest.mark.parametrize(
    "name",
    ['=HYPERLINK("http://evil.example")', "+1", "-1+1", "@SUM(A1)", "\t=1", "\r=1", "\N{FULLWIDTH EQUALS SIGN}1"],
)
async def test_no_name_is_a_formula(admin: Visitor, ada: Visitor, session: AsyncSession, show: Show, name: str) -> None:
    await session.execute(update(User).where(User.id == ada.id).values(name=name))
    await make(session, show, ada)
    await session.commit()
    [row] = await download(admin)
    assert row["Name"] == f"'{name}"


def test_what_is_no_formula_stays_as_it_is() -> None:
    assert [harmless(cell) for cell in ("Ada", "12.50", "", "a=b", "O'Hara")] == ["Ada", "12.50", "", "a=b", "O'Hara"]


@pytest.mark.parametrize("query", ["?state=lost", "?from=x", "?q=a"])
async def test_bad_values_are_refused(admin: Visitor, query: str) -> None:
    assert (await admin.client.get(f"{EXPORT}{query}")).status_code == 422
