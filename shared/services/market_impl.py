"""The market domain: the only writer of products."""

from __future__ import annotations

from decimal import Decimal

from sqlalchemy import Select, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from shared.contracts.dtos import ZERO, ProductDTO
from shared.contracts.errors import BadInput
from shared.models.market import Product


def _on_show() -> Select[Product]:
    """Select the products of pages that are on show."""
    return select(Product).where(Product.container_type == "page", Product.published)


def _product_to_dto(product: Product) -> ProductDTO:
    """Say what others may know of a product."""
    return ProductDTO(
        id=product.id,
        slug=product.slug,
        title=product.title,
        description=product.description,
        price=product.price,
        unit=product.unit,
        container_id=product.container_id,
    )


class SqlMarketService:
    """The market over PostgreSQL. Takes the caller's session and never commits."""

    async def products(self, session: AsyncSession, *, container_id: int | None = None) -> list[ProductDTO]:
        """Return the products on show, of one page or of all, by page and title."""
        query = _on_show().order_by(Product.container_id, Product.title, Product.id)
        if container_id is not None:
            query = query.where(Product.container_id == container_id)
        return [_product_to_dto(product) for product in await session.scalars(query)]

    async def product_by_slug(self, session: AsyncSession, slug: str) -> ProductDTO | None:
        """Return one product on show, or None."""
        product = (await session.scalars(_on_show().where(Product.slug == slug))).one_or_none()
        return _product_to_dto(product) if product else None

    async def save_product(
        self,
        session: AsyncSession,
        *,
        container_id: int,
        slug: str,
        title: str,
        price: Decimal,
        description: str = "",
        unit: str = "each",
        vat_rate: Decimal = ZERO,
        published: bool = True,
    ) -> int:
        """Write a product, the one with this ``slug`` or a new one, and return its id.

        Raises BadInput for a price below nothing, or a slug that another page's product has. Safe to repeat.
        """
        if price < 0:
            raise BadInput("A price cannot be below nothing.", field="price")
        values = {
            "title": title,
            "price": price,
            "description": description,
            "unit": unit,
            "vat_rate": vat_rate,
            "published": published,
        }
        statement = (
            insert(Product)
            .values(slug=slug, container_type="page", container_id=container_id, **values)
            .on_conflict_do_update(
                index_elements=[Product.slug],
                set_=values,
                where=Product.container_id == container_id,
            )
            .returning(Product.id)
        )
        written = await session.scalar(statement)
        if written is None:
            raise BadInput(f"The address “{slug}” is taken by another page's product.", field="slug")
        return written
