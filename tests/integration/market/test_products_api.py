"""The internal products of a page: what another app can show of its shop."""

from __future__ import annotations

from typing import Any

import pytest
from quart.typing import TestClientProtocol as Client
from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncSession

from shared.models import ProductVariant
from tests.factories.blog import make_page
from tests.factories.market import make_product, make_variant
from tests.support.internal_api import BEARER, assert_error
from tests.support.queries import counted_queries


async def _ask(client: Client, page_post_id: int, query: str = "") -> list[dict[str, Any]]:
    answer = await client.get(f"/internal/v1/pages/{page_post_id}/products?{query}", headers=BEARER)
    assert answer.status_code == 200
    found: list[dict[str, Any]] = (await answer.get_json())["products"]
    return found


async def test_a_product_is_told_of_with_its_variants_and_what_is_left_of_each(
    client: Client, session: AsyncSession
) -> None:
    page_post_id = await make_page(session, has_market=True)
    jam = await make_product(session, page_post_id, slug="jam", title="Jam", price="4.50", stock=5, vat_rate="20")
    small = (await session.execute(update(ProductVariant).values(held=2).returning(ProductVariant.id))).scalar_one()
    large = await make_variant(session, jam, size="large", price="9.00", position=1)
    await session.commit()
    assert await _ask(client, page_post_id) == [
        {
            "id": jam,
            "slug": "jam",
            "title": "Jam",
            "description": "Plums and sugar.",
            "unit": "per jar",
            "vat_rate": "20.00",
            "price": "4.50",
            "has_dearer": True,
            "note": "",
            "note_look": "",
            "variants": [
                {"id": small, "label": "", "price": "4.50", "available": 3},
                {"id": large, "label": "large", "price": "9.00", "available": None},
            ],
        }
    ]


async def test_what_is_hidden_or_sold_elsewhere_is_not_told_of(client: Client, session: AsyncSession) -> None:
    page_post_id = await make_page(session, has_market=True)
    await make_product(session, page_post_id, title="On show")
    await make_product(session, page_post_id, title="Hidden", published=False)
    await make_product(session, page_post_id, title="Nothing to sell of it", price=None)
    await make_product(session, await make_page(session, has_market=True), title="Another page's")
    await session.commit()
    assert [product["title"] for product in await _ask(client, page_post_id)] == ["On show"]


async def test_a_market_that_is_switched_off_has_no_products(client: Client, session: AsyncSession) -> None:
    page_post_id = await make_page(session, has_market=False)
    await make_product(session, page_post_id)
    await session.commit()
    assert await _ask(client, page_post_id) == []


async def test_a_page_that_there_is_not_is_not_found(client: Client) -> None:
    for page_post_id in ("0", "1", str(2**63 - 1), str(2**63), "-1", "x"):
        response = await client.get(f"/internal/v1/pages/{page_post_id}/products", headers=BEARER)
        await assert_error(response, 404, "not_found")


async def test_the_first_few_products_can_be_asked_for(client: Client, session: AsyncSession) -> None:
    page_post_id = await make_page(session, has_market=True)
    for title in ("Cider", "Apples", "Beans"):
        await make_product(session, page_post_id, title=title)
    await session.commit()
    told = {
        limit: [product["title"] for product in await _ask(client, page_post_id, f"limit={limit}")]
        for limit in (0, 2, 9)
    }
    assert told == {0: [], 2: ["Apples", "Beans"], 9: ["Apples", "Beans", "Cider"]}


@pytest.mark.parametrize("query", ["limit=-1", "limit=1001", "limit=x", "limit=", "limit=1&limit=2"])
async def test_a_query_that_cannot_be_is_refused(client: Client, query: str) -> None:
    response = await client.get(f"/internal/v1/pages/1/products?{query}", headers=BEARER)
    await assert_error(response, 422, "bad_input")


PRODUCTS_QUERIES = 3
"""The page, its products, and their variants."""


@pytest.mark.parametrize("products", [1, 5])
async def test_the_number_of_queries_does_not_depend_on_the_number_of_products(
    client: Client, session: AsyncSession, products: int
) -> None:
    page_post_id = await make_page(session, has_market=True)
    for number in range(products):
        product_id = await make_product(session, page_post_id, title=f"Jam {number}")
        await make_variant(session, product_id, size="large")
    await session.commit()
    with counted_queries() as statements:
        await _ask(client, page_post_id)
    assert len(statements) == PRODUCTS_QUERIES, statements
