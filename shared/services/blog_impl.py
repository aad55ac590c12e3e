"""The blog domain: the only writer of posts, pages and what a page sells with."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache

from markdown_it import MarkdownIt
from markupsafe import Markup
from sqlalchemy import Row, Select, Text, func, literal, select, tuple_, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from shared.contracts.contact import email_of, phone_of
from shared.contracts.dtos import PageDTO, PostDTO
from shared.contracts.errors import BadInput, NotFound
from shared.contracts.paths import SLUG
from shared.models.blog import PageConfig, Post

SLUG_LENGTH = 80
RESERVED_SLUGS = frozenset(
    {
        "account",
        "admin",
        "auth",
        "calendars",
        "cart",
        "cart-badge",
        "checkout",
        "entries",
        "favicon.ico",
        "health",
        "internal",
        "metrics",
        "orders",
        "outbox",
        "payments",
        "posts",
        "refunds",
        "robots.txt",
        "static",
        "tickets",
        "webhooks",
        ".well-known",
    }
)
"""First parts of the apps' own paths: a page of such a name could never be reached."""


@lru_cache(maxsize=1)
def _markdown() -> MarkdownIt:
    """Return the renderer: HTML in the text is shown as text, and only harmless kinds of links are made."""
    # HTML off, not cleaned: what is never let in needs no list of what is harmless.
    return MarkdownIt("commonmark", {"html": False, "typographer": True}).enable(
        ["table", "replacements", "smartquotes"]
    )


def render_markdown(text: str) -> Markup:
    """Return ``text`` as HTML that is safe to show, whoever wrote it."""
    return Markup(_markdown().render(text))  # noqa: S704 - the renderer escapes all HTML of the text itself


def checked_slug(slug: str) -> str:
    """Return ``slug`` if it can be an address, else raise BadInput."""
    if not SLUG.fullmatch(slug) or len(slug) > SLUG_LENGTH:
        raise BadInput("An address has only small letters, digits and single hyphens.", field="slug")
    # The page would be saved, and its address would show something else.
    if slug in RESERVED_SLUGS:
        raise BadInput(f"The address “{slug}” is taken by the site itself.", field="slug")
    return slug


def checked_seller_email(typed: str) -> str:
    """Return the e-mail address that buyers write to, or nothing where nothing was typed; raises BadInput."""
    email = email_of(typed) if typed.strip() else ""
    if email is None:
        raise BadInput("Enter an e-mail address, such as shop@example.org, or none.", field="seller_email")
    return email


def checked_seller_phone(typed: str) -> str:
    """Return the telephone number that buyers ring, or nothing where nothing was typed; raises BadInput."""
    phone = phone_of(typed) if typed.strip() else ""
    if phone is None:
        raise BadInput("Enter a telephone number, such as 01632 960123, or none.", field="seller_phone")
    return phone


def _page_to_dto(post: Post, config: PageConfig | None) -> PageDTO:
    return PageDTO(
        id=post.id,
        slug=post.slug,
        title=post.title,
        excerpt=post.excerpt,
        body=Markup(post.body_html),  # noqa: S704 - made by render_markdown when it was saved
        has_calendar=config is not None and config.has_calendar,
        has_market=config is not None and config.has_market,
        seller_name=config.seller_name if config else "",
        seller_address=config.seller_address if config else "",
        seller_email=config.seller_email if config else "",
        seller_phone=config.seller_phone if config else "",
        terms=config.terms if config else "",
        refund_policy=config.refund_policy if config else "",
        collection_place=config.collection_place if config else "",
        collection_times=config.collection_times if config else "",
        refund_automatically=config is not None and config.refund_automatically,
    )


def _post_to_dto(row: Row[Post, str, str]) -> PostDTO:
    post, page_slug, page_title = row
    assert post.published_at is not None  # noqa: S101 - the query asks for published posts
    return PostDTO(
        id=post.id,
        slug=post.slug,
        title=post.title,
        excerpt=post.excerpt,
        body=Markup(post.body_html),  # noqa: S704 - made by render_markdown when it was saved
        published_at=post.published_at,
        page_slug=page_slug,
        page_title=page_title,
    )


def _pages() -> Select[Post, PageConfig]:
    """Select pages with their configuration, published or not."""
    # Outer: a page that nobody has configured is a page all the same.
    joined = (PageConfig.container_type == "page") & (PageConfig.container_id == Post.id)
    return select(Post, PageConfig).outerjoin(PageConfig, joined).where(Post.is_page)


def _posts() -> Select[Post, str, str]:
    """Select published posts with the address and title of their page."""
    page = aliased(Post)
    return (
        select(Post, page.slug, page.title)
        .outerjoin(page, page.id == Post.page_post_id)
        .where(Post.is_page.is_(False), Post.published_at <= func.now())
    )


class SqlBlogService:
    """The blog over PostgreSQL. Takes the caller's session and never commits."""

    async def pages(self, session: AsyncSession, *, drafts: bool = False) -> list[PageDTO]:
        query = _pages() if drafts else _pages().where(Post.published_at <= func.now())
        rows = await session.execute(query.order_by(Post.title, Post.id))
        return [_page_to_dto(post, config) for post, config in rows]

    async def page_by_slug(self, session: AsyncSession, slug: str) -> PageDTO | None:
        rows = await session.execute(_pages().where(Post.slug == slug, Post.published_at <= func.now()))
        row = rows.one_or_none()
        return _page_to_dto(*row) if row else None

    async def pages_by_id(self, session: AsyncSession, ids: Sequence[int]) -> dict[int, PageDTO]:
        if not ids:
            return {}
        # Drafts too: what was sold keeps its seller, also after its page was taken down.
        rows = await session.execute(_pages().where(Post.id.in_(ids)))
        return {post.id: _page_to_dto(post, config) for post, config in rows}

    async def posts(
        self,
        session: AsyncSession,
        *,
        page_post_id: int | None = None,
        before: tuple[datetime, int] | None = None,
        limit: int = 10,
    ) -> list[PostDTO]:
        query = _posts().order_by(Post.published_at.desc(), Post.id.desc()).limit(limit)
        if page_post_id is not None:
            query = query.where(Post.page_post_id == page_post_id)
        if before is not None:
            # One comparison of both columns, which their index answers; with the id, so that equal times lose no post.
            query = query.where(tuple_(Post.published_at, Post.id) < before)
        return [_post_to_dto(row) for row in await session.execute(query)]

    async def post_by_slug(self, session: AsyncSession, slug: str) -> PostDTO | None:
        row = (await session.execute(_posts().where(Post.slug == slug))).one_or_none()
        return _post_to_dto(row) if row else None

    async def save_post(
        self,
        session: AsyncSession,
        *,
        slug: str,
        title: str,
        body: str,
        excerpt: str = "",
        page_post_id: int | None = None,
        is_page: bool = False,
        published_at: datetime | None = None,
    ) -> int:
        """Write a post or a page, the one with this ``slug`` or a new one, and return its id.

        The Markdown of ``body`` becomes HTML here, once. Raises BadInput for an address that cannot be used.
        Safe to repeat.
        """
        values = {
            "title": title,
            "body": body,
            "body_html": str(render_markdown(body)),
            "excerpt": excerpt,
            "page_post_id": page_post_id,
            "is_page": is_page,
            "published_at": published_at,
        }
        statement = (
            insert(Post)
            .values(slug=checked_slug(slug), **values)
            # One statement: two who save the same page at once leave one page.
            .on_conflict_do_update(index_elements=[Post.slug], set_=values)
            .returning(Post.id)
        )
        return (await session.execute(statement)).scalar_one()

    async def configure_page(
        self,
        session: AsyncSession,
        page_post_id: int,
        *,
        seller_name: str = "",
        seller_address: str = "",
        seller_email: str = "",
        seller_phone: str = "",
        has_calendar: bool = False,
        has_market: bool = False,
        terms: str = "",
        refund_policy: str = "",
        collection_place: str = "",
        collection_times: str = "",
        sumup_merchant_code: str | None = None,
    ) -> None:
        """Say what a page sells, who sells it, and which account is paid. Safe to repeat.

        Raises BadInput for an e-mail address or a telephone number that is none.
        """
        values = {
            "seller_name": seller_name,
            "seller_address": seller_address,
            "seller_email": checked_seller_email(seller_email),
            "seller_phone": checked_seller_phone(seller_phone),
            "has_calendar": has_calendar,
            "has_market": has_market,
            "terms": terms,
            "refund_policy": refund_policy,
            "collection_place": collection_place,
            "collection_times": collection_times,
            "sumup_merchant_code": sumup_merchant_code,
        }
        statement = insert(PageConfig).values(container_type="page", container_id=page_post_id, **values)
        await session.execute(
            statement.on_conflict_do_update(
                index_elements=[PageConfig.container_type, PageConfig.container_id], set_=values
            )
        )

    async def set_page_account(self, session: AsyncSession, page_post_id: int, merchant_code: str | None) -> None:
        # From the posts themselves, so that no account is ever kept for a page that is not there.
        page = select(literal("page"), Post.id, literal(merchant_code, Text)).where(
            Post.id == page_post_id, Post.is_page
        )
        columns = [PageConfig.container_type, PageConfig.container_id, PageConfig.sumup_merchant_code]
        statement = insert(PageConfig).from_select(columns, page)
        changed = {
            "sumup_merchant_code": statement.excluded.sumup_merchant_code,
            # What was to come later is not to come any more.
            "next_merchant_code": None,
            "next_account_at": None,
        }
        found = await session.scalar(
            statement.on_conflict_do_update(index_elements=columns[:2], set_=changed).returning(PageConfig.container_id)
        )
        if found is None:
            raise NotFound

    async def plan_page_account(
        self, session: AsyncSession, page_post_id: int, merchant_code: str | None, *, now: datetime, from_at: datetime
    ) -> None:
        planned = {"next_merchant_code": literal(merchant_code, Text), "next_account_at": literal(from_at)}
        page = select(literal("page"), Post.id, *planned.values()).where(Post.id == page_post_id, Post.is_page)
        columns = [PageConfig.container_type, PageConfig.container_id]
        statement = insert(PageConfig).from_select([*columns, *planned], page)
        # An earlier plan whose time has come is what is so now.
        changed = {"sumup_merchant_code": PageConfig.account_at(now), **planned}
        found = await session.scalar(
            statement.on_conflict_do_update(index_elements=columns, set_=changed).returning(PageConfig.container_id)
        )
        if found is None:
            raise NotFound

    async def set_automatic_refunds(self, session: AsyncSession, page_post_id: int, *, automatic: bool) -> bool:
        page = select(literal("page"), Post.id).where(Post.id == page_post_id, Post.is_page)
        columns = [PageConfig.container_type, PageConfig.container_id]
        # Made first if need be, so that the update below has a row, and alone says whether anything changed.
        await session.execute(insert(PageConfig).from_select(columns, page).on_conflict_do_nothing())
        of_page = (PageConfig.container_type == "page") & (PageConfig.container_id == page_post_id)
        change = update(PageConfig).where(of_page, PageConfig.refund_automatically != automatic)
        changed = await session.scalar(change.values(refund_automatically=automatic).returning(PageConfig.id))
        # Nothing changed: because it was so already, or because there is no such page.
        if changed is None and await session.scalar(select(PageConfig.id).where(of_page)) is None:
            raise NotFound
        return changed is not None
