"""Putting tickets into the cart, and the page that says so."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

from sqlalchemy.ext.asyncio import AsyncSession

from events.bp.entries.choice_query import choice_query
from events.bp.tickets.forms import BuyForm
from shared.contracts.dtos import ZERO, EntryDTO, TicketDTO
from shared.contracts.paths import entry_path
from shared.contracts.sale import Sale, SaleState
from shared.contracts.states import LineKind
from shared.contracts.times import until
from shared.labels import sale_words
from shared.services.registry import services

from .tickets import available_ticket_counts

ONE_PRICE_NAME = "Ticket"


@dataclass(frozen=True, slots=True)
class AddedTickets:
    """Tickets of one kind that went into the cart."""

    name: str
    quantity: int
    cost: Decimal | None
    total: Decimal
    warning: str
    """Said when fewer are left than were put into the cart; the cart holds no seats."""


@dataclass(frozen=True, slots=True)
class AddedTicketsPage:
    """What went into the cart."""

    entry: EntryDTO
    span: str
    path: str
    lines: tuple[AddedTickets, ...]
    total: Decimal


@dataclass(frozen=True, slots=True)
class SignInToBuyPage:
    """What somebody wanted to buy before it turned out that they are not signed in."""

    entry: EntryDTO
    span: str
    path: str
    sign_in_to: str
    chosen: tuple[tuple[int, str], ...]
    """How many, and of which kind."""


async def put_into_cart(
    session: AsyncSession, entry: EntryDTO, choice: dict[int | None, int], *, user_id: int, now: datetime
) -> AddedTicketsPage:
    """Put a choice into the user's cart, as pending tickets, and say what went in.

    No availability is checked: a cart holds no seats (the specification, step 9). Raises what
    ``CalendarService.add_pending_tickets`` raises, and then nothing was added.
    """
    added = await services.calendar.add_pending_tickets(
        session, user_id=user_id, entry_id=entry.id, choice=choice, now=now
    )
    return await _added_page(session, entry, added)


async def still_in_cart(
    session: AsyncSession, entry: EntryDTO, choice: Mapping[int | None, int], *, user_id: int
) -> AddedTicketsPage | None:
    """Say the same later, of what is in the cart still; None where nothing of the choice is.

    The choice comes from a page's address, so it is believed only as far as the cart bears it out.
    """
    room = Counter(choice)
    found = []
    for ticket in await services.calendar.pending_tickets(session, user_id=user_id):
        if ticket.entry_id == entry.id and room[ticket.ticket_type_id] > 0:
            # Tickets of an earlier press are in the cart too; no more are shown than this choice named.
            room[ticket.ticket_type_id] -= 1
            found.append(ticket)
    return await _added_page(session, entry, found) if found else None


def sign_in_page(entry: EntryDTO, form: BuyForm) -> SignInToBuyPage:
    """Keep what could be read of a choice for after the sign-in."""
    # What the form named and the event has not is dropped: the page repeats no text that a stranger sent.
    names = {each.id: each.name for each in entry.ticket_types} or {None: ONE_PRICE_NAME}
    chosen = {key: count for key, count in form.chosen.items() if key in names}
    path = entry_path(entry.id)
    return SignInToBuyPage(
        entry=entry,
        span=until(entry.start_at, entry.end_at, entry.time_zone),
        path=path,
        sign_in_to=path + choice_query(chosen),
        chosen=tuple((count, names[key]) for key, count in chosen.items()),
    )


async def _added_page(session: AsyncSession, entry: EntryDTO, tickets: Iterable[TicketDTO]) -> AddedTicketsPage:
    """Group tickets by kind, and compare each with what is left."""
    # Counted now, after the tickets went in: pending ones hold no seat, so this is what checkout will find.
    left = await available_ticket_counts(session, entry.id)
    kinds: dict[int | None, list[TicketDTO]] = {}
    for ticket in tickets:
        kinds.setdefault(ticket.ticket_type_id, []).append(ticket)
    # From the page's reading of the event: only its HELD matters, which says whether seats may come back.
    sales = {kind.id: kind.sale for kind in entry.ticket_types} or {None: entry.sale}
    lines = tuple(_line(same, left.get(key), sales[key]) for key, same in kinds.items())
    return AddedTicketsPage(
        entry=entry,
        span=until(entry.start_at, entry.end_at, entry.time_zone),
        path=entry_path(entry.id),
        lines=lines,
        total=sum((line.total for line in lines), ZERO),
    )


def _line(tickets: list[TicketDTO], left: int | None, sale: Sale) -> AddedTickets:
    """Make a line of tickets of one kind, of which there is at least one."""
    first, quantity = tickets[0], len(tickets)
    return AddedTickets(
        name=first.ticket_type_name or ONE_PRICE_NAME,
        quantity=quantity,
        cost=first.cost,
        total=sum((ticket.cost or ZERO for ticket in tickets), ZERO),
        warning=_warning(left, quantity, sale),
    )


def _warning(left: int | None, quantity: int, sale: Sale) -> str:
    """Say that there are fewer than wanted, where it is so; ``sale`` says whether those that are gone may come back."""
    if left is None or left >= quantity:
        return ""
    # Some are left, though fewer than wanted: the cart shows the same at its line, and checkout refuses.
    if left:
        return f"Only {left} left right now"
    gone = replace(sale, state=SaleState.HELD if sale.state is SaleState.HELD else SaleState.SOLD_OUT)
    return f"{sale_words(LineKind.TICKET, gone).note} right now"
