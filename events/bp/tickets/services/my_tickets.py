"""The tickets that somebody has: what is to come, what lets nobody in, what is past; and one of them by its code."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from shared.contracts.dtos import TicketDTO
from shared.contracts.errors import NotFound
from shared.contracts.paths import entry_path
from shared.contracts.states import HELD_TICKET_STATES, TicketState
from shared.services.registry import services

WORDS = {
    TicketState.PENDING: "In the cart",
    TicketState.RESERVED: "Awaiting payment",
    TicketState.CONFIRMED: "Not used",
    TicketState.CHECKED_IN: "Checked in",
    TicketState.OVERSOLD: "Sold out, money owed to you",
    TicketState.REFUNDED: "Refunded",
    TicketState.CANCELLED: "Cancelled",
}
"""What became of a ticket whose event is over, or that lets nobody in."""
SHOWN_AT_THE_DOOR = frozenset({TicketState.CONFIRMED, TicketState.CHECKED_IN})


@dataclass(frozen=True, slots=True)
class TicketItem:
    """A ticket with its links; an empty one leads nowhere."""

    ticket: TicketDTO
    words: str
    path: str
    """Where it is shown at the door or printed; empty where it lets nobody in."""
    order_path: str
    entry_path: str


@dataclass(frozen=True, slots=True)
class MyTicketsPage:
    """All tickets of one person, the next event first, and past ones from the latest on."""

    upcoming: tuple[TicketItem, ...]
    void: tuple[TicketItem, ...]
    """What holds no seat any more, or never got one, of events that are still to come."""
    past: tuple[TicketItem, ...]


async def my_tickets(session: AsyncSession, *, user_id: int, now: datetime) -> MyTicketsPage:
    """Gather a person's tickets, in one read."""
    tickets = await services.calendar.user_tickets(session, user_id=user_id)
    to_come = [ticket for ticket in tickets if ticket.entry_end_at > now]
    past = [ticket for ticket in tickets if ticket.entry_end_at <= now]
    return MyTicketsPage(
        upcoming=_items(ticket for ticket in to_come if ticket.state in HELD_TICKET_STATES),
        void=_items(ticket for ticket in to_come if ticket.state not in HELD_TICKET_STATES),
        past=_items(sorted(past, key=lambda ticket: ticket.entry_start_at, reverse=True)),
    )


async def ticket_by_code(session: AsyncSession, code: str, *, user_id: int) -> TicketItem:
    """Return one of a person's own tickets. Raises NotFound for an unknown code, and for anybody else's."""
    for ticket in await services.calendar.user_tickets(session, user_id=user_id):
        if ticket.code is not None and ticket.code == code:
            return _item(ticket)
    raise NotFound("You have no ticket with this code. Are you signed in with the address that you bought it with?")


def _items(tickets: Iterable[TicketDTO]) -> tuple[TicketItem, ...]:
    """Give tickets their links."""
    return tuple(_item(ticket) for ticket in tickets)


def _item(ticket: TicketDTO) -> TicketItem:
    """Give a ticket its links: only one that is good at the door has a page to show there."""
    return TicketItem(
        ticket=ticket,
        words=WORDS[ticket.state],
        path=f"/tickets/{ticket.code}/" if ticket.code and ticket.state in SHOWN_AT_THE_DOOR else "",
        order_path=f"/orders/{ticket.order_id}/" if ticket.order_id else "",
        entry_path=entry_path(ticket.entry_id),
    )
