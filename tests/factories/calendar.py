"""Rows of the calendar domain: a page's calendar, its events and their ticket types."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from itertools import count

from sqlalchemy.ext.asyncio import AsyncSession

from shared.models import BookingRule, Calendar, CalendarEntry, TicketType
from tests.factories.blog import make_page

_numbers = count(1)


def days_from_now(days: float, *, hour: int = 19, minute: int = 30) -> datetime:
    """Return a time of day some days from today, in UTC."""
    day = datetime.now(UTC) + timedelta(days=days)
    return day.replace(hour=hour, minute=minute, second=0, microsecond=0)


async def make_calendar(
    session: AsyncSession,
    *,
    name: str = "The Lantern Theatre",
    slug: str | None = None,
    place: str = "Lantern Lane 4",
    time_zone: str = "Europe/London",
    container_id: int | None = None,
    whole_room: bool = False,
    needs_approval: bool = False,
    notice_minutes: int = 0,
    ahead_days: int = 60,
) -> Calendar:
    """Make a calendar, on a page of its own unless one is named."""
    number = next(_numbers)
    if container_id is None:
        container_id = await make_page(session, title=name, has_calendar=True)
    made = Calendar(
        container_id=container_id,
        slug=slug or f"calendar-{number}",
        name=name,
        place=place,
        time_zone=time_zone,
        whole_room=whole_room,
        needs_approval=needs_approval,
        notice_minutes=notice_minutes,
        ahead_days=ahead_days,
    )
    session.add(made)
    await session.flush()
    return made


async def make_entry(
    session: AsyncSession,
    calendar: Calendar,
    *,
    name: str = "The Tempest",
    description: str = "A storm, an island, a father and his daughter.",
    start_at: datetime | None = None,
    hours: float = 2.5,
    price: str | None = None,
    capacity: int | None = None,
    max_per_order: int | None = None,
    max_per_person: int | None = None,
    state: str = "confirmed",
    sale_starts_at: datetime | None = None,
    sale_ends_at: datetime | None = None,
) -> CalendarEntry:
    """Make an event; ``price`` is its one price, for an event without ticket types."""
    start = start_at or days_from_now(7)
    made = CalendarEntry(
        calendar_id=calendar.id,
        kind="event",
        state=state,
        name=name,
        description=description,
        start_at=start,
        end_at=start + timedelta(hours=hours),
        ticket_price=None if price is None else Decimal(price),
        capacity=capacity,
        max_per_order=max_per_order,
        max_per_person=max_per_person,
        sale_starts_at=sale_starts_at,
        sale_ends_at=sale_ends_at,
    )
    session.add(made)
    await session.flush()
    return made


async def make_type(
    session: AsyncSession,
    entry: CalendarEntry,
    name: str = "Adult",
    cost: str | None = "12.50",
    *,
    description: str = "",
    capacity: int | None = None,
    position: int = 0,
    sale_starts_at: datetime | None = None,
    sale_ends_at: datetime | None = None,
) -> TicketType:
    """Make a ticket type; without a cost it takes the entry's price."""
    made = TicketType(
        entry_id=entry.id,
        name=name,
        description=description,
        cost=None if cost is None else Decimal(cost),
        capacity=capacity,
        position=position,
        sale_starts_at=sale_starts_at,
        sale_ends_at=sale_ends_at,
    )
    session.add(made)
    await session.flush()
    return made


EVERY_DAY = (1, 2, 3, 4, 5, 6, 7)


async def make_rule(
    session: AsyncSession,
    calendar: Calendar,
    name: str = "An hour of the hall",
    *,
    price: str = "8.00",
    weekdays: Sequence[int] = EVERY_DAY,
    from_time: str = "00:00",
    to_time: str = "00:00",
    minutes: int = 60,
    places: int = 1,
    vat_rate: str = "0",
    position: int = 0,
) -> BookingRule:
    """Let a calendar be booked: round the clock, by the hour, unless told otherwise."""
    made = BookingRule(
        calendar_id=calendar.id,
        name=name,
        weekdays=list(weekdays),
        from_time=time.fromisoformat(from_time),
        to_time=time.fromisoformat(to_time),
        slot_minutes=minutes,
        price=Decimal(price),
        vat_rate=Decimal(vat_rate),
        places=places,
        position=position,
    )
    session.add(made)
    await session.flush()
    return made
