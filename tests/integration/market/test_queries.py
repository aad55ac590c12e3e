"""How often the market asks the database: pinned, and the same however much there is."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from tests.factories.market import make_product, make_variant
from tests.integration.market.conftest import JAM, SMOCK, Goods, fill_cart
from tests.support.queries import counted_queries
from tests.support.visitor import Answer, Visitor

Do = Callable[[Visitor, Goods], Awaitable[Answer]]


async def fill_the_shelves(session: AsyncSession, goods: Goods, who: Visitor) -> None:
    """Let the shop have twenty more products of three kinds each, and the cart a line of every one."""
    for number in range(20):
        product = await make_product(session, goods.page_post_id, title=f"Product {number}", price=None)
        kinds = [await make_variant(session, product, size=size) for size in ("Small", "Medium", "Large")]
        await fill_cart(session, who, kinds)


def look(path: str) -> Do:
    """Open a page."""
    return lambda who, _: who.get(path)


def send(typed: str, *, htmx: bool = False, in_list: bool = False) -> Do:
    """Send the jam's form."""
    more = {"quantity": typed} | ({"in_list": "yes"} if in_list else {})
    return lambda who, goods: who.post(f"{JAM}add/", goods.jam_form | more, htmx=htmx)


@pytest.mark.parametrize(
    ("do", "status", "queries"),
    [
        (look("/"), 200, 3),  # the pages, the products, and their variants
        (look("/barn/"), 200, 3),
        (look(SMOCK), 200, 3),
        (look(f"{JAM}add/"), 303, 0),
        (send("1"), 303, 7),  # besides: the variant, the owner's lock, the cart's lines, and the line itself
        (send("1", htmx=True), 200, 7),
        (send("1", htmx=True, in_list=True), 200, 7),
        (send("0"), 422, 6),  # the page anew
        (send("0", htmx=True), 422, 6),
        (send("0", htmx=True, in_list=True), 422, 6),
    ],
)
async def test_it_does_not_grow_with_what_there_is(
    ada: Visitor, session: AsyncSession, goods: Goods, do: Do, status: int, queries: int
) -> None:
    await ada.get("/barn/")  # what the blog app says of the page is known from now on
    counts = []
    for _ in range(2):
        with counted_queries(every=True) as seen:
            assert (await do(ada, goods)).status == status
        counts.append(len(seen))
        await fill_the_shelves(session, goods, ada)

    assert counts == [1 + queries] * 2  # one more, for who asks


async def test_what_was_added_is_found_among_any_number_of_lines(
    ada: Visitor, session: AsyncSession, goods: Goods
) -> None:
    answer = await ada.post(f"{JAM}add/", goods.jam_form)
    counts = []
    for _ in range(2):
        with counted_queries(every=True) as seen:
            assert (await ada.get(answer.location)).status == 200
        counts.append(len(seen))
        await fill_the_shelves(session, goods, ada)

    assert counts == [1 + 3 + 2] * 2  # besides the product's: the cart's lines, and their variants
