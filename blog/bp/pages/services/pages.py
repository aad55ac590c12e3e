"""The home page and the pages of the site."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from shared.contracts.dtos import CalendarDTO, PageDTO, ProductDTO
from shared.contracts.errors import NotFound
from shared.contracts.paths import book_path, calendar_path, page_path, product_path, shop_path
from shared.services.registry import services

from .rows import EventRow, PostRow, event_row, post_row

HOME_EVENTS = 4
HOME_POSTS = 3
PAGE_EVENTS = 6
PAGE_POSTS = 3
PAGE_PRODUCTS = 3


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
    events: tuple[EventRow, ...]
    posts: tuple[PostRow, ...]


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
    product: ProductDTO


@dataclass(frozen=True, slots=True)
class SitePage:
    """What a page of the site shows."""

    page: PageDTO
    calendars: tuple[CalendarSection, ...]
    shop_path: str
    """Empty where the page has no shop."""
    products: tuple[ProductRow, ...]
    posts: tuple[PostRow, ...]


def _card(page: PageDTO) -> PageCard:
    """Make a card of a page."""
    sells = (("Events and tickets",) if page.has_calendar else ()) + (("Shop",) if page.has_market else ())
    return PageCard(path=page_path(page.slug), title=page.title, excerpt=page.excerpt, sells=sells)


async def home_page(session: AsyncSession, *, now: datetime, zone: str) -> HomePage:
    """Gather the home page: every page, what is on next, and what is new."""
    pages = await services.blog.pages(session)
    entries = await services.calendar.upcoming_entries(session, now=now, limit=HOME_EVENTS)
    posts = await services.blog.posts(session, limit=HOME_POSTS)
    return HomePage(
        pages=tuple(_card(page) for page in pages),
        events=tuple(event_row(entry, now) for entry in entries),
        posts=tuple(post_row(post, zone) for post in posts),
    )


async def published_page(session: AsyncSession, slug: str) -> PageDTO:
    """Return a page of the site. Raises NotFound, also for one that is not published yet."""
    page = await services.blog.page_by_slug(session, slug)
    if page is None:
        raise NotFound("There is no page at this address. It may have moved, or the link may be mistyped.")
    return page


async def site_page(session: AsyncSession, slug: str, *, now: datetime, zone: str) -> SitePage:
    """Gather a page with its calendars, shop and posts. Raises NotFound."""
    page = await published_page(session, slug)
    posts = await services.blog.posts(session, page_id=page.id, limit=PAGE_POSTS)
    return SitePage(
        page=page,
        calendars=await _calendars(session, page, now),
        shop_path=shop_path(page.slug) if page.has_market else "",
        products=await _products(session, page),
        posts=tuple(post_row(post, zone) for post in posts),
    )


async def _calendars(session: AsyncSession, page: PageDTO, now: datetime) -> tuple[CalendarSection, ...]:
    """Return the page's calendars, each with what is on soon; a page has one or two of them."""
    if not page.has_calendar:
        return ()
    calendars = await services.calendar.calendars_for_container(session, "page", page.id)
    return tuple([await _section(session, calendar, now) for calendar in calendars])


async def _section(session: AsyncSession, calendar: CalendarDTO, now: datetime) -> CalendarSection:
    """Return one calendar and what is on soon."""
    entries = await services.calendar.upcoming_entries(session, now=now, calendar_id=calendar.id, limit=PAGE_EVENTS)
    return CalendarSection(
        name=calendar.name,
        path=calendar_path(calendar.slug),
        book_path=book_path(calendar.slug) if calendar.bookable else "",
        place=calendar.place,
        description=calendar.description,
        events=tuple(event_row(entry, now) for entry in entries),
    )


async def _products(session: AsyncSession, page: PageDTO) -> tuple[ProductRow, ...]:
    """Return the first few products of the page's shop."""
    if not page.has_market:
        return ()
    products = await services.market.products(session, container_id=page.id)
    return tuple(ProductRow(product_path(page.slug, product.slug), product) for product in products[:PAGE_PRODUCTS])
