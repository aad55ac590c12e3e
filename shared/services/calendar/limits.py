"""How many tickets of an event one order and one person may have: the one rule, for carts and checkout alike.

Late money is not held to it (docs/money.md, promise 9): what was paid for is given while it is there.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from shared.contracts.errors import TooManyTickets
from shared.contracts.states import HELD_TICKET_STATES, TicketState
from shared.models import CalendarEntry, Ticket

IN_CART = "in your cart already"


@dataclass(frozen=True, slots=True)
class TicketLimit:
    """What somebody may have of an event in one order, and in all of them; ``had``: what their orders hold by now."""

    per_order: int
    per_person: int
    had: int = 0

    @property
    def allowed(self) -> int:
        """How many their next order may have."""
        return min(self.per_order, max(0, self.per_person - self.had))

    @property
    def is_of_person(self) -> bool:
        """Whether it is what they have already that keeps them from having more."""
        return self.had > 0 and self.per_person - self.had < self.per_order


def limit_of(entry: CalendarEntry, default_max: int, *, had: int = 0) -> TicketLimit:
    """Return the limit of an event for somebody whose orders hold ``had`` of its tickets."""
    per_order = entry.max_per_order or default_max
    return TicketLimit(per_order, entry.max_per_person or per_order, had)


async def count_had(session: AsyncSession, user_id: int, entry_ids: Collection[int]) -> Counter[int]:
    """Count what a person's orders hold of some events: reserved, confirmed, and used at the door."""
    rows = await session.execute(
        select(Ticket.entry_id, func.count())
        .where(Ticket.user_id == user_id, Ticket.entry_id.in_(entry_ids), Ticket.state.in_(HELD_TICKET_STATES))
        .group_by(Ticket.entry_id)
    )
    return Counter({row[0]: row[1] for row in rows})


async def count_in_cart(session: AsyncSession, *, user_id: int, entry_id: int) -> tuple[dict[int | None, int], int]:
    """Return how many tickets of an event a person has in the cart, by type, and how many in orders."""
    is_pending = Ticket.state == TicketState.PENDING
    # One query for both: this runs for every press of Buy.
    rows = await session.execute(
        select(Ticket.ticket_type_id, is_pending, func.count())
        .where(Ticket.user_id == user_id, Ticket.entry_id == entry_id)
        .where(Ticket.state.in_((TicketState.PENDING, *HELD_TICKET_STATES)))
        .group_by(Ticket.ticket_type_id, is_pending)
    )
    found = [(row[0], row[1], row[2]) for row in rows]
    in_cart = {type_id: count for type_id, pending, count in found if pending}
    return in_cart, sum(count for _, pending, count in found if not pending)


def check_cart(entry: CalendarEntry, limit: TicketLimit, in_cart: int, wanted: int, *, where: str = IN_CART) -> None:
    """Raise TooManyTickets where a cart would hold more of an event than its owner may order.

    ``in_cart`` is how many it has besides, ``where`` which these are, in words.
    """
    if in_cart + wanted <= limit.allowed:
        return
    also = f"{in_cart} {where}" if in_cart else ""
    if limit.is_of_person:
        have = " and ".join(filter(None, (f"{limit.had} in your orders", also)))
        text = f"One person can have at most {limit.per_person} tickets for {entry.name}. You have {have}."
    else:
        already = f" You have {also}." if also else ""
        text = f"You can buy at most {limit.allowed} tickets for {entry.name} at once.{already}"
    raise TooManyTickets(text, field="quantity")


def check_order(entry: CalendarEntry, limit: TicketLimit, wanted: int) -> None:
    """Raise TooManyTickets where an order would have more of an event than its buyer may.

    A cart may hold them: what an order released comes back to what was put in meanwhile.
    """
    more = wanted - limit.allowed
    if more <= 0:
        return
    text = f"You can buy at most {limit.allowed} tickets for {entry.name} at once"
    if limit.is_of_person:
        text = f"One person can have at most {limit.per_person} tickets for {entry.name}, and you have {limit.had}"
    raise TooManyTickets(f"{text}: take {more} out of your cart.")
