"""Tickets and bookings that somebody has: what is to come, what is void, what is past; and one ticket by its code."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from shared.contracts.dtos import EntryDTO, TicketDTO
from shared.contracts.errors import NotFound
from shared.contracts.paths import entry_path
from shared.contracts.sold import Was
from shared.contracts.states import HELD_ENTRY_STATES, HELD_TICKET_STATES, TicketState
from shared.contracts.times import until, when
from shared.labels import PAST_TICKET
from shared.services.registry import services

SHOWN_AT_THE_DOOR = frozenset({TicketState.CONFIRMED, TicketState.CHECKED_IN})


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """What somebody has, as a line of a list; without an order's path there is none to lead to."""

    name: str
    start_at: datetime
    end_at: datetime
    times: str
    detail: str
    holds: bool
    """Whether it holds its seat or its time: what does not is none to come with."""
    order_path: str
    was: Was | None
    """What has changed since it was ordered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketItem(Item):
    """A ticket with its links."""

    ticket: TicketDTO
    words: str
    path: str
    """Where it is shown at the door or printed; empty where it lets nobody in."""
    entry_path: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BookingItem(Item):
    """A booking; places of one time, from one order and in the same state, are one."""

    booking: EntryDTO


@dataclass(frozen=True, slots=True)
class MyTicketsPage:
    """All tickets and bookings of one person, the next one first, and past ones from the latest on."""

    upcoming: tuple[Item, ...]
    void: tuple[Item, ...]
    """What holds no seat or time any more, or never got one, and would still be to come."""
    past: tuple[Item, ...]


async def my_tickets(session: AsyncSession, *, user_id: int, now: datetime) -> MyTicketsPage:
    """Gather a person's tickets and bookings, in one read each."""
    tickets = await services.calendar.user_tickets(session, user_id=user_id)
    bookings = await services.calendar.user_bookings(session, user_id=user_id)
    items: list[Item] = [*(_ticket_item(ticket) for ticket in tickets), *_booking_items(bookings)]
    to_come = sorted((item for item in items if item.end_at > now), key=_start_of)
    past = sorted((item for item in items if item.end_at <= now), key=_start_of, reverse=True)
    return MyTicketsPage(
        # What is running still counts as to come: its ticket is needed at the door until the end.
        upcoming=tuple(item for item in to_come if item.holds),
        void=tuple(item for item in to_come if not item.holds),
        past=tuple(past),
    )


async def ticket_by_code(session: AsyncSession, code: str, *, user_id: int) -> TicketItem:
    """Return one of a person's own tickets. Raises NotFound for an unknown code, and for anybody else's."""
    # Looked up among one's own tickets: somebody else's code is as unknown as one that never was.
    for ticket in await services.calendar.user_tickets(session, user_id=user_id):
        if ticket.code is not None and ticket.code == code:
            return _ticket_item(ticket)
    raise NotFound("You have no ticket with this code. Are you signed in with the address that you bought it with?")


def _start_of(item: Item) -> datetime:
    return item.start_at


def _ticket_item(ticket: TicketDTO) -> TicketItem:
    """Give a ticket its links: only one that is good at the door has a page to show there."""
    return TicketItem(
        name=ticket.entry_name,
        start_at=ticket.entry_start_at,
        end_at=ticket.entry_end_at,
        times=when(ticket.entry_start_at, ticket.time_zone),
        detail=ticket.ticket_type_name or "Ticket",
        holds=ticket.state in HELD_TICKET_STATES,
        order_path=_order_path(ticket.order_id),
        was=ticket.was,
        ticket=ticket,
        words=PAST_TICKET[ticket.state],
        path=f"/tickets/{ticket.code}/" if ticket.code and ticket.state in SHOWN_AT_THE_DOOR else "",
        entry_path=entry_path(ticket.entry_id),
    )


def _booking_items(bookings: Iterable[EntryDTO]) -> Iterator[BookingItem]:
    """Put places of the same time together; a time of a whole room is always one by itself."""
    same: dict[tuple[object, ...], list[EntryDTO]] = {}
    for each in bookings:
        # The state belongs to it: places of one order may be approved and declined apart.
        key = (each.order_id, each.calendar_id, each.start_at, each.end_at, each.name, each.state)
        same.setdefault(key, []).append(each)
    for places in same.values():
        yield _booking_item(places[0], len(places))


def _booking_item(booking: EntryDTO, places: int) -> BookingItem:
    return BookingItem(
        name=f"{places} \u00d7 {booking.name}" if places > 1 else booking.name,
        start_at=booking.start_at,
        end_at=booking.end_at,
        times=until(booking.start_at, booking.end_at, booking.time_zone),
        detail=booking.calendar_name,
        holds=booking.state in HELD_ENTRY_STATES,
        order_path=_order_path(booking.order_id),
        was=booking.was,
        booking=booking,
    )


def _order_path(order_id: int | None) -> str:
    return f"/orders/{order_id}/" if order_id else ""
