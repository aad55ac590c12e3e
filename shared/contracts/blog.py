"""The blog domain: pages and posts, and what it promises."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncSession


@dataclass(frozen=True, slots=True)
class PageDTO:
    """A page of the site: it may have a calendar, a market and a SumUp account."""

    id: int
    slug: str
    title: str
    excerpt: str = ""
    # In fact a Markup, which is a str: templates show it as it is and escape every other text.
    body: str = ""
    """HTML that the blog domain made of the page's Markdown: safe to show."""
    has_calendar: bool = False
    has_market: bool = False
    seller_name: str = ""
    seller_address: str = ""
    seller_email: str = ""
    seller_phone: str = ""
    terms: str = ""
    refund_policy: str = ""
    collection_place: str = ""
    collection_times: str = ""
    """Where and when products are collected, in the page's own words."""
    refund_automatically: bool = False
    """Whether money that is owed to a buyer of this page goes back by itself."""


@dataclass(frozen=True, slots=True)
class PostDTO:
    """A published post, and the page that it belongs to, if any."""

    id: int
    slug: str
    title: str
    excerpt: str
    body: str
    """HTML, as in ``PageDTO``."""
    published_at: datetime
    page_slug: str | None = None
    page_title: str | None = None


# For the test of the service: it sees only that the names are there. That they fit is mypy's to say.
@runtime_checkable
class BlogService(Protocol):
    """The blog domain: the only writer of posts and pages."""

    # Drafts are for admins: a page that was taken down still has orders to see and an account to be paid to.
    async def pages(self, session: AsyncSession, *, drafts: bool = False) -> list[PageDTO]:
        """Return the published pages, by title; with ``drafts`` those that are not published (yet), too."""
        ...

    async def page_by_slug(self, session: AsyncSession, slug: str) -> PageDTO | None:
        """Return one published page, or None."""
        ...

    async def pages_by_id(self, session: AsyncSession, ids: Sequence[int]) -> dict[int, PageDTO]:
        """Return those pages, published or not, by id."""
        ...

    async def posts(
        self,
        session: AsyncSession,
        *,
        page_post_id: int | None = None,
        before: tuple[datetime, int] | None = None,
        limit: int = 10,
    ) -> list[PostDTO]:
        """Return published posts, of one page or of all, newest first, older than the key ``before``."""
        ...

    async def post_by_slug(self, session: AsyncSession, slug: str) -> PostDTO | None:
        """Return one published post, or None."""
        ...

    async def set_page_account(self, session: AsyncSession, page_post_id: int, merchant_code: str | None) -> None:
        """Have a page paid to an account of its own, or (None) to the installation's, from now on. Safe to repeat.

        Orders that were placed before stay with the account that they were placed for; what was planned for later is
        dropped. Raises NotFound.
        """
        ...

    async def plan_page_account(
        self, session: AsyncSession, page_post_id: int, merchant_code: str | None, *, now: datetime, from_at: datetime
    ) -> None:
        """Have a page paid to an account, or (None) to the installation's, from ``from_at`` on. Raises NotFound."""
        ...

    async def set_automatic_refunds(self, session: AsyncSession, page_post_id: int, *, automatic: bool) -> bool:
        """Say whether money that is owed to a page's buyers goes back by itself; return whether that is a change.

        Raises NotFound.
        """
        ...
