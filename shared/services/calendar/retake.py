"""Late money: take again the seats that an unpaid order released (docs/money.md, promise 9)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

from sqlalchemy import func, insert, select
from sqlalchemy.ext.asyncio import AsyncSession

from shared.contracts.sale import SaleState
from shared.contracts.states import DebtReason, TicketState
from shared.models import Ticket

from .order_tickets import Kind, Locked, confirm, kinds_of, lock_kinds, move_to
from .sale import sale_of

KEPT = (TicketState.CONFIRMED, TicketState.CHECKED_IN)
LOST = (TicketState.OVERSOLD, TicketState.REFUNDED)


@dataclass(frozen=True, slots=True)
class Late:
    """Whose late order it is, and when it is settled."""

    order_id: int
    user_id: int
    now: datetime


async def retake(session: AsyncSession, late: Late, ticket_ids: Sequence[int]) -> dict[int, DebtReason]:
    """Take an order's tickets again; return those that could not be taken, and why. Safe to repeat.

    The caller has locked the buyer (the cart's owner) and the order.
    """
    originals = list(await session.scalars(select(Ticket).where(Ticket.id.in_(ticket_ids)).order_by(Ticket.entry_id)))
    settled = await _already_settled(session, late, originals)
    lost = {ticket_id: reason for ticket_id, reason in settled.items() if reason is not None}
    open_ones = [ticket for ticket in originals if ticket.id not in settled]
    locked = await lock_kinds(session, kinds_of(open_ones))
    # All of one event or none: a family is not split.
    for _, group in groupby(open_ones, key=lambda ticket: ticket.entry_id):
        lost |= await _retake_entry(session, late, locked, list(group))
    # Once for all: what is reserved by now is what could be had.
    await confirm(session, late.order_id)
    return lost


async def _already_settled(
    session: AsyncSession, late: Late, originals: Sequence[Ticket]
) -> dict[int, DebtReason | None]:
    """Return the tickets that this order has again already, as they were or replaced (None), and those it has lost.

    A ticket is replaced once: where it has been, for another order that was paid late, and is in no cart to be taken
    from, this order has lost it.
    """
    in_cart = {ticket.id for ticket in originals if ticket.state == TicketState.PENDING}
    replaced = select(Ticket).where(Ticket.replaces_id.in_({ticket.id for ticket in originals} - in_cart))
    current = {ticket.replaces_id or 0: ticket for ticket in await session.scalars(replaced)}
    settled = {original: _lost_to(ticket, late) for original, ticket in current.items()}
    return settled | {each.id: _lost_to(each, late) for each in originals if each.order_id == late.order_id}


def _lost_to(ticket: Ticket, late: Late) -> DebtReason | None:
    """Say why an order has lost a ticket that is now this one; None where it has it."""
    if ticket.state in LOST:
        return DebtReason.SOLD_OUT
    return None if ticket.order_id == late.order_id else DebtReason.PAID_TWICE


async def _retake_entry(
    session: AsyncSession, late: Late, locked: Locked, tickets: list[Ticket]
) -> dict[int, DebtReason]:
    """Take all of one entry's tickets again, or none of them."""
    if await _bought_again(session, late, kinds_of(tickets)):
        return dict.fromkeys((ticket.id for ticket in tickets), DebtReason.PAID_TWICE)
    reason = _refusal(locked, tickets, late.now)
    await _give(session, late, tickets, TicketState.RESERVED if reason is None else TicketState.OVERSOLD)
    return {} if reason is None else dict.fromkeys((ticket.id for ticket in tickets), reason)


def _refusal(locked: Locked, tickets: list[Ticket], now: datetime) -> DebtReason | None:
    """Say why the tickets of one entry cannot be given, if they can't."""
    # Late money is not held to the end of the sale: it is given as long as the event is not over.
    state = sale_of(locked.entries[tickets[0].entry_id], None, now).state
    if state is SaleState.CANCELLED:
        return DebtReason.CANCELLED_BY_ORGANISER
    if state is SaleState.OVER:
        return DebtReason.ORDER_CLOSED
    return DebtReason.SOLD_OUT if locked.problems(kinds_of(tickets), now) else None


async def _bought_again(session: AsyncSession, late: Late, wanted: Counter[Kind]) -> bool:
    entry_id = next(iter(wanted))[0]
    rows = await session.execute(
        select(Ticket.ticket_type_id, func.count())
        .where(Ticket.user_id == late.user_id, Ticket.entry_id == entry_id, Ticket.order_id > late.order_id)
        .where(Ticket.state.in_(KEPT))
        .group_by(Ticket.ticket_type_id)
    )
    bought = {(entry_id, type_id): count for type_id, count in rows}
    # All of it: part of the same again is no second purchase.
    return all(bought.get(kind, 0) >= count for kind, count in wanted.items())


async def _give(session: AsyncSession, late: Late, tickets: list[Ticket], state: TicketState) -> None:
    """Move the old tickets into the order where they are still in the cart, else make new ones in their place."""
    # Those still in the cart are moved; what was taken out or bought otherwise stays as it is.
    old = [ticket.id for ticket in tickets if ticket.state == TicketState.PENDING and ticket.order_id is None]
    await move_to(session, old, old=TicketState.PENDING, new=state, order_id=late.order_id)
    new = [
        {
            "entry_id": ticket.entry_id,
            "ticket_type_id": ticket.ticket_type_id,
            "user_id": late.user_id,
            "order_id": late.order_id,
            "state": state,
            "replaces_id": ticket.id,
        }
        for ticket in tickets
        if ticket.id not in old
    ]
    if new:
        await session.execute(insert(Ticket), new)
