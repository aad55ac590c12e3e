"""The market domain: the only writer of products, their variants and their stock."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from decimal import Decimal

from sqlalchemy import Select, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import contains_eager, selectinload, with_expression

from shared.contracts.dtos import ZERO, AllocationDTO, ProductDTO, VariantDTO
from shared.contracts.errors import BadInput
from shared.contracts.states import DebtReason
from shared.models.market import Product, ProductVariant
from shared.services.market.stock import (
    allocations_of,
    asking_unpaid,
    cancel_stock,
    claim_stock,
    confirm_stock,
    label_of,
    left_of,
    refund_stock,
    release_stock,
    retake_stock,
)


def _on_show() -> Select[Product]:
    """Select the products of pages that are on show and have something to sell, with their variants."""
    # A product without anything to sell is one that is being prepared.
    sold = select(ProductVariant.id).where(ProductVariant.product_id == Product.id, ProductVariant.published)
    return (
        select(Product)
        .where(Product.container_type == "page", Product.published, sold.exists())
        .options(selectinload(Product.variants).options(with_expression(ProductVariant.some_unpaid, asking_unpaid())))
        .execution_options(populate_existing=True)
    )


def _variant_to_dto(variant: ProductVariant, product: Product) -> VariantDTO:
    return VariantDTO(
        id=variant.id,
        product_id=product.id,
        product_slug=product.slug,
        title=product.title,
        label=label_of(variant),
        unit=product.unit,
        price=variant.price,
        vat_rate=product.vat_rate,
        available=left_of(variant),
        on_show=product.published and variant.published,
        container_id=product.container_id,
        some_unpaid=bool(variant.some_unpaid),
    )


def _product_to_dto(product: Product) -> ProductDTO:
    return ProductDTO(
        id=product.id,
        slug=product.slug,
        title=product.title,
        description=product.description,
        unit=product.unit,
        container_id=product.container_id,
        vat_rate=product.vat_rate,
        variants=tuple(_variant_to_dto(each, product) for each in product.variants if each.published),
    )


class SqlMarketService:
    """The market over PostgreSQL. Takes the caller's session and never commits."""

    is_stub = False

    async def products(self, session: AsyncSession, *, container_id: int | None = None) -> list[ProductDTO]:
        query = _on_show().order_by(Product.container_id, Product.title, Product.id)
        if container_id is not None:
            query = query.where(Product.container_id == container_id)
        return [_product_to_dto(product) for product in await session.scalars(query)]

    async def product_by_slug(self, session: AsyncSession, slug: str) -> ProductDTO | None:
        product = (await session.scalars(_on_show().where(Product.slug == slug))).one_or_none()
        return _product_to_dto(product) if product else None

    async def variants_by_id(self, session: AsyncSession, ids: Collection[int]) -> dict[int, VariantDTO]:
        if not ids:
            return {}
        rows = await session.scalars(
            select(ProductVariant)
            .join(ProductVariant.product)
            .where(ProductVariant.id.in_(ids))
            .options(
                # Off show too: a cart may have what was taken off, and has to be able to say so.
                contains_eager(ProductVariant.product),
                with_expression(ProductVariant.some_unpaid, asking_unpaid()),
            )
            .execution_options(populate_existing=True)
        )
        return {row.id: _variant_to_dto(row, row.product) for row in rows}

    # --- stock in an order ---

    async def claim_stock_for_order(self, session: AsyncSession, order_id: int, wanted: Mapping[int, int]) -> None:
        await claim_stock(session, order_id, wanted)

    async def release_stock_for_order(self, session: AsyncSession, order_id: int) -> dict[int, int]:
        return await release_stock(session, order_id)

    async def confirm_stock_for_order(self, session: AsyncSession, order_id: int) -> None:
        await confirm_stock(session, order_id)

    async def retake_stock_for_order(
        self, session: AsyncSession, order_id: int, variant_ids: Collection[int]
    ) -> dict[int, DebtReason]:
        return await retake_stock(session, order_id, variant_ids)

    async def get_stock_for_order(self, session: AsyncSession, order_id: int) -> list[AllocationDTO]:
        return await allocations_of(session, order_id)

    async def mark_stock_refunded(self, session: AsyncSession, order_id: int, variant_id: int) -> None:
        await refund_stock(session, order_id, variant_id)

    async def cancel_stock(self, session: AsyncSession, order_id: int, variant_ids: Collection[int]) -> set[int]:
        return await cancel_stock(session, order_id, variant_ids)

    # --- what is for sale ---

    async def save_product(
        self,
        session: AsyncSession,
        *,
        container_id: int,
        slug: str,
        title: str,
        description: str = "",
        unit: str = "each",
        vat_rate: Decimal = ZERO,
        published: bool = True,
    ) -> int:
        """Write a product, the one with this ``slug`` or a new one, and return its id.

        It is sold once it has a variant. Raises BadInput for a slug that another page's product has. Safe to repeat.
        """
        values = {
            "title": title,
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
                # Another page's product of that address stays as it is: then nothing is returned.
                where=Product.container_id == container_id,
            )
            .returning(Product.id)
        )
        written = await session.scalar(statement)
        if written is None:
            raise BadInput(f"The address “{slug}” is taken by another page's product.", field="slug")
        return written

    async def save_variant(
        self,
        session: AsyncSession,
        product_id: int,
        *,
        price: Decimal,
        size: str = "",
        colour: str = "",
        stock: int | None = None,
        position: int = 0,
        published: bool = True,
    ) -> int:
        """Write what is sold of a product, the one of this size and colour or a new one, and return its id.

        ``stock`` is how many there have ever been to sell; None: no limit. Raises BadInput for a price or a stock below
        nothing, and for a stock below what orders hold already. Safe to repeat.
        """
        # The database refuses it too; here it gets words.
        if price < 0:
            raise BadInput("A price cannot be below nothing.", field="price")
        if stock is not None and stock < 0:
            raise BadInput("There cannot be fewer than none.", field="stock")
        values = {"price": price, "stock": stock, "position": position, "published": published}
        statement = (
            insert(ProductVariant)
            .values(product_id=product_id, size=size, colour=colour, **values)
            .on_conflict_do_update(
                index_elements=[ProductVariant.product_id, ProductVariant.size, ProductVariant.colour],
                set_=values,
                # Compared by the statement itself: an order may claim one between a look and a write.
                where=None if stock is None else ProductVariant.held <= stock,
            )
            .returning(ProductVariant.id)
        )
        written = await session.scalar(statement)
        if written is None:
            raise BadInput("More than that have been ordered already.", field="stock")
        return written
