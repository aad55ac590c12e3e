"""From the calendar domain's rows to what it hands out."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from decimal import Decimal

from shared.contracts.dtos import ZERO, CalendarDTO, EntryDTO, TicketDTO, TicketTypeDTO
from shared.contracts.money import price_of
from shared.contracts.sale import NO_SALE, Sale
from shared.models import Calendar, CalendarEntry, Ticket, TicketType

from .limits import limit_of
from .sale import available, left, sale_of, sale_of_event


def calendar_to_dto(calendar: Calendar, *, bookable: bool) -> CalendarDTO:
    """Map a calendar, of which it is known whether it has times to book."""
    return CalendarDTO(
        id=calendar.id,
        slug=calendar.slug,
        name=calendar.name,
        container_type=calendar.container_type,
        container_id=calendar.container_id,
        time_zone=calendar.time_zone,
        place=calendar.place,
        description=calendar.description,
        whole_room=calendar.whole_room,
        needs_approval=calendar.needs_approval,
        ahead_days=calendar.ahead_days,
        notice_minutes=calendar.notice_minutes,
        bookable=bookable,
    )


def type_to_dto(entry: CalendarEntry, ticket_type: TicketType, now: datetime) -> TicketTypeDTO:
    """Map a ticket type, with the price that it falls back to and how it stands in the sale."""
    return TicketTypeDTO(
        id=ticket_type.id,
        name=ticket_type.name,
        description=ticket_type.description,
        cost=price_of(ticket_type.cost, entry.ticket_price),
        available=available(entry, ticket_type),
        sale=sale_of(entry, ticket_type, now),
    )


def event_to_dto(entry: CalendarEntry, *, now: datetime, default_max: int) -> EntryDTO:
    """Map an event, whose calendar and types are loaded, with how it stands in the sale."""
    types = entry.ticket_types
    return replace(
        entry_to_dto(entry, default_max=default_max),
        ticket_types=tuple(type_to_dto(entry, ticket_type, now) for ticket_type in types),
        sale=sale_of_event(entry, types, now),
    )


def entry_to_dto(entry: CalendarEntry, *, default_max: int) -> EntryDTO:
    """Map an entry by itself; ``entry.calendar`` is loaded."""
    calendar = entry.calendar
    return EntryDTO(
        id=entry.id,
        calendar_id=entry.calendar_id,
        calendar_slug=calendar.slug,
        calendar_name=calendar.name,
        calendar_container_type=calendar.container_type,
        calendar_container_id=calendar.container_id,
        time_zone=calendar.time_zone,
        place=calendar.place,
        kind=entry.kind,
        state=entry.state,
        name=entry.name,
        description=entry.description,
        start_at=entry.start_at,
        end_at=entry.end_at,
        ticket_price=entry.ticket_price,
        cost=entry.cost,
        capacity=entry.capacity,
        # Of the entry alone; a type may have fewer.
        available=left(entry.capacity, entry.held),
        sale_starts_at=entry.sale_starts_at,
        sale_ends_at=entry.sale_ends_at,
        max_per_order=limit_of(entry, default_max).allowed,
        order_id=entry.order_id,
        vat_rate=entry.vat_rate or ZERO,
        user_id=entry.user_id,
        replaces_id=entry.replaces_id,
        needs_approval=calendar.needs_approval,
    )


def ticket_to_dto(ticket: Ticket, sale: Sale = NO_SALE) -> TicketDTO:
    """Map a ticket whose entry, calendar and type are loaded; one in a cart with how its kind stands in the sale."""
    entry, ticket_type = ticket.entry, ticket.ticket_type
    calendar = entry.calendar
    return TicketDTO(
        id=ticket.id,
        code=ticket.code,
        state=ticket.state,
        entry_id=entry.id,
        entry_name=entry.name,
        entry_start_at=entry.start_at,
        entry_end_at=entry.end_at,
        ticket_type_id=ticket.ticket_type_id,
        ticket_type_name=None if ticket_type is None else ticket_type.name,
        cost=price_of(None if ticket_type is None else ticket_type.cost, entry.ticket_price),
        calendar_name=calendar.name,
        calendar_slug=calendar.slug,
        time_zone=calendar.time_zone,
        place=calendar.place,
        calendar_container_id=calendar.container_id,
        calendar_container_type=calendar.container_type,
        order_id=ticket.order_id,
        user_id=ticket.user_id,
        checked_in_at=ticket.checked_in_at,
        vat_rate=_vat_rate(ticket),
        cost_seen=ticket.price_seen,
        replaces_id=ticket.replaces_id,
        sale=sale,
    )


def _vat_rate(ticket: Ticket) -> Decimal:
    """Return a ticket's VAT rate in per cent: its type's, or the entry's where the type names none."""
    # Not "or": a rate of zero is a rate.
    if ticket.ticket_type is not None and ticket.ticket_type.vat_rate is not None:
        return ticket.ticket_type.vat_rate
    return ticket.entry.vat_rate or ZERO
