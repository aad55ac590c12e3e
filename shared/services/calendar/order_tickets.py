"""Seats: claimed, released, confirmed, taken again for late money (docs/money.md, promises 1, 2, 8 and 9).

Everything here locks entries, then ticket types, each by id; the caller has locked the cart's owner and the order.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Select, Text, cast, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.sql import ColumnElement

from shared.contracts.errors import Conflict, LineProblem, SoldOut
from shared.contracts.lines import ticket_key
from shared.contracts.sale import Sale
from shared.contracts.states import TicketState
from shared.db.locks import lock_entries, lock_ticket_types
from shared.db.refusals import holding_refused
from shared.labels import TAKE_OUT
from shared.models import Calendar, CalendarEntry, Ticket, TicketType

from .limits import check_order, count_had, limit_of
from .sale import asking_unpaid, available, check_for_sale, left, sale_of

CODE_LENGTH = 20

Kind = tuple[int, int | None]
"""A kind of ticket: its entry's id and its type's (None: the one price)."""


@dataclass(frozen=True, slots=True)
class Locked:
    """Entries and types under lock, as they are now."""

    entries: dict[int, CalendarEntry]
    types: dict[int, TicketType]

    def left_for(self, kind: Kind) -> int | None:
        """Return the seats left for a kind; None: no limit."""
        entry_id, type_id = kind
        return available(self.entries[entry_id], None if type_id is None else self.types[type_id])

    def problems(self, wanted: Counter[Kind], now: datetime) -> tuple[LineProblem, ...]:
        """Return what cannot be had: kinds past their type's cap, and all kinds of an entry past the entry's."""
        of_entry: Counter[int] = Counter()
        for (entry_id, _), count in wanted.items():
            of_entry[entry_id] += count
        return tuple(
            LineProblem(ticket_key(*kind), wanted=count, sale=self.sale_of(kind, now))
            for kind, count in sorted(wanted.items(), key=lambda item: (item[0][0], item[0][1] or 0))
            if self._is_short(kind, count, of_entry[kind[0]])
        )

    def sale_of(self, kind: Kind, now: datetime) -> Sale:
        """Say how a kind stands in the sale."""
        entry_id, type_id = kind
        return sale_of(self.entries[entry_id], None if type_id is None else self.types[type_id], now)

    def _is_short(self, kind: Kind, count: int, count_of_entry: int) -> bool:
        """Tell whether a kind is past its type's cap, or its whole entry past the entry's."""
        entry = self.entries[kind[0]]
        entry_left, kind_left = left(entry.capacity, entry.held), self.left_for(kind)
        return (entry_left is not None and count_of_entry > entry_left) or (kind_left is not None and count > kind_left)


def kinds_of(tickets: Iterable[Ticket]) -> Counter[Kind]:
    """Count tickets by kind."""
    return Counter((ticket.entry_id, ticket.ticket_type_id) for ticket in tickets)


async def lock_kinds(session: AsyncSession, kinds: Iterable[Kind]) -> Locked:
    """Lock the entries and types of some tickets, in the order of docs/locking.md."""
    wanted = list(kinds)
    entries = await lock_entries(session, {entry_id for entry_id, _ in wanted})
    types = await lock_ticket_types(session, {type_id for _, type_id in wanted if type_id is not None})
    return Locked({entry.id: entry for entry in entries}, {ticket_type.id: ticket_type for ticket_type in types})


def pending_of_user(user_id: int, page_post_id: int | None) -> Select[Ticket]:
    """Select a user's pending tickets, of one page if named."""
    statement = select(Ticket).where(Ticket.user_id == user_id, Ticket.state == TicketState.PENDING)
    if page_post_id is not None:
        statement = (
            statement.join(CalendarEntry, CalendarEntry.id == Ticket.entry_id)
            .join(Calendar, Calendar.id == CalendarEntry.calendar_id)
            .where(Calendar.container_type == "page", Calendar.container_id == page_post_id)
        )
    return statement.order_by(Ticket.id)


def check_still_sold(locked: Locked, kinds: Iterable[Kind], now: datetime) -> None:
    """Raise NotOnSale where tickets are not sold any more, or not yet, as they were put into the cart."""
    for entry_id, type_id in kinds:
        ticket_type = None if type_id is None else locked.types[type_id]
        check_for_sale(locked.entries[entry_id], ticket_type, now, then=TAKE_OUT)


async def check_limits(
    session: AsyncSession, locked: Locked, wanted: Counter[Kind], *, user_id: int, default_max: int
) -> None:
    """Raise TooManyTickets where an order would have more of an event than its buyer may, over all orders.

    Under the events' locks: of two orders of one person the second counts what the first has.
    """
    of_entry: Counter[int] = Counter()
    for (entry_id, _), count in wanted.items():
        of_entry[entry_id] += count
    had = await count_had(session, user_id, of_entry.keys()) if of_entry else of_entry
    for entry_id, count in of_entry.items():
        entry = locked.entries[entry_id]
        check_order(entry, limit_of(entry, default_max, had=had[entry_id]), count)


async def claim(
    session: AsyncSession, order_id: int, user_id: int, page_post_id: int | None, *, now: datetime, default_max: int
) -> list[int]:
    """Reserve a user's pending tickets for an order: all or none. Raises SoldOut, NotOnSale, TooManyTickets."""
    tickets = list(await session.scalars(pending_of_user(user_id, page_post_id)))
    wanted = kinds_of(tickets)
    locked = await lock_kinds(session, wanted)
    check_still_sold(locked, wanted, now)
    await check_limits(session, locked, wanted, user_id=user_id, default_max=default_max)
    if locked.problems(wanted, now):
        # Only once something is short: whether it may come back costs a query that most checkouts can spare.
        await _ask_unpaid(session, locked)
        raise SoldOut(locked.problems(wanted, now))
    ids = [ticket.id for ticket in tickets]
    with holding_refused():
        moved = await session.scalars(
            update(Ticket)
            .where(Ticket.id.in_(ids), Ticket.user_id == user_id, Ticket.state == TicketState.PENDING)
            .values(state=TicketState.RESERVED, order_id=order_id)
            .returning(Ticket.id)
            .execution_options(synchronize_session=False)
        )
    # The owner's lock prevents it; all the same, half an order must never come of it (docs/money.md, promise 2).
    if len(moved.all()) != len(ids):
        raise Conflict
    return ids


def new_code() -> ColumnElement[str]:
    """Make a ticket's code in the database, a new one for each row: 20 hexadecimal digits of a random uuid."""
    # 74 random bits: of the 20 digits the uuid's version and variant take six.
    digits = func.replace(cast(func.gen_random_uuid(), Text), "-", "")
    return func.upper(func.left(digits, CODE_LENGTH))


async def release(session: AsyncSession, order_id: int) -> None:
    """Put an order's reserved tickets back into the cart."""
    await session.execute(
        update(Ticket)
        .where(Ticket.order_id == order_id, Ticket.state == TicketState.RESERVED)
        .values(state=TicketState.PENDING, order_id=None)
        .execution_options(synchronize_session=False)
    )


async def confirm(session: AsyncSession, order_id: int) -> None:
    """Confirm an order's reserved tickets; each gets its code now and keeps it."""
    await session.execute(
        update(Ticket)
        .where(Ticket.order_id == order_id, Ticket.state == TicketState.RESERVED)
        .values(state=TicketState.CONFIRMED, code=func.coalesce(Ticket.code, new_code()))
        .execution_options(synchronize_session=False)
    )


async def cancel(session: AsyncSession, order_id: int, ticket_ids: Collection[int]) -> set[int]:
    """Cancel an order's confirmed tickets, or those made in their place; return which of ``ticket_ids`` these were.

    One statement: the trigger that counts seats takes entries and types in the order of docs/locking.md.
    """
    moved = await session.execute(
        update(Ticket)
        .where(Ticket.order_id == order_id, Ticket.state == TicketState.CONFIRMED)
        # By either: after late money the line names the ticket in whose place this one was made.
        .where(or_(Ticket.id.in_(ticket_ids), Ticket.replaces_id.in_(ticket_ids)))
        .values(state=TicketState.CANCELLED)
        .returning(Ticket.id, Ticket.replaces_id)
        .execution_options(synchronize_session=False)
    )
    return {named for row in moved for named in row if named in ticket_ids}


async def _ask_unpaid(session: AsyncSession, locked: Locked) -> None:
    """Read of locked entries and types whether what is gone may come back."""
    entries = select(CalendarEntry).where(CalendarEntry.id.in_(locked.entries)).options(*asking_unpaid())
    await session.execute(entries.execution_options(populate_existing=True))


async def count_held(session: AsyncSession, entry_id: int, ticket_type_id: int | None) -> int:
    """Count the tickets of an entry, or of one of its types, that hold a seat."""
    held = (TicketState.RESERVED, TicketState.CONFIRMED, TicketState.CHECKED_IN)
    statement = select(func.count()).select_from(Ticket).where(Ticket.entry_id == entry_id, Ticket.state.in_(held))
    if ticket_type_id is not None:
        statement = statement.where(Ticket.ticket_type_id == ticket_type_id)
    return await session.scalar(statement) or 0


async def move_to(
    session: AsyncSession, ids: Sequence[int], *, old: TicketState, new: TicketState, order_id: int | None = None
) -> None:
    """Move tickets from one state to another, into an order if one is named."""
    values: dict[str, object] = {"state": new} if order_id is None else {"state": new, "order_id": order_id}
    await session.execute(
        update(Ticket)
        .where(Ticket.id.in_(ids), Ticket.state == old)
        .values(values)
        .execution_options(synchronize_session=False)
    )
