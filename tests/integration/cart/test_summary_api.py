"""The internal summary: what the badge of every app counts."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import pytest
from quart import Quart, Response
from sqlalchemy.ext.asyncio import AsyncSession

from shared.settings import DEV_SECRET
from tests.factories.orders import make_order
from tests.integration.cart.conftest import Counting, FillCart, Show, Visitor, make_show
from tests.support.internal_api import BEARER, assert_error

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
        "user_id=1&user_id=2",
    ],
)
async def test_a_query_that_cannot_be_is_refused(app: Quart, query: str) -> None:
    error = await assert_error(await _get(app, query), 422, "bad_input")
    assert error["message"].startswith(query.partition("=")[0])


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer wrong"}, {"Authorization": DEV_SECRET}])
async def test_only_our_own_apps_may_ask(app: Quart, ada: Visitor, headers: dict[str, str]) -> None:
    await assert_error(await _get(app, f"user_id={ada.id}", headers), 401, "unauthorized")


@pytest.mark.parametrize("lines", [1, 5])
async def test_the_number_of_queries_does_not_depend_on_the_lines(
    app: Quart, ada: Visitor, fill_cart: FillCart, session: AsyncSession, count_queries: Counting, lines: int
) -> None:
    for number in range(lines):
        await fill_cart(ada, await make_show(session, name=f"Play {number}"), 2)
    with count_queries() as statements:
        await _ask(app, {"user_id": str(ada.id)})
    assert len(statements) == SUMMARY_QUERIES, statements


SUMMARY_QUERIES = 4
