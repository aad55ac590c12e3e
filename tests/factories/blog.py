"""Pages and posts that are valid as they are; name what a test is about."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import count

from sqlalchemy.ext.asyncio import AsyncSession

from shared.services.blog_impl import SqlBlogService

_numbers = count(1)
LONG_AGO = datetime.now(UTC) - timedelta(days=400)


async def make_page(
    session: AsyncSession,
    *,
    slug: str | None = None,
    title: str = "The Barn",
    body: str = "A barn, and what goes on in it.",
    excerpt: str = "A barn.",
    published_at: datetime | None = LONG_AGO,
    has_calendar: bool = False,
    has_market: bool = False,
    seller_name: str = "The Barn Trust",
    seller_address: str = "1 Barn Lane",
    seller_email: str = "",
    seller_phone: str = "",
    terms: str = "",
    refund_policy: str = "",
    collection_place: str = "",
    collection_times: str = "",
    sumup_merchant_code: str | None = None,
) -> int:
    """Write a page with its configuration and return its id."""
    blog = SqlBlogService()
    page_post_id = await blog.save_post(
        session,
        slug=slug or f"page-{next(_numbers)}",
        title=title,
        body=body,
        excerpt=excerpt,
        is_page=True,
        published_at=published_at,
    )
    await blog.configure_page(
        session,
        page_post_id,
        seller_name=seller_name,
        seller_address=seller_address,
        seller_email=seller_email,
        seller_phone=seller_phone,
        has_calendar=has_calendar,
        has_market=has_market,
        terms=terms,
        refund_policy=refund_policy,
        collection_place=collection_place,
        collection_times=collection_times,
        sumup_merchant_code=sumup_merchant_code,
    )
    return page_post_id


async def make_post(
    session: AsyncSession,
    *,
    slug: str | None = None,
    title: str = "News",
    body: str = "Something happened.",
    excerpt: str = "In short.",
    page_post_id: int | None = None,
    published_at: datetime | None = LONG_AGO,
) -> int:
    """Write a post and return its id."""
    return await SqlBlogService().save_post(
        session,
        slug=slug or f"post-{next(_numbers)}",
        title=title,
        body=body,
        excerpt=excerpt,
        page_post_id=page_post_id,
        published_at=published_at,
    )
