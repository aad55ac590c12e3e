"""The page of a month: its days as a table, each with what of it is free."""

from __future__ import annotations

import re
from calendar import Calendar
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy.ext.asyncio import AsyncSession

from events.bp.bookings.words import TermsInWords, closure_on, free_in_words, terms_in_words
from shared.contracts.dtos import BookingTermsDTO, CalendarDTO, SlotDTO
from shared.contracts.errors import BadInput
from shared.contracts.paths import book_day_path, book_path, calendar_path
from shared.services.registry import services

from .bookable import FoundCalendar, find_calendar

WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
NO_MONTH = "The link to a month is not complete. Please start again from the calendar."
DAY = timedelta(days=1)
_MONTH = re.compile(r"[0-9]{4}-[0-9]{2}")


@dataclass(frozen=True, slots=True)
class DayCell:
    """A day in the table; without a path it cannot be chosen."""

    day: date
    path: str
    note: str
    is_today: bool


@dataclass(frozen=True, slots=True)
class MonthLink:
    """The way to another month."""

    path: str
    title: str


@dataclass(frozen=True, slots=True)
class MonthPage:
    """A month of a calendar."""

    calendar: CalendarDTO
    terms: TermsInWords
    title: str
    name: str
    """The month without its year, to be read out after a day."""
    weekdays: tuple[str, ...]
    weeks: tuple[tuple[DayCell | None, ...], ...]
    """Weeks from Monday on; None where the day is another month's."""
    is_full: bool
    """Whether nothing is free in all of it."""
    before: MonthLink | None
    after: MonthLink | None
    calendar_path: str


async def month_page(session: AsyncSession, slug: str, month_text: str, *, now: datetime) -> MonthPage:
    """Gather a month; one outside what is offered is the nearest that is. Raises NotFound, or BadInput for no month.

    Who names none sees the first, or the one after it where nothing of the first is free any more.
    """
    found = await find_calendar(session, slug)
    month = _nearest(read_month(month_text) or found.terms.first_day, found.terms)
    # Months that are over or too far ahead lead to the nearest: a link in an old mail is no dead end.
    slots = await _slots(session, found, month)
    # At most one month further: who chose a month is shown that one, full or not.
    if not month_text and not _any_free(slots) and _next(month) <= found.terms.last_day:
        month = _next(month)
        slots = await _slots(session, found, month)
    return _page(found, month, slots, now.astimezone(ZoneInfo(found.calendar.time_zone)).date())


def _nearest(day: date, terms: BookingTermsDTO) -> date:
    """Return the first day of the month that is offered and nearest to a day."""
    return min(max(day, terms.first_day), terms.last_day).replace(day=1)


async def _slots(session: AsyncSession, found: FoundCalendar, month: date) -> Sequence[SlotDTO]:
    return await services.calendar.bookable_slots(session, found.calendar.id, first=month, last=_next(month) - DAY)


def _any_free(slots: Sequence[SlotDTO]) -> bool:
    return any(slot.free for slot in slots)


def _page(found: FoundCalendar, month: date, slots: Sequence[SlotDTO], today: date) -> MonthPage:
    calendar, terms = found.calendar, found.terms
    cells = _Cells(found, slots, today)
    return MonthPage(
        calendar=calendar,
        terms=terms_in_words(calendar, terms),
        title=_title(month),
        name=f"{month:%B}",
        weekdays=WEEKDAYS,
        weeks=tuple(
            tuple(cells.of(day) if day.month == month.month else None for day in week)
            for week in Calendar().monthdatescalendar(month.year, month.month)
        ),
        is_full=not _any_free(slots),
        # No links past what is offered, or a crawler would follow them for ever.
        before=_link(calendar, month - DAY) if month > terms.first_day else None,
        after=_link(calendar, _next(month)) if _next(month) <= terms.last_day else None,
        calendar_path=calendar_path(calendar.slug),
    )


def read_month(text: str) -> date | None:
    """Read a month in an address, as its first day; an empty one is none. Raises BadInput."""
    if not text:
        return None
    try:
        return date.fromisoformat(f"{text}-01" if _MONTH.fullmatch(text) else "")
    except ValueError:
        # "from None": what the parser said of it helps nobody who reads the log.
        raise BadInput(NO_MONTH) from None


def _next(month: date) -> date:
    # Every month has a 28th, and four days later it is always the next one.
    return (month.replace(day=28) + 4 * DAY).replace(day=1)


def _title(month: date) -> str:
    return f"{month:%B %Y}"


def _link(calendar: CalendarDTO, month: date) -> MonthLink:
    """Lead to the month that a day is in."""
    return MonthLink(f"{book_path(calendar.slug)}?month={month:%Y-%m}", _title(month))


class _Cells:
    """Makes the cells of a month out of its slots."""

    def __init__(self, found: FoundCalendar, slots: Sequence[SlotDTO], today: date) -> None:
        """Gather the times of each day, and the places of those that are free."""
        self._found, self._today = found, today
        self._by_place = any(slot.places > 1 for slot in slots)
        self._free: dict[date, list[int]] = defaultdict(list)
        self._offered = {slot.day for slot in slots}
        for slot in slots:
            # What is full stays out, so that a day with an entry here always has something free.
            if slot.free:
                self._free[slot.day].append(slot.free)

    def of(self, day: date) -> DayCell:
        """Make the cell of a day; only one with something free leads to it."""
        free, today = self._free.get(day), day == self._today
        if not free:
            return DayCell(day, "", self._why_not(day), today)
        note = free_in_words(free, by_place=self._by_place)
        return DayCell(day, book_day_path(self._found.calendar.slug, day), note, today)

    def _why_not(self, day: date) -> str:
        """Say why nothing of a day can be had, where there is something to say."""
        if closure_on(day, self._found.terms) is not None:
            return "closed"
        # Nothing at all on days without times: "full" would say that others have had some.
        return "full" if day in self._offered else ""
