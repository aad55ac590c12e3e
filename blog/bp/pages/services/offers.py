"""What is on next and what is sold: asked of the events and market apps, which may be down.

What an app gives no answer about is None, and the page says so; what there is none of is empty.
"""

from __future__ import annotations

from dataclasses import replace

from shared.browser.event_rows import EventRow
from shared.clients.apps import both
from shared.clients.caller import CallFailed
from shared.clients.events import CalendarAnswer, EventsClient, UpcomingAnswer
from shared.clients.market import MarketClient, ProductAnswer
from shared.contracts.dtos import PageDTO
from shared.contracts.paths import book_path, calendar_path, entry_path, product_path

from .pages import CalendarSection, HomePage, ProductRow, SitePage

HOME_EVENTS = 4
PAGE_EVENTS = 6
PAGE_PRODUCTS = 3


async def with_events(page: HomePage, events: EventsClient) -> HomePage:
    """Return the home page with what is on next."""
    try:
        coming = await events.upcoming(limit=HOME_EVENTS)
    except CallFailed:
        # None, not empty: "nothing is on" would be untrue while the events app is down.
        return replace(page, events=None)
    return replace(page, events=tuple(_event_row(event, event.time_zone) for event in coming))


async def with_offers(page: SitePage, events: EventsClient, market: MarketClient) -> SitePage:
    """Return a page with its calendars and the first few products of its shop; both apps are asked at once."""
    # At once: the page waits for the slower of the two, not for both.
    calendars, products = await both(lambda: _calendars(page.page, events), lambda: _products(page.page, market))
    return replace(page, calendars=calendars, products=products)


async def _calendars(page: PageDTO, events: EventsClient) -> tuple[CalendarSection, ...] | None:
    """Return the page's calendars, each with what is on soon."""
    # The blog knows that itself; the other app is not asked for what it would not have.
    if not page.has_calendar:
        return ()
    try:
        return tuple(map(_section, await events.calendars_of_page(page.id, upcoming=PAGE_EVENTS) or ()))
    except CallFailed:
        return None


async def _products(page: PageDTO, market: MarketClient) -> tuple[ProductRow, ...] | None:
    """Return the first few products of the page's shop."""
    if not page.has_market:
        return ()
    try:
        products = await market.products_of_page(page.id, limit=PAGE_PRODUCTS) or ()
    except CallFailed:
        return None
    # Cut here as well: an older market app may not know the limit.
    return tuple(_product_row(page, product) for product in products[:PAGE_PRODUCTS])


def _section(calendar: CalendarAnswer) -> CalendarSection:
    return CalendarSection(
        name=calendar.name,
        path=calendar_path(calendar.slug),
        book_path=book_path(calendar.slug) if calendar.bookable else "",
        place=calendar.place,
        description=calendar.description,
        events=tuple(_event_row(event, calendar.time_zone) for event in calendar.upcoming),
    )


def _event_row(event: UpcomingAnswer, zone: str) -> EventRow:
    return EventRow(
        path=entry_path(event.id),
        name=event.name,
        start_at=event.start_at,
        time_zone=zone,
        place=event.place,
        price=event.price,
        has_dearer=event.has_dearer,
        note=event.note,
        note_look=event.note_look,
    )


def _product_row(page: PageDTO, product: ProductAnswer) -> ProductRow:
    return ProductRow(
        path=product_path(page.slug, product.slug),
        title=product.title,
        price=product.price,
        has_dearer=product.has_dearer,
        note=product.note,
        note_look=product.note_look,
    )
