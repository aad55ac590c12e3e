"""How times are written for people, in the zone of the place that they are about."""

from __future__ import annotations

from datetime import date, datetime
from zoneinfo import ZoneInfo


def when(moment: datetime, zone: str) -> str:
    """Write a moment as people at ``zone`` say it: ``Sat 28 Nov 2026, 19:30``."""
    local = moment.astimezone(ZoneInfo(zone))
    # ``local.day`` and not ``%d``: no zero before a single digit; ``%-d`` is not there on every system.
    return f"{local:%a} {local.day} {local:%b %Y, %H:%M}"


def until(start: datetime, end: datetime, zone: str) -> str:
    """Write from when to when: ``Sat 28 Nov 2026, 19:30 to 22:00``; the second day only where it is another one.

    Where the clocks go back, an hour is there twice: then the zone's own abbreviation tells them apart.
    """
    there = ZoneInfo(zone)
    first, last = start.astimezone(there), end.astimezone(there)
    ends = clock(end, zone) if first.date() == last.date() else f"{when(end, zone)}{_which(last)}"
    return f"{when(start, zone)}{_which(first)} to {ends}"


def clock(moment: datetime, zone: str) -> str:
    """Write a time of day: ``19:30``; of one that is there twice, which of the two it is: ``01:30 BST``."""
    local = moment.astimezone(ZoneInfo(zone))
    return f"{local:%H:%M}{_which(local)}"


def day_text(day: date) -> str:
    """Write a day: ``Sat 28 Nov 2026``."""
    return f"{day:%a} {day.day} {day:%b %Y}"


def _which(local: datetime) -> str:
    # PEP 495: the folds differ for a time that is there twice; also in a gap, where no converted time lies.
    twice = local.replace(fold=0).utcoffset() != local.replace(fold=1).utcoffset()
    return f" {local:%Z}" if twice else ""
