"""The internal summary: what the badge of every app counts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

import pytest
from quart import Quart, Response
from sqlalchemy.ext.asyncio import AsyncSession

from shared.settings import DEV_SECRET
from shared.web.state import AppState
from tests.factories.blog import make_page
from tests.factories.calendar import days_from_now, make_calendar, make_rule
from tests.factories.market import make_product, make_variant
from tests.factories.orders import make_order
from tests.integration.cart.conftest import FillCart, PutProducts, Show, make_show
from tests.support.internal_api import BEARER, assert_error
from tests.support.queries import counted_queries
from tests.support.visitor import Visitor

ADDRESS = "/internal/v1/cart/summary"


async def _get(app: Quart, query: str, headers: dict[str, str] = BEARER) -> Response:
    return await app.test_client().get(f"{ADDRESS}?{query}", headers=headers)


async def _ask(app: Quart, query: dict[str, str]) -> tuple[int, Any]:
    answer = await _get(app, urlencode(query))
    return answer.status_code, await answer.get_json()


async def test_the_summary_counts_tickets_and_unpaid_orders(
    app: Quart, ada: Visitor, show: Show, fill_cart: FillCart, session: AsyncSession
) -> None:
    await fill_cart(ada, show, 3)
    await make_order(session, show.entry, user_id=ada.id)
    await session.commit()
    assert await _ask(app, {"user_id": str(ada.id)}) == (
        200,
        {
            "count": 0,
            "total": "0.00",
            "calendar_count": 0,
            "calendar_total": "0.00",
            "ticket_count": 3,
            "ticket_total": "37.50",
            "open_orders": 1,
            "others": [],
            "lines": None,
        },
    )


@pytest.mark.parametrize("query", [{}, {"user_id": "0"}, {"session_id": "7d444840-9dc0-11d1-b245-5ffdce74fad2"}])
async def test_nobodys_cart_is_empty(app: Quart, query: dict[str, str]) -> None:
    status, summary = await _ask(app, query)
    assert (status, summary["ticket_count"], summary["ticket_total"]) == (200, 0, "0.00")


@pytest.mark.parametrize(
    "query",
    [
        *(f"user_id={value}" for value in ("", "x", "-1", "1.0", "1_0", "%2B1", "9" * 30, "%00")),
        *(f"session_id={value}" for value in ("", "x", "' OR 1", "7d444840")),
        "lines=yes",
        "user_id=1&user_id=2",
    ],
)
async def test_a_query_that_cannot_be_is_refused(app: Quart, query: str) -> None:
    error = await assert_error(await _get(app, query), 422, "bad_input")
    assert error["message"].startswith(query.partition("=")[0])


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer wrong"}, {"Authorization": DEV_SECRET}])
async def test_only_our_own_apps_may_ask(app: Quart, ada: Visitor, headers: dict[str, str]) -> None:
    await assert_error(await _get(app, f"user_id={ada.id}", headers), 401, "unauthorized")


@dataclass(frozen=True, slots=True)
class Stocked:
    """Everything that there is to put into a cart."""

    fill_cart: FillCart
    put_products: PutProducts
    running: AppState
    session: AsyncSession

    async def put(self, who: Visitor, kind: str, number: int) -> None:
        """Put the ``number``-th thing of a kind into somebody's cart."""
        if kind == "tickets":
            await self.fill_cart(who, await make_show(self.session, name=f"Play {number}"), 2)
        elif kind == "products":
            await self.put_products(who, await self._variant(number), number)
        else:
            await self._book(who, number)

    async def _variant(self, number: int) -> int:
        page_post_id = await make_page(self.session, has_market=True)
        product_id = await make_product(self.session, page_post_id, title=f"Jam {number}")
        made = await make_variant(self.session, product_id, size="large", price="6.00", stock=9, position=1)
        await self.session.commit()
        return made

    async def _book(self, who: Visitor, number: int) -> None:
        """Book an hour of a hall, and a place in a workshop."""
        start = days_from_now(number, hour=10, minute=0)
        for whole_room in (True, False):
            calendar = await make_calendar(self.session, name=f"Hall {number}", whole_room=whole_room)
            await make_rule(self.session, calendar, places=1 if whole_room else 4)
            await self.running.services.calendar.add_pending_bookings(
                self.session,
                who.owner,
                calendar_id=calendar.id,
                wish={(start, start + timedelta(hours=1)): 1},
            )
        await self.session.commit()


@pytest.fixture
def stocked(fill_cart: FillCart, put_products: PutProducts, running: AppState, session: AsyncSession) -> Stocked:
    return Stocked(fill_cart, put_products, running, session)


async def test_lines_are_told_of_where_they_are_asked_for(app: Quart, ada: Visitor, stocked: Stocked) -> None:
    for kind in ("tickets", "products", "bookings"):
        await stocked.put(ada, kind, 2)
    status, summary = await _ask(app, {"user_id": str(ada.id), "lines": "1"})
    assert status == 200
    jam, hall, workshop, play = summary["lines"]
    assert jam == {
        "kind": "product",
        "title": "Jam 2",
        "detail": "large",
        "quantity": 2,
        "unit_price": "6.00",
        "total": "12.00",
        "start_at": None,
        "end_at": None,
        "problem": None,
    }
    start = days_from_now(2, hour=10, minute=0)
    assert (hall["kind"], hall["detail"], hall["quantity"], hall["total"]) == ("booking", "Hall 2", 1, "8.00")
    assert (hall["start_at"], hall["end_at"]) == (f"{start:%Y-%m-%dT10:00:00Z}", f"{start:%Y-%m-%dT11:00:00Z}")
    assert workshop["problem"] is None
    assert (play["kind"], play["title"], play["detail"], play["total"]) == ("ticket", "Play 2", "Adult", "25.00")
    assert play["start_at"].endswith("T19:30:00Z")


async def test_the_lines_add_up_to_the_summary_that_is_told_without_them(
    app: Quart, ada: Visitor, stocked: Stocked
) -> None:
    for kind in ("tickets", "products", "bookings"):
        for number in (1, 2):
            await stocked.put(ada, kind, number)
    _, alone = await _ask(app, {"user_id": str(ada.id)})
    _, told = await _ask(app, {"user_id": str(ada.id), "lines": "1"})
    assert {**told, "lines": None} == alone
    for kind, count, total in (
        ("product", "count", "total"),
        ("booking", "calendar_count", "calendar_total"),
        ("ticket", "ticket_count", "ticket_total"),
    ):
        lines = [line for line in told["lines"] if line["kind"] == kind]
        assert sum(line["quantity"] for line in lines) == told[count] > 0
        assert sum(Decimal(line["total"]) for line in lines) == Decimal(told[total]) > 0


async def test_a_problem_stands_at_its_line(
    app: Quart, ada: Visitor, fill_cart: FillCart, session: AsyncSession
) -> None:
    await fill_cart(ada, await make_show(session, capacity=1), 2)
    _, summary = await _ask(app, {"user_id": str(ada.id), "lines": "1"})
    assert [line["problem"] for line in summary["lines"]] == ["Only 1 left."]


async def test_nobody_is_told_of_anybody_elses_cart(app: Quart, ada: Visitor, guest: Visitor, stocked: Stocked) -> None:
    await stocked.put(guest, "products", 1)
    await stocked.put(guest, "bookings", 1)
    await stocked.put(ada, "tickets", 1)
    assert guest.session_id is not None
    kinds = {}
    for name, query in {
        "ada": {"user_id": str(ada.id)},
        "guest": {"session_id": str(guest.session_id)},
        "bob": {},
    }.items():
        _, summary = await _ask(app, {**query, "lines": "1"})
        kinds[name] = [line["kind"] for line in summary["lines"]]
    assert kinds == {"ada": ["ticket"], "guest": ["product", "booking", "booking"], "bob": []}


QUERIES = {"tickets": 4, "products": 5, "bookings": 8}
"""Tickets, bookings, products and open orders; the products' variants; the bookings' rules, closures, rooms, slots."""


@pytest.mark.parametrize("lines", [1, 5])
@pytest.mark.parametrize("kind", QUERIES)
async def test_the_number_of_queries_does_not_depend_on_the_number_of_lines(
    app: Quart, ada: Visitor, stocked: Stocked, kind: str, lines: int
) -> None:
    for number in range(1, lines + 1):
        await stocked.put(ada, kind, number)
    with counted_queries(every=True) as statements:
        await _ask(app, {"user_id": str(ada.id)})
    assert len(statements) == QUERIES[kind], statements
    with counted_queries(every=True) as statements:
        await _ask(app, {"user_id": str(ada.id), "lines": "1"})
    events = 2 if kind == "tickets" else 0  # and their types: what is left of them
    assert len(statements) == QUERIES[kind] + events, statements
