"""The market domain over the real database."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from shared.contracts.dtos import VariantDTO
from shared.contracts.errors import BadInput
from shared.contracts.protocols import MarketService
from shared.services.market_impl import SqlMarketService
from tests.factories.blog import make_page
from tests.factories.market import make_product, make_variant, variant_of
from tests.support.queries import counted_queries

market = SqlMarketService()


def test_it_keeps_the_protocol() -> None:
    assert isinstance(market, MarketService)


async def test_products_are_by_page_and_title(session: AsyncSession) -> None:
    first, second = await make_page(session), await make_page(session)
    for page_post_id, title in ((second, "Apples"), (first, "Pears"), (first, "Beans")):
        await make_product(session, page_post_id, title=title)

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
    page_post_id = await make_page(session)
    first = await make_product(session, page_post_id, slug="jam", price="4.30")
    second = await make_product(session, page_post_id, slug="jam", price="4.60")

    product = await market.product_by_slug(session, "jam")

    assert product is not None
    assert (first, product.price) == (second, Decimal("4.60"))


async def test_another_pages_product_is_not_overwritten(session: AsyncSession) -> None:
    await make_product(session, await make_page(session), slug="jam", title="Ours")

    with pytest.raises(BadInput):
        await make_product(session, await make_page(session), slug="jam", title="Theirs")

    assert [p.title for p in await market.products(session)] == ["Ours"]


async def test_a_product_is_on_show_once_it_is_sold_as_something(session: AsyncSession) -> None:
    product_id = await make_product(session, await make_page(session), slug="jam", price=None)
    assert await market.product_by_slug(session, "jam") is None

    await make_variant(session, product_id, published=False)
    assert await market.products(session) == []

    await make_variant(session, product_id)
    assert [p.slug for p in await market.products(session)] == ["jam"]


async def test_variants_are_in_their_order_and_without_the_hidden_ones(session: AsyncSession) -> None:
    product_id = await make_product(session, await make_page(session), slug="smock", price=None)
    await make_variant(session, product_id, size="Large", colour="grey", position=2)
    await make_variant(session, product_id, size="Medium", position=1, published=False)
    await make_variant(session, product_id, size="Small", position=1)
    await make_variant(session, product_id, colour="green", position=2)

    product = await market.product_by_slug(session, "smock")

    assert product is not None
    assert [variant.label for variant in product.variants] == ["Small", "Large, grey", "green"]


async def test_a_variant_says_all_that_a_cart_must_know_of_it(session: AsyncSession) -> None:
    page_post_id = await make_page(session)
    product_id = await make_product(session, page_post_id, slug="jam", title="Jam", vat_rate="20", price=None)
    variant_id = await make_variant(session, product_id, price="4.30", size="Large", stock=3)

    assert await market.variants_by_id(session, [variant_id]) == {
        variant_id: VariantDTO(
            id=variant_id,
            product_id=product_id,
            product_slug="jam",
            title="Jam",
            label="Large",
            unit="per jar",
            price=Decimal("4.30"),
            vat_rate=Decimal("20.00"),
            available=3,
            on_show=True,
            container_id=page_post_id,
        )
    }


async def test_variants_are_found_hidden_or_not_and_unknown_ones_are_left_out(session: AsyncSession) -> None:
    page_post_id = await make_page(session)
    shown = await variant_of(session, await make_product(session, page_post_id))
    hidden = await variant_of(session, await make_product(session, page_post_id, published=False))
    product_id = await make_product(session, page_post_id, price=None)
    shy = await make_variant(session, product_id, published=False)

    found = await market.variants_by_id(session, [shown, hidden, shy, shy + 1])

    assert {variant_id: variant.on_show for variant_id, variant in found.items()} == {
        shown: True,
        hidden: False,
        shy: False,
    }
    assert await market.variants_by_id(session, []) == {}


@pytest.mark.parametrize(
    ("stocks", "sold_out", "left"),
    [((None,), False, [None]), ((0,), True, [0]), ((0, 2), False, [0, 2]), ((0, None), False, [0, None])],
)
async def test_a_product_is_sold_out_when_nothing_of_it_is_left(
    session: AsyncSession, stocks: tuple[int | None, ...], sold_out: bool, left: list[int | None]
) -> None:
    product_id = await make_product(session, await make_page(session), slug="smock", price=None)
    for number, stock in enumerate(stocks):
        await make_variant(session, product_id, size=str(number), stock=stock)

    product = await market.product_by_slug(session, "smock")

    assert product is not None
    assert (product.is_sold_out, [variant.available for variant in product.variants]) == (sold_out, left)


async def test_the_number_of_queries_does_not_grow_with_products_or_variants(session: AsyncSession) -> None:
    page_post_id, ids = await make_page(session), []
    counts = []
    for number in (1, 9):
        product_id = await make_product(session, page_post_id, slug=f"product-of-{number}", price=None)
        ids += [await make_variant(session, product_id, size=str(size)) for size in range(number)]
        with counted_queries() as queries:
            await market.products(session)
            await market.product_by_slug(session, f"product-of-{number}")
            await market.variants_by_id(session, ids)
        counts.append(len(queries))

    assert counts == [5, 5]  # products and their variants, a product and its variants, variants by id


async def test_saving_again_changes_the_same_variant(session: AsyncSession) -> None:
    product_id = await make_product(session, await make_page(session), price=None)
    first = await make_variant(session, product_id, size="Small", price="4.30", stock=2)
    other = await make_variant(session, product_id, size="Large")
    again = await make_variant(session, product_id, size="Small", price="4.60", stock=None, published=False)

    found = (await market.variants_by_id(session, [first]))[first]

    assert first == again != other
    assert (found.price, found.available, found.on_show) == (Decimal("4.60"), None, False)


@pytest.mark.parametrize(("values", "field"), [({"price": "-0.01"}, "price"), ({"stock": -1}, "stock")], ids=str)
async def test_less_than_nothing_is_refused(session: AsyncSession, values: dict[str, Any], field: str) -> None:
    product_id = await make_product(session, await make_page(session))

    with pytest.raises(BadInput) as refused:
        await make_variant(session, product_id, **values)

    assert refused.value.field == field
    assert [v.price for p in await market.products(session) for v in p.variants] == [Decimal("4.50")]
