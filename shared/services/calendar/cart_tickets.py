"""Tickets in a cart: put in, counted, taken out. No availability is looked at here (the specification, step 9)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal

from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import selectinload

from shared.contracts.errors import BadInput, NotFound, UnknownTicketType
from shared.contracts.money import price_of
from shared.contracts.owner import CartOwner
from shared.contracts.states import EntryKind, EntryState, TicketState
from shared.db.locks import lock_cart_owner
from shared.models import CalendarEntry, Ticket, TicketType

from .limits import check_cart, count_in_cart, limit_of
from .sale import check_for_sale

Choice = Mapping[int | None, int]
"""How many of each ticket type; None stands for the one price of an entry without types."""


async def load_event(session: AsyncSession, entry_id: int) -> CalendarEntry:
    """Return a confirmed event with its types and calendar. Raises NotFound."""
    statement = (
        select(CalendarEntry)
        .where(CalendarEntry.id == entry_id, CalendarEntry.kind == EntryKind.EVENT)
        .where(CalendarEntry.state == EntryState.CONFIRMED)
        .options(selectinload(CalendarEntry.ticket_types), selectinload(CalendarEntry.calendar))
    )
    entry = await session.scalar(statement)
    if entry is None:
        raise NotFound("We could not find that event. It may have been taken off the programme.")
    return entry


def pick_type(entry: CalendarEntry, ticket_type_id: int | None) -> TicketType | None:
    """Return the chosen type of an entry; None for the one price. Raises UnknownTicketType for any other."""
    if ticket_type_id is None and not entry.ticket_types:
        return None
    for ticket_type in entry.ticket_types:
        if ticket_type.id == ticket_type_id:
            return ticket_type
    # Also for no type where there are types: one without a type would be counted against none of their caps.
    raise UnknownTicketType("Please choose one of this event's tickets.", field="ticket_type_id")


def check_choice(entry: CalendarEntry, choice: Choice, now: datetime) -> int:
    """Check every part of a choice and return how many tickets it is."""
    if not choice:
        raise BadInput("Choose at least one ticket.", field="quantity")
    for ticket_type_id, quantity in choice.items():
        # The sale before the number: "at least one" helps nobody where nothing is sold.
        check_for_sale(entry, pick_type(entry, ticket_type_id), now)
        if quantity < 1:
            raise BadInput("Choose at least one ticket.", field="quantity")
    return sum(choice.values())


async def add_pending(
    session: AsyncSession, entry: CalendarEntry, choice: Choice, *, user_id: int, default_max: int
) -> list[int]:
    """Add a checked choice to the cart, under its owner's lock, and return the new tickets' ids.

    Raises TooManyTickets.
    """
    await lock_cart_owner(session, CartOwner.of_user(user_id))
    # Counted under the lock, and again at checkout: what an order released comes back to what is here.
    in_cart, had = await count_in_cart(session, user_id=user_id, entry_id=entry.id)
    check_cart(entry, limit_of(entry, default_max, had=had), sum(in_cart.values()), sum(choice.values()))
    rows = [
        {
            "entry_id": entry.id,
            "ticket_type_id": ticket_type_id,
            "user_id": user_id,
            "state": TicketState.PENDING,
            # What the page showed: the cart says so where the price has changed since.
            "price_seen": _price_of(entry, ticket_type_id),
        }
        for ticket_type_id, quantity in choice.items()
        for _ in range(quantity)
    ]
    return list(await session.scalars(insert(Ticket).returning(Ticket.id), rows))


def _price_of(entry: CalendarEntry, ticket_type_id: int | None) -> Decimal | None:
    ticket_type = pick_type(entry, ticket_type_id)
    return price_of(None if ticket_type is None else ticket_type.cost, entry.ticket_price)


async def remove_pending(
    session: AsyncSession, *, user_id: int, entry_id: int, ticket_type_id: int | None, count: int
) -> None:
    """Take ``count`` pending tickets of one kind out of the cart, the newest first."""
    # IS NULL, since "= NULL" is true of no row.
    same_type = Ticket.ticket_type_id.is_(None) if ticket_type_id is None else Ticket.ticket_type_id == ticket_type_id
    newest = (
        select(Ticket.id)
        .where(Ticket.user_id == user_id, Ticket.entry_id == entry_id, Ticket.state == TicketState.PENDING, same_type)
        .order_by(Ticket.id.desc())
        .limit(count)
    )
    # Cancelled, not deleted: the immutable lines of an order that was released may still name the ticket.
    await session.execute(
        update(Ticket)
        .where(Ticket.id.in_(newest), Ticket.user_id == user_id, Ticket.state == TicketState.PENDING)
        .values(state=TicketState.CANCELLED)
    )
