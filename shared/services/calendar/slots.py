"""The slots of a calendar: what its rules offer, and what of that is still free."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Select, select
from sqlalchemy.ext.asyncio import AsyncSession

from shared.contracts.dtos import BookingTermsDTO, ClosureDTO, SlotDTO
from shared.contracts.states import HELD_ENTRY_STATES, EntryState
from shared.models import BookingRule, Calendar, CalendarClosure, CalendarEntry, Slot

from .timetable import DAY, Closure, Rule, Span, Timetable

MOST_DAYS = 62
"""How many days can be asked for at once."""


@dataclass(frozen=True, slots=True)
class Bookable:
    """A calendar with its timetable."""

    calendar: Calendar
    timetable: Timetable


def _rule(row: BookingRule) -> Rule:
    return Rule(
        name=row.name,
        weekdays=frozenset(row.weekdays),
        from_time=row.from_time,
        to_time=row.to_time,
        length=timedelta(minutes=row.slot_minutes),
        price=row.price,
        vat_rate=row.vat_rate,
        places=row.places,
    )


def calendars_and_whether_bookable() -> Select[Calendar, bool]:
    """Select calendars by name, each with whether it has any rule."""
    bookable = select(BookingRule.id).where(BookingRule.calendar_id == Calendar.id).exists()
    return select(Calendar, bookable).order_by(Calendar.name, Calendar.id)


async def load_bookable(session: AsyncSession, calendars: Collection[Calendar]) -> dict[int, Bookable]:
    """Return the timetables of these calendars, by the calendar's id: two queries, however many there are."""
    ids = [calendar.id for calendar in calendars]
    if not ids:
        return {}
    rules: dict[int, list[Rule]] = {}
    order = (BookingRule.calendar_id, BookingRule.position, BookingRule.id)
    for row in await session.scalars(select(BookingRule).where(BookingRule.calendar_id.in_(ids)).order_by(*order)):
        rules.setdefault(row.calendar_id, []).append(_rule(row))
    # Two queries for all calendars together: a cart may have times of several.
    closures: dict[int, list[Closure]] = {}
    for closed in await session.scalars(select(CalendarClosure).where(CalendarClosure.calendar_id.in_(ids))):
        closures.setdefault(closed.calendar_id, []).append(Closure(closed.first_day, closed.last_day, closed.reason))
    return {
        calendar.id: Bookable(
            calendar,
            Timetable(
                zone=ZoneInfo(calendar.time_zone),
                rules=rules.get(calendar.id, []),
                closures=closures.get(calendar.id, []),
                notice=timedelta(minutes=calendar.notice_minutes),
                ahead_days=calendar.ahead_days,
            ),
        )
        for calendar in calendars
    }


def terms_of(bookable: Bookable, now: datetime) -> BookingTermsDTO | None:
    """Say when a calendar can be booked; None where it has no rules."""
    timetable = bookable.timetable
    if not timetable.rules:
        return None
    first, last = timetable.first_day(now), timetable.last_day(now)
    closures = sorted(timetable.closures, key=lambda closure: (closure.first_day, closure.last_day))
    return BookingTermsDTO(
        first,
        last,
        tuple(
            ClosureDTO(closure.first_day, closure.last_day, closure.reason)
            for closure in closures
            if closure.first_day <= last and closure.last_day >= first
        ),
    )


async def slots_between(
    session: AsyncSession, bookable: Bookable, first: date, last: date, *, now: datetime
) -> list[SlotDTO]:
    """Return what is offered from one day to another, with the places that are free, by day, start and end."""
    calendar, timetable = bookable.calendar, bookable.timetable
    # Cut to what is offered: a day that nobody can book is not even reckoned.
    days = _days(max(first, timetable.first_day(now)), min(last, timetable.last_day(now)))
    offered = [
        (day, start, end, rule) for day in islice(days, MOST_DAYS) for start, end, rule in timetable.slots_of(day, now)
    ]
    if not offered:
        return []
    # One query for the whole stretch, then by bisection: a month has hundreds of slots.
    taken = await _Taken.load(session, calendar, [(start, end) for _, start, end, _ in offered])
    slots = [
        SlotDTO(
            calendar_id=calendar.id,
            day=day,
            start_at=start,
            end_at=end,
            name=rule.name,
            price=rule.price,
            vat_rate=rule.vat_rate,
            places=taken.places_of(rule),
            free=taken.free_of((start, end), rule),
            some_unpaid=taken.may_come_back((start, end)),
        )
        for day, start, end, rule in offered
    ]
    return sorted(slots, key=lambda slot: (slot.day, slot.start_at, slot.end_at))


def _days(first: date, last: date) -> Iterator[date]:
    day = first
    while day <= last:
        yield day
        day += DAY


@dataclass(frozen=True, slots=True)
class _Taken:
    """What holds a calendar's time: entries where its room is let as a whole, places of slots elsewhere."""

    whole_room: bool
    spans: Sequence[tuple[Span, bool]]
    """When a whole room is taken, one after the other (the database lets none of them overlap), and what is unpaid."""
    held: dict[Span, tuple[int, bool]]
    """How many places of a slot are held, and whether any of them waits for its payment."""

    @classmethod
    async def load(cls, session: AsyncSession, calendar: Calendar, wanted: Sequence[Span]) -> _Taken:
        """Read what holds anything between the first and the last of some stretches of time."""
        first, last = min(start for start, _ in wanted), max(end for _, end in wanted)
        if calendar.whole_room:
            return cls(whole_room=True, spans=await _holding(session, calendar.id, first, last), held={})
        rows = await session.execute(
            select(Slot.start_at, Slot.end_at, Slot.held, some_unpaid_of_slot()).where(
                Slot.calendar_id == calendar.id, Slot.start_at >= first, Slot.start_at < last
            )
        )
        return cls(whole_room=False, spans=(), held={(start, end): (held, unpaid) for start, end, held, unpaid in rows})

    def places_of(self, rule: Rule) -> int:
        """Return how many can book the same time: one, where the room is let as a whole."""
        return 1 if self.whole_room else rule.places

    def free_of(self, span: Span, rule: Rule) -> int:
        """Return the places that are left of a stretch of time."""
        if self.whole_room:
            return 0 if any(True for _ in self._in_the_way(span)) else 1
        return max(0, rule.places - self._held_of(span)[0])

    def may_come_back(self, span: Span) -> bool:
        """Tell whether what takes a stretch of time, or some of its places, waits for its payment."""
        return all(self._in_the_way(span)) if self.whole_room else self._held_of(span)[1]

    def _held_of(self, span: Span) -> tuple[int, bool]:
        """Return how many places of a slot are held, and whether any of them waits for its payment."""
        return self.held.get(span, (0, False))

    def _in_the_way(self, span: Span) -> Iterator[bool]:
        """Tell of what takes the room at a stretch of time whether it waits for its payment, without looking at all."""
        start, end = span
        not_over = bisect_right(self.spans, start, key=lambda taken: taken[0][1])
        for (begins, _), is_unpaid in islice(self.spans, not_over, None):
            if begins >= end:
                return
            yield is_unpaid


def some_unpaid_of_slot() -> ColumnElement[bool]:
    """Tell of a slot, in a query of slots, whether any of its places waits for its payment."""
    unpaid = select(CalendarEntry.id).where(CalendarEntry.slot_id == Slot.id, CalendarEntry.state == EntryState.ORDERED)
    return unpaid.exists()


async def holding_spans(session: AsyncSession, calendar_id: int, first: datetime, last: datetime) -> list[Span]:
    """Return when a whole room is taken, by events and bookings alike, between two moments, in order."""
    return [span for span, _ in await _holding(session, calendar_id, first, last)]


async def _holding(session: AsyncSession, calendar_id: int, first: datetime, last: datetime) -> list[tuple[Span, bool]]:
    """Return the same, each with whether it waits for its payment."""
    rows = await session.execute(
        select(CalendarEntry.start_at, CalendarEntry.end_at, CalendarEntry.state == EntryState.ORDERED)
        .where(CalendarEntry.calendar_id == calendar_id, CalendarEntry.state.in_(HELD_ENTRY_STATES))
        # Half open: what ends when another begins is not in its way.
        .where(CalendarEntry.start_at < last, CalendarEntry.end_at > first)
        .order_by(CalendarEntry.start_at)
    )
    return [((start, end), is_unpaid) for start, end, is_unpaid in rows]


def overlaps_any(span: Span, others: Iterable[Span]) -> bool:
    """Tell whether a stretch of time meets any of the others; one that ends where it begins does not."""
    return any(span[0] < end and start < span[1] for start, end in others)
