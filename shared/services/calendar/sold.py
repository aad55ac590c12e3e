"""Tickets and bookings of an order, as they were sold: name, price and VAT are the order line's and stay so.

Time and place are those of today, since that is when and where to go; what they were is told beside them.
"""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy import ColumnElement, func

from shared.contracts.dtos import EntryDTO, TicketDTO
from shared.contracts.sold import Was
from shared.contracts.states import LineKind
from shared.contracts.times import until, when
from shared.models import CalendarEntry, OrderLine, Ticket


def is_line_of_ticket() -> ColumnElement[bool]:
    """Join a ticket's order line: after late money that names the ticket in whose place this one was made."""
    named = func.coalesce(Ticket.replaces_id, Ticket.id)
    # With the order: a released order's line may name the same ticket.
    return (OrderLine.ticket_id == named) & (OrderLine.order_id == Ticket.order_id)


def is_line_of_booking() -> ColumnElement[bool]:
    """Join a booking's order line, likewise."""
    named = func.coalesce(CalendarEntry.replaces_id, CalendarEntry.id)
    of_booking = (OrderLine.entry_id == named) & (OrderLine.kind == LineKind.BOOKING)
    return of_booking & (OrderLine.order_id == CalendarEntry.order_id)


def ticket_as_sold(ticket: TicketDTO, line: OrderLine | None) -> TicketDTO:
    """Return a ticket as its order line has it; one that is in no order is as it is today."""
    if line is None:
        return ticket
    # Lines that are older than these columns do not know; they are shown as they are today.
    had = None if line.start_at is None else when(line.start_at, line.time_zone)
    has = when(ticket.entry_start_at, ticket.time_zone)
    return replace(
        ticket,
        entry_name=line.title,
        ticket_type_name=line.option_name or ticket.ticket_type_name,
        cost=line.unit_price,
        vat_rate=line.vat_rate,
        was=_was(line, had, has, place=ticket.place, name=ticket.entry_name),
    )


def booking_as_sold(booking: EntryDTO, line: OrderLine | None) -> EntryDTO:
    """Return a booking as its order line has it; one that is in no order is as it is today."""
    if line is None:
        return booking
    times = (line.start_at, line.end_at)
    had = None if times[0] is None or times[1] is None else until(times[0], times[1], line.time_zone)
    has = until(booking.start_at, booking.end_at, booking.time_zone)
    return replace(
        booking,
        name=line.title,
        calendar_name=line.option_name or booking.calendar_name,
        cost=line.unit_price,
        vat_rate=line.vat_rate,
        was=_was(line, had, has, place=booking.place, name=booking.name),
    )


def _was(line: OrderLine, had: str | None, has: str, *, place: str, name: str) -> Was | None:
    """Say what has changed since an order; None: nothing has, or it is not known how it was."""
    moved = had is not None and had != has
    # Only where the line knows its time does it know its place: an empty one is a place as well.
    elsewhere = had is not None and line.place != place
    was = Was(
        time=had or "" if moved else "",
        time_now=has if moved else "",
        place=line.place if elsewhere else "",
        place_now=place if elsewhere else "",
        called_now=name if line.title != name else "",
    )
    return None if was == Was() else was
