"""What a cart is made of, as its pages show it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import TypedDict

from shared.contracts.dtos import ZERO, CartItemDTO, EntryDTO, OrderDTO, PageDTO, TicketDTO
from shared.contracts.states import PaymentState


@dataclass(frozen=True, slots=True)
class TicketLine:
    """Tickets of one kind in the cart. ``problem`` says in words why they cannot be had now; ``left`` how many can."""

    entry_id: int
    ticket_type_id: int | None
    entry_name: str
    type_name: str | None
    start_at: datetime
    end_at: datetime
    time_zone: str
    place: str
    calendar_name: str
    quantity: int
    unit_price: Decimal
    total: Decimal
    problem: str | None = None
    left: int | None = None


class PageGroup(TypedDict):
    """One page's part of a cart, with its counts and totals."""

    page: PageDTO | None
    page_post_id: int | None
    products: list[CartItemDTO]
    calendar_entries: list[EntryDTO]
    tickets: list[TicketDTO]
    ticket_lines: list[TicketLine]
    product_count: int
    product_total: Decimal
    calendar_count: int
    calendar_total: Decimal
    ticket_count: int
    ticket_total: Decimal
    total: Decimal
    merchant_code: str


@dataclass(frozen=True, slots=True)
class OpenOrder:
    """An order that waits for its payment."""

    order: OrderDTO
    seconds_left: int
    payment_state: PaymentState | None
    hosted_url: str | None


def problem_of(ticket: TicketDTO, entry: EntryDTO | None, wanted: int, now: datetime) -> tuple[str | None, int | None]:
    """Say why so many tickets of this kind cannot be had now, and how many can; None where nothing is known against it.

    What the page says before checkout is advice; checkout itself decides, under lock.
    """
    if entry is None:
        return "This event has been taken off the programme.", 0
    if ticket.entry_end_at <= now:
        return "This event is over.", 0
    kind = next((kind for kind in entry.ticket_types if kind.id == ticket.ticket_type_id), None)
    if kind is not None and not kind.on_sale:
        return "The sale of these tickets has ended.", 0
    if kind is None and entry.sale_ends_at is not None and entry.sale_ends_at <= now:
        return "The sale of these tickets has ended.", 0
    seats = entry.available if kind is None else kind.available
    if seats is None or wanted <= seats:
        return None, None
    return ("Sold out." if seats == 0 else f"Only {seats} left."), seats


def ticket_lines(tickets: Sequence[TicketDTO], entries: dict[int, EntryDTO], now: datetime) -> list[TicketLine]:
    """Gather tickets by entry and type, in the order in which they come."""
    kinds: dict[tuple[int, int | None], list[TicketDTO]] = {}
    for ticket in tickets:
        kinds.setdefault((ticket.entry_id, ticket.ticket_type_id), []).append(ticket)
    return [_line(group, entries.get(group[0].entry_id), now) for group in kinds.values()]


def _line(group: Sequence[TicketDTO], entry: EntryDTO | None, now: datetime) -> TicketLine:
    """Make one line of tickets of one kind."""
    first, price = group[0], group[0].cost or ZERO
    problem, left = problem_of(first, entry, len(group), now)
    return TicketLine(
        entry_id=first.entry_id,
        ticket_type_id=first.ticket_type_id,
        entry_name=first.entry_name,
        type_name=first.ticket_type_name,
        start_at=first.entry_start_at,
        end_at=first.entry_end_at,
        time_zone=first.time_zone,
        place=first.place,
        calendar_name=first.calendar_name,
        quantity=len(group),
        unit_price=price,
        total=price * len(group),
        problem=problem,
        left=left,
    )


def page_ids(
    tickets: Iterable[TicketDTO], entries: Iterable[EntryDTO], items: Iterable[CartItemDTO]
) -> list[int | None]:
    """Return the pages that a cart's contents belong to, each once, in the order in which they come."""
    found = [
        *(ticket.calendar_container_id for ticket in tickets),
        *(entry.calendar_container_id for entry in entries),
        *(item.container_id for item in items),
    ]
    return list(dict.fromkeys(found))
