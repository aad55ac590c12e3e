"""The market domain over the real database."""

from __future__ import annotations

from decimal import Decimal

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from shared.contracts.errors import BadInput
from shared.contracts.protocols import MarketService
from shared.services.market_impl import SqlMarketService
from tests.factories.blog import make_page
from tests.factories.market import make_product

market = SqlMarketService()


def test_it_keeps_the_protocol() -> None:
    assert isinstance(market, MarketService)


async def test_products_are_by_page_and_title(session: AsyncSession) -> None:
    first, second = await make_page(session), await make_page(session)
    for page_id, title in ((second, "Apples"), (first, "Pears"), (first, "Beans")):
        await make_product(session, page_id, title=title)

    assert [p.title for p in await market.products(session)] == ["Beans", "Pears", "Apples"]
    assert [p.title for p in await market.products(session, container_id=second)] == ["Apples"]


async def test_a_product_that_is_not_on_show_is_not_found(session: AsyncSession) -> None:
    await make_product(session, await make_page(session), slug="hidden", published=False)

    assert await market.products(session) == []
    assert await market.product_by_slug(session, "hidden") is None


async def test_a_price_keeps_its_pence(session: AsyncSession) -> None:
    await make_product(session, await make_page(session), slug="jam", price="4.30")

    product = await market.product_by_slug(session, "jam")

    assert product is not None
    assert (product.price, str(product.price)) == (Decimal("4.30"), "4.30")


async def test_saving_again_changes_the_same_product(session: AsyncSession) -> None:
    page_id = await make_page(session)
    first = await make_product(session, page_id, slug="jam", price="4.30")
    second = await make_product(session, page_id, slug="jam", price="4.60")

    product = await market.product_by_slug(session, "jam")

    assert product is not None
    assert (first, product.price) == (second, Decimal("4.60"))


async def test_another_pages_product_is_not_overwritten(session: AsyncSession) -> None:
    await make_product(session, await make_page(session), slug="jam", title="Ours")

    with pytest.raises(BadInput):
        await make_product(session, await make_page(session), slug="jam", title="Theirs")

    assert [p.title for p in await market.products(session)] == ["Ours"]


async def test_a_price_below_nothing_is_refused(session: AsyncSession) -> None:
    with pytest.raises(BadInput) as refused:
        await make_product(session, await make_page(session), price="-0.01")

    assert refused.value.field == "price"
