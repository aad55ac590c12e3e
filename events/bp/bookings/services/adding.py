"""Putting times into the cart, and the page that says so."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from sqlalchemy.ext.asyncio import AsyncSession

from events.bp.bookings.forms import key_of
from events.bp.bookings.words import ASKED
from shared.contracts.dtos import ZERO, CalendarDTO, EntryDTO
from shared.contracts.errors import NotFound
from shared.contracts.owner import CartOwner
from shared.contracts.paths import book_day_path, book_path, calendar_path
from shared.contracts.times import until
from shared.services.registry import services

from .bookable import NO_CALENDAR, FoundDay, read_day


@dataclass(frozen=True, slots=True)
class AddedTime:
    """So many places of one time."""

    name: str
    times: str
    quantity: int
    total: Decimal


@dataclass(frozen=True, slots=True)
class AddedBookingsPage:
    """What of a choice is in the cart, and where the day was."""

    calendar: CalendarDTO
    lines: tuple[AddedTime, ...]
    total: Decimal
    path: str
    month_path: str
    calendar_path: str
    request: str
    """Said where a booking wants approval; empty elsewhere."""


async def put_into_cart(
    session: AsyncSession,
    found: FoundDay,
    wish: Mapping[tuple[datetime, datetime], int],
    owner: CartOwner,
) -> None:
    """Put times into a cart: all or none. Raises BadInput, or NotOffered where one was taken meanwhile."""
    if wish:
        await services.calendar.add_pending_bookings(session, owner, calendar_id=found.calendar.id, wish=wish)


async def added_page(
    session: AsyncSession,
    slug: str,
    day_text: str,
    chosen: Mapping[str, int],
    owner: CartOwner,
) -> AddedBookingsPage | None:
    """Say what of a choice is in the cart; None where nothing is. Raises NotFound.

    The choice may come from a page's address, so it is believed only as far as the cart bears it out.
    """
    calendar, day = await services.calendar.calendar_by_slug(session, slug), read_day(day_text)
    if calendar is None:
        raise NotFound(NO_CALENDAR)
    entries = await services.calendar.pending_entries(session, owner)
    lines = _lines(chosen, (entry for entry in entries if entry.calendar_id == calendar.id))
    return _page(calendar, day, lines) if lines else None


def _page(calendar: CalendarDTO, day: date, lines: tuple[AddedTime, ...]) -> AddedBookingsPage:
    return AddedBookingsPage(
        calendar=calendar,
        lines=lines,
        total=sum((line.total for line in lines), ZERO),
        path=book_day_path(calendar.slug, day),
        month_path=f"{book_path(calendar.slug)}?month={day:%Y-%m}",
        calendar_path=calendar_path(calendar.slug),
        request=ASKED if calendar.needs_approval else "",
    )


def _lines(chosen: Mapping[str, int], entries: Iterable[EntryDTO]) -> tuple[AddedTime, ...]:
    """Put bookings of one time together, no more of it than were chosen."""
    same: dict[str, list[EntryDTO]] = {}
    for entry in entries:
        key = key_of(entry.start_at, entry.end_at)
        # The address may ask for more than is in the cart, and the cart may hold more than was just chosen.
        if len(same.get(key, ())) < chosen.get(key, 0):
            same.setdefault(key, []).append(entry)
    return tuple(_line(group) for group in same.values())


def _line(group: list[EntryDTO]) -> AddedTime:
    """Make a line of bookings of one time, of which there is at least one."""
    first = group[0]
    return AddedTime(
        name=first.name,
        times=until(first.start_at, first.end_at, first.time_zone),
        quantity=len(group),
        total=sum((entry.cost or ZERO for entry in group), ZERO),
    )
