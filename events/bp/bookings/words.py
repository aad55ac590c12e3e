"""How the terms of booking are put in words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from shared.contracts.dtos import BookingTermsDTO, CalendarDTO, ClosureDTO, SlotDTO
from shared.contracts.times import clock, day_text, until

ASKED = "A booking here is a request: you pay it now, it is looked at, and if it is declined you get your money back."
"""Said before a booking that wants approval is made, and after."""
HOUR = 60
DAY = 24 * HOUR


@dataclass(frozen=True, slots=True)
class TermsInWords:
    """What is to be known before booking, a sentence each."""

    request: str
    """Said where a booking wants approval; empty elsewhere."""
    sentences: tuple[str, ...]


def terms_in_words(calendar: CalendarDTO, terms: BookingTermsDTO) -> TermsInWords:
    """Say how long before, how far ahead and on which days a calendar can be booked."""
    return TermsInWords(ASKED if calendar.needs_approval else "", tuple(_sentences(calendar, terms)))


def _sentences(calendar: CalendarDTO, terms: BookingTermsDTO) -> Iterator[str]:
    # Always said: without a sentence about notice people ring up and ask.
    if calendar.notice_minutes:
        yield f"Book at least {duration(calendar.notice_minutes)} before a time begins."
    else:
        yield "A time can be booked until it begins."
    yield f"Times are offered up to {day_text(terms.last_day)}."
    if terms.closures:
        yield f"Closed: {'; '.join(closure_text(closure) for closure in terms.closures)}."


def duration(minutes: int) -> str:
    """Write a length of time: ``45 minutes``, ``1 hour 30 minutes``, ``24 hours``, ``2 days``."""
    # One day stays "24 hours": "book at least 1 day before" reads as the day before, at any time.
    if minutes >= 2 * DAY and minutes % DAY == 0:
        return _count(minutes // DAY, "day")
    hours, rest = divmod(minutes, HOUR)
    parts = [_count(hours, "hour")] if hours else []
    return " ".join([*parts, _count(rest, "minute")] if rest else parts)


def _count(number: int, unit: str) -> str:
    return f"{number} {unit}" if number == 1 else f"{number} {unit}s"


def free_in_words(places: Sequence[int], *, by_place: bool) -> str:
    """Say what is free of a day, of which so many places are left of each time that has any: ``4 free``.

    Where times are sold by the place a bare number could be either, so it is said of what: ``8 places free`` of a
    single time, ``3 times free`` of several, whose places nobody could have together.
    """
    if not by_place:
        return f"{len(places)} free"
    one = _count(places[0], "place") if len(places) == 1 else _count(len(places), "time")
    return f"{one} free"


def closure_text(closure: ClosureDTO) -> str:
    """Write closed days, and why they are."""
    days = day_text(closure.first_day)
    if closure.last_day != closure.first_day:
        days += f" to {day_text(closure.last_day)}"
    return f"{days} ({closure.reason})" if closure.reason else days


def closure_on(day: date, terms: BookingTermsDTO) -> ClosureDTO | None:
    """Return why a day is closed, if it is."""
    return next((each for each in terms.closures if each.first_day <= day <= each.last_day), None)


def times_of(slot: SlotDTO, zone: str) -> str:
    """Write from when to when, for a page that names the day: ``19:30 to 22:00``.

    What begins after midnight names its own day.
    """
    # A night's slots belong to the day on which it began, which may be over by the clock.
    if _day_of(slot.start_at, zone) == slot.day:
        return f"{clock(slot.start_at, zone)} to {clock(slot.end_at, zone)}"
    return until(slot.start_at, slot.end_at, zone)


def _day_of(moment: datetime, zone: str) -> date:
    return moment.astimezone(ZoneInfo(zone)).date()
