"""The programme: what is on across all calendars, and in one of them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial

from sqlalchemy.ext.asyncio import AsyncSession

from shared.browser.event_rows import EventRow, event_row
from shared.clients.blog import PageAnswer
from shared.contracts.dtos import CalendarDTO, EntryDTO
from shared.contracts.errors import NotFound
from shared.contracts.paging import MomentKey, Part, moment_key, read_part
from shared.contracts.paths import book_path, calendar_path, page_path
from shared.services.registry import services

PAGE_SIZE = 20


@dataclass(frozen=True, slots=True)
class EventList:
    """Events by their start, and the address of those that follow (empty: these are all)."""

    rows: tuple[EventRow, ...]
    later: str
    continued: bool
    """Whether earlier events were left out."""


@dataclass(frozen=True, slots=True)
class CalendarLink:
    """A calendar, in a list of them."""

    path: str
    name: str
    place: str
    book_path: str
    """Where its times are booked; empty where it has none."""


@dataclass(frozen=True, slots=True)
class WhatsOnPage:
    """What is on, everywhere."""

    events: EventList
    calendars: tuple[CalendarLink, ...]
    path: str = "/"

    @property
    def bookable(self) -> tuple[CalendarLink, ...]:
        """The calendars that have times to book."""
        return tuple(calendar for calendar in self.calendars if calendar.book_path)


@dataclass(frozen=True, slots=True)
class CalendarPage:
    """What is on in one calendar, and the way to the page of the site that it belongs to."""

    calendar: CalendarDTO
    events: EventList
    path: str
    book_path: str
    """Where its times are booked; empty where it has none."""
    host_path: str = ""
    host_title: str = ""
    """Both are empty where the blog app gives no answer, or does not know the page."""


async def whats_on(session: AsyncSession, *, now: datetime, after: MomentKey | None) -> WhatsOnPage:
    """Gather the events of all calendars that are not over, a page of them after a key."""
    # By key, not by number of page: an event that is added meanwhile neither repeats a row nor skips one.
    part = await _part(session, now=now, after=after)
    calendars = await services.calendar.calendars(session)
    # All of them: there are few, and who looks for a hall to book must find it without events in it.
    links = tuple(CalendarLink(calendar_path(each.slug), each.name, each.place, _book_path(each)) for each in calendars)
    return WhatsOnPage(_listed(part, "/", continued=after is not None, name_place=True), links)


async def calendar_page(session: AsyncSession, slug: str, *, now: datetime, after: MomentKey | None) -> CalendarPage:
    """Gather one calendar's events. Raises NotFound."""
    calendar = await services.calendar.calendar_by_slug(session, slug)
    if calendar is None:
        raise NotFound("There is no calendar at this address. It may have moved, or the link may be mistyped.")
    part = await _part(session, now=now, after=after, calendar_id=calendar.id)
    path = calendar_path(calendar.slug)
    return CalendarPage(
        calendar,
        # The place stands at the head of the page, where it is one for all.
        _listed(part, path, continued=after is not None, name_place=False),
        path,
        _book_path(calendar),
    )


def with_host(page: CalendarPage, host: PageAnswer | None) -> CalendarPage:
    """Return the page of a calendar with the way to the page of the site that it belongs to, where that is known."""
    return page if host is None else replace(page, host_path=page_path(host.slug), host_title=host.title)


def _book_path(calendar: CalendarDTO) -> str:
    return book_path(calendar.slug) if calendar.bookable else ""


async def _part(
    session: AsyncSession, *, now: datetime, after: MomentKey | None, calendar_id: int | None = None
) -> Part[EntryDTO]:
    """Read what a page shows of the events to come, of one calendar or of all."""
    upcoming = partial(services.calendar.upcoming_entries, session, now=now, calendar_id=calendar_id, after=after)
    return await read_part(upcoming, size=PAGE_SIZE, key_of=lambda entry: moment_key(entry.start_at, entry.id))


def _listed(part: Part[EntryDTO], path: str, *, continued: bool, name_place: bool) -> EventList:
    rows = tuple(event_row(entry, name_place=name_place) for entry in part.rows)
    return EventList(rows, part.next_url(lambda key: f"{path}?after={key}"), continued)
