"""Product lines of a cart, and what its owner is to be told of it: written by the cart domain alone."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, func, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from shared.contracts.states import NoticeReason

from .base import Base, IdMixin, one_of
from .market import ProductVariant

ONE_OWNER = "(user_id IS NULL) <> (session_id IS NULL)"


class CartItem(IdMixin, Base):
    """So many of one variant in a cart, which belongs to a user or to an anonymous session. Holds no stock."""

    __tablename__ = "cart_items"
    __table_args__ = (
        CheckConstraint(ONE_OWNER, name="one_owner"),
        CheckConstraint("quantity > 0", name="quantity"),
        # Two, since a unique index takes NULLs for different: one over both owners would let a variant in twice.
        Index(
            "uq_cart_items_user_id_variant_id",
            "user_id",
            "variant_id",
            unique=True,
            postgresql_where=text("user_id IS NOT NULL"),
        ),
        Index(
            "uq_cart_items_session_id_variant_id",
            "session_id",
            "variant_id",
            unique=True,
            postgresql_where=text("session_id IS NOT NULL"),
        ),
        Index("ix_cart_items_touched_at", "touched_at"),
    )

    # CASCADE, unlike a booking's: nothing names a line of a cart once it is gone.
    user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    session_id: Mapped[UUID | None] = mapped_column(ForeignKey("sessions.id", ondelete="CASCADE"))
    variant_id: Mapped[int] = mapped_column(ForeignKey("product_variants.id", ondelete="CASCADE"), index=True)
    quantity: Mapped[int]
    price_seen: Mapped[Decimal]
    """What one cost when it was put in: the page says so where it has changed since."""
    touched_at: Mapped[datetime] = mapped_column(server_default=func.now())

    variant: Mapped[ProductVariant] = relationship(lazy="raise")


class CartNotice(IdMixin, Base):
    """What left a cart by itself, and why; shown until its owner has read it."""

    __tablename__ = "cart_notices"
    __table_args__ = (
        CheckConstraint(ONE_OWNER, name="one_owner"),
        CheckConstraint(one_of("reason", NoticeReason), name="reason"),
        Index("ix_cart_notices_user_id", "user_id", postgresql_where=text("user_id IS NOT NULL")),
        Index("ix_cart_notices_session_id", "session_id", postgresql_where=text("session_id IS NOT NULL")),
        Index("ix_cart_notices_created_at", "created_at"),
    )

    user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    session_id: Mapped[UUID | None] = mapped_column(ForeignKey("sessions.id", ondelete="CASCADE"))
    reason: Mapped[NoticeReason]
    title: Mapped[str]
    quantity: Mapped[int]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
