"""Posts and pages, and what a page sells with."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ColumnElement, ForeignKey, Index, UniqueConstraint, case, func
from sqlalchemy.orm import Mapped, mapped_column, relationship

from .base import Base, IdMixin


class Post(IdMixin, Base):
    """A post, or (``is_page``) a page: the thing that calendars, markets and accounts hang on."""

    __tablename__ = "posts"
    # With the id, which tells posts of one moment apart where a list goes on.
    __table_args__ = (Index("ix_posts_published_at_id", "published_at", "id"),)

    slug: Mapped[str] = mapped_column(unique=True)
    title: Mapped[str]
    excerpt: Mapped[str] = mapped_column(server_default="")
    body: Mapped[str] = mapped_column(server_default="")
    """Markdown, as it was written."""
    body_html: Mapped[str] = mapped_column(server_default="")
    """The same as HTML, made once when it is saved."""
    is_page: Mapped[bool] = mapped_column(server_default="false")
    page_post_id: Mapped[int | None] = mapped_column(ForeignKey("posts.id"), index=True)
    """The page that a post belongs to."""
    published_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())

    # ``raise`` here and everywhere: an async session cannot load in passing, and no query is to be made unseen.
    config: Mapped[PageConfig | None] = relationship(back_populates="post", lazy="raise", uselist=False)


class PageConfig(IdMixin, Base):
    """What a page sells with: who sells, and the account that is paid (none: the installation's own)."""

    __tablename__ = "page_configs"
    __table_args__ = (
        UniqueConstraint("container_type", "container_id"),
        CheckConstraint("container_type = 'page'", name="container_type"),
        CheckConstraint("next_account_at IS NOT NULL OR next_merchant_code IS NULL", name="next_account"),
    )

    container_type: Mapped[str] = mapped_column(server_default="page")
    container_id: Mapped[int] = mapped_column(ForeignKey("posts.id", ondelete="CASCADE"))
    seller_name: Mapped[str] = mapped_column(server_default="")
    seller_address: Mapped[str] = mapped_column(server_default="")
    seller_email: Mapped[str] = mapped_column(server_default="")
    seller_phone: Mapped[str] = mapped_column(server_default="")
    terms: Mapped[str] = mapped_column(server_default="")
    refund_policy: Mapped[str] = mapped_column(server_default="")
    collection_place: Mapped[str] = mapped_column(server_default="")
    collection_times: Mapped[str] = mapped_column(server_default="")
    """Where and when products are collected, in the page's own words."""
    has_calendar: Mapped[bool] = mapped_column(server_default="false")
    has_market: Mapped[bool] = mapped_column(server_default="false")
    refund_automatically: Mapped[bool] = mapped_column(server_default="false")
    """Whether money that is owed to a buyer of this page goes back by itself."""
    sumup_merchant_code: Mapped[str | None]
    """The account that this page's sales are paid to; its key is a row of ``payment_accounts``."""
    next_account_at: Mapped[datetime | None]
    """From when on they are paid to ``next_merchant_code`` instead; None: nothing changes by itself."""
    next_merchant_code: Mapped[str | None]

    @classmethod
    def account_at(cls, now: datetime) -> ColumnElement[str | None]:
        """Return the account that a page is paid to at a moment; NULL: the installation's own."""
        # Nothing has to run at that moment: the row says both, and whoever reads it asks for a time.
        return case((cls.next_account_at <= now, cls.next_merchant_code), else_=cls.sumup_merchant_code)

    post: Mapped[Post] = relationship(back_populates="config", lazy="raise")
