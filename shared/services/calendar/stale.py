"""What leaves carts by itself: tickets and bookings whose time is over, and those that have waited too long."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from shared.contracts.dtos import StaleLine
from shared.contracts.owner import CartOwner
from shared.contracts.states import EntryKind, EntryState, NoticeReason, TicketState
from shared.db.locks import lock_idle_owners
from shared.models import Calendar, CalendarEntry, Ticket

BATCH = 500


class Stale(NamedTuple):
    """One ticket or booking to be taken out."""

    id: int
    owner: CartOwner
    title: str
    reason: NoticeReason


async def drop_stale_pending(session: AsyncSession, *, now: datetime, older_than: datetime) -> list[StaleLine]:
    """Take out of all carts what can never be bought any more, or was put in before ``older_than``.

    Carts that somebody is changing at this moment are left for the next time. Safe to repeat.
    """
    tickets = await _stale_tickets(session, now, older_than)
    bookings = await _stale_bookings(session, now, older_than)
    both = [*tickets, *bookings]
    # Whoever changes a cart or checks it out has locked its owner: nothing vanishes under them.
    owners = await lock_idle_owners(session, {each.owner for each in both})
    idle = [each for each in both if each.owner in owners]
    gone = {("t", row) for row in await _cancel_tickets(session, [t.id for t in tickets if t in idle])}
    gone |= {("b", row) for row in await _cancel_bookings(session, [b.id for b in bookings if b in idle])}
    return _lines([*(t for t in tickets if ("t", t.id) in gone), *(b for b in bookings if ("b", b.id) in gone)])


async def _stale_tickets(session: AsyncSession, now: datetime, older_than: datetime) -> list[Stale]:
    """Find tickets, a batch at a time."""
    rows = await session.execute(
        select(Ticket.id, Ticket.user_id, CalendarEntry.name, CalendarEntry.end_at)
        .join(CalendarEntry, CalendarEntry.id == Ticket.entry_id)
        .where(Ticket.state == TicketState.PENDING)
        .where(or_(CalendarEntry.end_at <= now, Ticket.created_at < older_than))
        .order_by(Ticket.id)
        .limit(BATCH)
    )
    return [Stale(row.id, CartOwner.of_user(row.user_id), row.name, _reason(row.end_at, now)) for row in rows]


async def _stale_bookings(session: AsyncSession, now: datetime, older_than: datetime) -> list[Stale]:
    """Find bookings, a batch at a time."""
    entry = CalendarEntry
    rows = await session.execute(
        select(entry.id, entry.user_id, entry.session_id, entry.name, entry.start_at, Calendar.name.label("calendar"))
        .join(Calendar, Calendar.id == entry.calendar_id)
        .where(entry.kind == EntryKind.BOOKING, entry.state == EntryState.PENDING)
        .where(or_(entry.start_at <= now, entry.created_at < older_than))
        .order_by(entry.id)
        .limit(BATCH)
    )
    return [
        Stale(row.id, CartOwner(row.user_id, row.session_id), f"{row.name}, {row.calendar}", _reason(row.start_at, now))
        for row in rows
    ]


def _reason(ends: datetime, now: datetime) -> NoticeReason:
    return NoticeReason.OVER if ends <= now else NoticeReason.OLD


async def _cancel_tickets(session: AsyncSession, ids: list[int]) -> list[int]:
    """Take tickets out of carts; return those that were still there."""
    statement = (
        update(Ticket)
        # The state once more: between the look and the lock it may have been ordered.
        .where(Ticket.id.in_(ids), Ticket.state == TicketState.PENDING)
        .values(state=TicketState.CANCELLED)
        .returning(Ticket.id)
        .execution_options(synchronize_session=False)
    )
    return list(await session.scalars(statement)) if ids else []


async def _cancel_bookings(session: AsyncSession, ids: list[int]) -> list[int]:
    """Take bookings out of carts; return those that were still there."""
    statement = (
        update(CalendarEntry)
        .where(CalendarEntry.id.in_(ids), CalendarEntry.state == EntryState.PENDING)
        .values(state=EntryState.CANCELLED)
        .returning(CalendarEntry.id)
        .execution_options(synchronize_session=False)
    )
    return list(await session.scalars(statement)) if ids else []


def _lines(gone: Iterable[Stale]) -> list[StaleLine]:
    """Put equal things of one owner together."""
    counts = Counter(each[1:] for each in gone)
    return [StaleLine(owner, title, quantity, reason) for (owner, title, reason), quantity in counts.items()]
