"""What is on next in several calendars, in as many queries for ten of them as for one."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select, true
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from shared.contracts.states import EntryKind, EntryState
from shared.models import Calendar, CalendarEntry

from .sale import asking_unpaid


async def next_events(
    session: AsyncSession, calendar_ids: Sequence[int], *, now: datetime, limit: int
) -> dict[int, list[CalendarEntry]]:
    """Return the events of each calendar that are not over, with their types: the first so many by start."""
    first = (
        select(CalendarEntry)
        .where(CalendarEntry.calendar_id == Calendar.id, CalendarEntry.kind == EntryKind.EVENT)
        .where(CalendarEntry.state == EntryState.CONFIRMED, CalendarEntry.end_at > now)
        .order_by(CalendarEntry.start_at, CalendarEntry.id)
        .limit(limit)
        # The first few of each calendar in one query, by index, however many events each has.
        .lateral()
    )
    entry = aliased(CalendarEntry, first)
    statement = (
        select(entry)
        .select_from(Calendar)
        .join(first, true())
        .where(Calendar.id.in_(calendar_ids))
        .options(*asking_unpaid(entry))
        .order_by(entry.start_at, entry.id)
    )
    # Made beforehand: the join leaves out a calendar that has nothing on, and the answer must not.
    found: dict[int, list[CalendarEntry]] = {calendar_id: [] for calendar_id in calendar_ids}
    for row in await session.scalars(statement):
        found[row.calendar_id].append(row)
    return found
