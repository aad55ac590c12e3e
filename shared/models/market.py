"""Products."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from sqlalchemy import CheckConstraint, ForeignKey, Index, func
from sqlalchemy.orm import Mapped, mapped_column

from .base import Base, IdMixin


class Product(IdMixin, Base):
    """A product of a page's market."""

    __tablename__ = "products"
    __table_args__ = (
        CheckConstraint("price >= 0", name="price"),
        Index("ix_products_container_id_title", "container_id", "title"),
    )

    container_type: Mapped[str] = mapped_column(server_default="page")
    container_id: Mapped[int] = mapped_column(ForeignKey("posts.id", ondelete="CASCADE"))
    slug: Mapped[str] = mapped_column(unique=True)
    title: Mapped[str]
    description: Mapped[str] = mapped_column(server_default="")
    price: Mapped[Decimal]
    unit: Mapped[str] = mapped_column(server_default="each")
    vat_rate: Mapped[Decimal] = mapped_column(server_default="0")
    published: Mapped[bool] = mapped_column(server_default="true")
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
