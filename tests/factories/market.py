"""Products that are valid as they are; name what a test is about."""

from __future__ import annotations

from decimal import Decimal
from itertools import count

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from shared.models import ProductVariant
from shared.services.market_impl import SqlMarketService

_numbers = count(1)


async def make_product(
    session: AsyncSession,
    page_post_id: int,
    *,
    slug: str | None = None,
    title: str = "Plum jam",
    price: str | None = "4.50",
    stock: int | None = None,
    unit: str = "per jar",
    description: str = "Plums and sugar.",
    vat_rate: str = "0",
    published: bool = True,
) -> int:
    """Write a product of a page, of one kind unless ``price`` is None, and return its id."""
    product_id = await SqlMarketService().save_product(
        session,
        container_id=page_post_id,
        slug=slug or f"product-{next(_numbers)}",
        title=title,
        unit=unit,
        description=description,
        vat_rate=Decimal(vat_rate),
        published=published,
    )
    if price is not None:
        await make_variant(session, product_id, price=price, stock=stock)
    return product_id


async def make_variant(
    session: AsyncSession,
    product_id: int,
    *,
    price: str = "4.50",
    size: str = "",
    colour: str = "",
    stock: int | None = None,
    position: int = 0,
    published: bool = True,
) -> int:
    """Write what is sold of a product and return its id."""
    return await SqlMarketService().save_variant(
        session,
        product_id,
        price=Decimal(price),
        size=size,
        colour=colour,
        stock=stock,
        position=position,
        published=published,
    )


async def variant_of(session: AsyncSession, product_id: int) -> int:
    """Return the id of the only variant of a product."""
    return (await session.scalars(select(ProductVariant.id).where(ProductVariant.product_id == product_id))).one()
