"""The home page and the pages of the site: what the blog itself knows of them. The rest comes from ``offers``."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from sqlalchemy.ext.asyncio import AsyncSession

from shared.browser.event_rows import EventRow
from shared.contracts.dtos import PageDTO
from shared.contracts.errors import NotFound
from shared.contracts.paths import page_path, shop_path
from shared.services.registry import services

from .rows import PostRow, post_row

HOME_POSTS = 3
PAGE_POSTS = 3


@dataclass(frozen=True, slots=True)
class PageCard:
    """A page of the site, as a card."""

    path: str
    title: str
    excerpt: str
    sells: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class HomePage:
    """What the home page shows."""

    pages: tuple[PageCard, ...]
    posts: tuple[PostRow, ...]
    events: tuple[EventRow, ...] | None = ()
    """None: the events app gives no answer."""


@dataclass(frozen=True, slots=True)
class CalendarSection:
    """A calendar of a page, and what is on soon."""

    name: str
    path: str
    book_path: str
    """Where its times are booked; empty where it has none."""
    place: str
    description: str
    events: tuple[EventRow, ...]


@dataclass(frozen=True, slots=True)
class ProductRow:
    """A product, as a link to the shop."""

    path: str
    title: str
    price: Decimal | None
    """The lowest price; None: it is not known."""
    has_dearer: bool
    note: str
    note_look: str


@dataclass(frozen=True, slots=True)
class SitePage:
    """What a page of the site shows."""

    page: PageDTO
    shop_path: str
    """Empty where the page has no shop."""
    posts: tuple[PostRow, ...]
    calendars: tuple[CalendarSection, ...] | None = ()
    """None: the events app gives no answer."""
    products: tuple[ProductRow, ...] | None = ()
    """The first few; None: the market app gives no answer."""


def _card(page: PageDTO) -> PageCard:
    sells = (("Events and tickets",) if page.has_calendar else ()) + (("Shop",) if page.has_market else ())
    return PageCard(path=page_path(page.slug), title=page.title, excerpt=page.excerpt, sells=sells)


async def home_page(session: AsyncSession, *, zone: str) -> HomePage:
    """Gather the home page, without events: every page of the site, and what is new."""
    # All pages: a village has a few dozen at most, and each wants to be found from here.
    pages = await services.blog.pages(session)
    posts = await services.blog.posts(session, limit=HOME_POSTS)
    return HomePage(
        pages=tuple(_card(page) for page in pages),
        posts=tuple(post_row(post, zone) for post in posts),
    )


async def published_page(session: AsyncSession, slug: str) -> PageDTO:
    """Return a page of the site. Raises NotFound, also for one that is not published yet."""
    page = await services.blog.page_by_slug(session, slug)
    if page is None:
        raise NotFound("There is no page at this address. It may have moved, or the link may be mistyped.")
    return page


async def site_page(session: AsyncSession, slug: str, *, zone: str) -> SitePage:
    """Gather a page with its posts, without what it sells. Raises NotFound."""
    page = await published_page(session, slug)
    posts = await services.blog.posts(session, page_post_id=page.id, limit=PAGE_POSTS)
    return SitePage(
        page=page,
        shop_path=shop_path(page.slug) if page.has_market else "",
        posts=tuple(post_row(post, zone) for post in posts),
    )
