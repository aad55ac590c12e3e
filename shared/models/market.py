"""Products, what each is sold as, and what of it is held for orders."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, func
from sqlalchemy.orm import Mapped, mapped_column, query_expression, relationship

from shared.contracts.states import StockState

from .base import Base, IdMixin, one_of


class Product(IdMixin, Base):
    """A product of a page's market; what is bought is one of its variants. Not ``published``: hidden."""

    __tablename__ = "products"
    __table_args__ = (Index("ix_products_container_id_title", "container_id", "title"),)

    container_type: Mapped[str] = mapped_column(server_default="page")
    container_id: Mapped[int] = mapped_column(ForeignKey("posts.id", ondelete="CASCADE"))
    slug: Mapped[str] = mapped_column(unique=True)
    title: Mapped[str]
    description: Mapped[str] = mapped_column(server_default="")
    unit: Mapped[str] = mapped_column(server_default="each")
    vat_rate: Mapped[Decimal] = mapped_column(server_default="0")
    published: Mapped[bool] = mapped_column(server_default="true")
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())

    variants: Mapped[list[ProductVariant]] = relationship(
        lazy="raise", back_populates="product", order_by="(ProductVariant.position, ProductVariant.id)"
    )


class ProductVariant(IdMixin, Base):
    """What is sold of a product: a size, a colour, both, or (neither) the product itself, with its price and stock.

    ``stock`` is how many there have ever been to sell (null: no limit), ``held`` how many of them are in orders, kept
    by a trigger on the allocations. Its CHECK is what makes overselling impossible (docs/money.md, promise 1).
    """

    __tablename__ = "product_variants"
    __table_args__ = (
        UniqueConstraint("product_id", "size", "colour"),
        CheckConstraint("price >= 0", name="price"),
        CheckConstraint("stock IS NULL OR stock >= 0", name="stock"),
        CheckConstraint("held >= 0", name="held_not_negative"),
        CheckConstraint("stock IS NULL OR held <= stock", name="held_within_stock"),
    )

    product_id: Mapped[int] = mapped_column(ForeignKey("products.id", ondelete="CASCADE"))
    # Empty and not NULL: UNIQUE takes NULLs for different, and the product itself could be there twice.
    size: Mapped[str] = mapped_column(server_default="")
    colour: Mapped[str] = mapped_column(server_default="")
    price: Mapped[Decimal]
    stock: Mapped[int | None]
    held: Mapped[int] = mapped_column(server_default="0")
    published: Mapped[bool] = mapped_column(server_default="true")
    position: Mapped[int] = mapped_column(server_default="0")
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())

    some_unpaid: Mapped[bool | None] = query_expression()
    """Whether nothing is left and some is held only by unpaid orders, where a query has asked; else None."""

    product: Mapped[Product] = relationship(lazy="raise", back_populates="variants")


class StockAllocation(IdMixin, Base):
    """So many of one variant for one order: held while it is paid, sold once it is."""

    __tablename__ = "stock_allocations"
    __table_args__ = (
        # One a variant: an order's line names what it holds by these two.
        UniqueConstraint("order_id", "variant_id"),
        CheckConstraint(one_of("state", StockState), name="state"),
        CheckConstraint("quantity > 0", name="quantity"),
        Index("ix_stock_allocations_variant_id_state", "variant_id", "state"),
    )

    order_id: Mapped[int] = mapped_column(ForeignKey("orders.id"))
    variant_id: Mapped[int] = mapped_column(ForeignKey("product_variants.id"))
    quantity: Mapped[int]
    state: Mapped[StockState] = mapped_column(server_default="reserved")
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())

    variant: Mapped[ProductVariant] = relationship(lazy="raise")
