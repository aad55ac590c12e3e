"""A calendar that can be booked, and a day of it as it is for one shopper."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date

from sqlalchemy.ext.asyncio import AsyncSession

from events.bp.bookings.choice import OfferedTime, TimesChoice, choose, offers_of
from events.bp.bookings.forms import BookForm
from shared.contracts.dtos import BookingTermsDTO, CalendarDTO
from shared.contracts.errors import NotFound
from shared.contracts.owner import CartOwner
from shared.contracts.paths import book_day_path
from shared.services.registry import services

NO_CALENDAR = "There is no calendar at this address. It may have moved, or the link may be mistyped."
NOT_BOOKABLE = "Nothing can be booked in this calendar."
NO_DAY = "There is no such day. Please choose one in the calendar."
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


@dataclass(frozen=True, slots=True)
class FoundCalendar:
    """A calendar that can be booked, and when."""

    calendar: CalendarDTO
    terms: BookingTermsDTO


@dataclass(frozen=True, slots=True)
class FoundDay:
    """A day of a calendar, with what is offered of it, and how that stands for one shopper."""

    calendar: CalendarDTO
    terms: BookingTermsDTO
    day: date
    offers: tuple[OfferedTime, ...]

    @property
    def path(self) -> str:
        """Where it is booked."""
        return book_day_path(self.calendar.slug, self.day)

    def choose(self, form: BookForm) -> TimesChoice:
        """Read a form as a choice of what is offered."""
        return choose(form, self.offers, whole_room=self.calendar.whole_room)


async def find_calendar(session: AsyncSession, slug: str) -> FoundCalendar:
    """Return a calendar that can be booked. Raises NotFound."""
    calendar = await services.calendar.calendar_by_slug(session, slug)
    if calendar is None:
        raise NotFound(NO_CALENDAR)
    # Nobody asks for the terms of a calendar without bookings: it has none.
    terms = await services.calendar.booking_terms(session, calendar.id) if calendar.bookable else None
    if terms is None:
        raise NotFound(NOT_BOOKABLE)
    return FoundCalendar(calendar, terms)


async def find_day(session: AsyncSession, slug: str, day_text: str, owner: CartOwner) -> FoundDay:
    """Return a day of a calendar that can be booked, offered or not. Raises NotFound."""
    found, day = await find_calendar(session, slug), read_day(day_text)
    calendar = found.calendar
    slots = await services.calendar.bookable_slots(session, calendar.id, first=day, last=day)
    in_cart = await services.calendar.pending_entries(session, owner)
    # Only this calendar's: two rooms can be had at the same time.
    mine = [entry for entry in in_cart if entry.calendar_id == calendar.id]
    return FoundDay(calendar, found.terms, day, offers_of(slots, mine, whole_room=calendar.whole_room))


def read_day(text: str) -> date:
    """Read a day in an address. Raises NotFound."""
    if _DAY.fullmatch(text) is None:
        raise NotFound(NO_DAY)
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise NotFound(NO_DAY) from None
