"""When a calendar's slots are: pure reckoning with rules, zones and clocks, without a database.

A rule's times are those of the clock on the wall, and its slots have the length that it promises on every day of the
year: they are counted off in real time from the rule's first moment to its last. So a night that loses an hour has one
slot less, and one that has an hour twice has one more, each of them a real stretch of time.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

Span = tuple[datetime, datetime]
"""A stretch of time, in UTC: when it starts and when it ends."""

DAY = timedelta(days=1)
SECOND = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Rule:
    """What can be booked: slots of one length, on some days of the week (1: Monday), between two times of day.

    ``to_time`` at or before ``from_time`` is on the next day; 00:00 is the end of the day itself.
    """

    name: str
    weekdays: frozenset[int]
    from_time: time
    to_time: time
    length: timedelta
    price: Decimal
    vat_rate: Decimal
    places: int

    def times_of(self, day: date, zone: ZoneInfo) -> Iterator[Span]:
        """Give the slots of a day, in UTC; none where it is not a day of the rule's."""
        if day.isoweekday() not in self.weekdays:
            return
        start = _instant(day, self.from_time, zone)
        last = _instant(day if self.to_time > self.from_time else day + DAY, self.to_time, zone)
        while start + self.length <= last:
            yield start, start + self.length
            start += self.length


@dataclass(frozen=True, slots=True)
class Closure:
    """Days on which nothing can be booked, first and last included."""

    first_day: date
    last_day: date
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Timetable:
    """Everything that says when a calendar can be booked."""

    zone: ZoneInfo
    rules: Sequence[Rule]
    closures: Sequence[Closure]
    notice: timedelta
    ahead_days: int

    def is_closed(self, day: date) -> bool:
        """Tell whether nothing can be booked on a day."""
        return any(closure.first_day <= day <= closure.last_day for closure in self.closures)

    def first_day(self, now: datetime) -> date:
        """Return the first day that is offered: today, or yesterday as long as its night can still be booked."""
        today = now.astimezone(self.zone).date()
        is_night = any(True for _ in self.slots_of(today - DAY, now))
        return today - DAY if is_night else today

    def last_day(self, now: datetime) -> date:
        """Return the last day that is offered."""
        return now.astimezone(self.zone).date() + timedelta(days=self.ahead_days)

    def slots_of(self, day: date, now: datetime) -> Iterator[tuple[datetime, datetime, Rule]]:
        """Give what can be booked of a day at this moment, rule by rule; a stretch of time is given once.

        One after midnight that the next day offers as well is the next day's.
        """
        offered = self._offered(day, now)
        midnight = _instant(day + DAY, time(), self.zone)
        has_night = any(start >= midnight for start, _ in offered)
        next_days = self._offered(day + DAY, now) if has_night else {}
        for (start, end), rule in offered.items():
            if (start, end) not in next_days:
                yield start, end, rule

    def _offered(self, day: date, now: datetime) -> dict[Span, Rule]:
        """Return what a day's rules offer; of two that offer the same the first one counts."""
        offered: dict[Span, Rule] = {}
        if self.is_closed(day) or day > self.last_day(now):
            return offered
        for rule in self.rules:
            for start, end in rule.times_of(day, self.zone):
                if start - self.notice >= now:
                    offered.setdefault((start, end), rule)
        return offered

    def rule_of(self, start: datetime, end: datetime, now: datetime) -> Rule | None:
        """Return the rule that offers a stretch of time at this moment, or None where none does."""
        if not now <= start <= now + (self.ahead_days + 3) * DAY:
            return None  # also the year 9999, which not every zone can tell the day of
        day = start.astimezone(self.zone).date()
        for candidate in (day, day - DAY):  # a slot after midnight may belong to the evening before
            for slot_start, slot_end, rule in self.slots_of(candidate, now):
                if (slot_start, slot_end) == (start, end):
                    return rule
        return None


def _instant(day: date, moment: time, zone: ZoneInfo) -> datetime:
    """Return the first moment at which a clock on the wall shows this time, or a later one.

    Where the clocks go back that is the first of two; where they go forward past it, it is when they do.
    """
    wall = datetime.combine(day, moment, zone)
    instant = wall.astimezone(UTC)
    if _shown(instant, zone) == wall.replace(tzinfo=None):
        return instant
    # No clock shows it: read with the offset from after the jump it is a moment before that, and the other way round.
    before = wall.replace(fold=1).astimezone(UTC)
    seconds = range((instant - before) // SECOND)
    skipped = bisect_left(seconds, wall.replace(tzinfo=None), key=lambda after: _shown(before + after * SECOND, zone))
    return before + skipped * SECOND


def _shown(instant: datetime, zone: ZoneInfo) -> datetime:
    """Return what a clock on the wall shows."""
    return instant.astimezone(zone).replace(tzinfo=None)
