"""Products that are valid as they are; name what a test is about."""

from __future__ import annotations

from decimal import Decimal
from itertools import count

from sqlalchemy.ext.asyncio import AsyncSession

from shared.services.market_impl import SqlMarketService

_numbers = count(1)


async def make_product(
    session: AsyncSession,
    page_id: int,
    *,
    slug: str | None = None,
    title: str = "Plum jam",
    price: str = "4.50",
    unit: str = "per jar",
    description: str = "Plums and sugar.",
    published: bool = True,
) -> int:
    """Write a product of a page and return its id."""
    return await SqlMarketService().save_product(
        session,
        container_id=page_id,
        slug=slug or f"product-{next(_numbers)}",
        title=title,
        price=Decimal(price),
        unit=unit,
        description=description,
        published=published,
    )
