"""What an admin looks for among all orders, as a bound of a query. Each part is found by an index."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, CompoundSelect, func, select, union

from shared.contracts.access import PageScope
from shared.contracts.states import OrderState
from shared.models import Order, OrderLine, Payment, Ticket, User

from .attention import is_in_trouble
from .scope import lines_in, orders_in

ONE_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class OrderFilter:
    """Which orders are wanted; nothing said: all. Days are days in ``time_zone``, first and last included."""

    time_zone: str
    text: str = ""
    """A name or address (their beginning), an order's number, a ticket's code, or the provider's code of a payment."""
    page_post_id: int | None = None
    state: OrderState | None = None
    first_day: date | None = None
    last_day: date | None = None
    needs_attention: bool = False

    def start_of(self, day: date) -> datetime:
        """Return the moment at which a day begins there."""
        # Midnight by the clock of the place: "orders of Sunday" are those of its people's Sunday.
        return datetime.combine(day, time.min, ZoneInfo(self.time_zone))


def bounds(wanted: OrderFilter, scope: PageScope, now: datetime) -> list[ColumnElement[bool]]:
    """Bound a query of orders to what is wanted, out of what somebody may see."""
    found = [orders_in(scope)]
    if wanted.text:
        found.append(_is_named(wanted.text))
    if wanted.page_post_id is not None:
        of_page = select(OrderLine.id).where(
            # Within the scope still: choosing a page shows nothing that could not be seen before.
            OrderLine.order_id == Order.id,
            OrderLine.page_post_id == wanted.page_post_id,
            lines_in(scope),
        )
        found.append(of_page.exists())
    if wanted.state is not None:
        found.append(Order.state == wanted.state)
    if wanted.first_day is not None:
        found.append(Order.created_at >= wanted.start_of(wanted.first_day))
    if wanted.last_day is not None:
        # Before the next midnight, not 24 hours after the first: that day may have 23 or 25.
        found.append(Order.created_at < wanted.start_of(wanted.last_day + ONE_DAY))
    if wanted.needs_attention:
        found.append(is_in_trouble(scope, now))
    return found


def _is_named(text: str) -> ColumnElement[bool]:
    """Bound a query of orders to those that a text names in any of its ways.

    One set of ids of several selects, each with its own index: an OR over them would look at every order.
    """
    code, start = text.upper(), _starting_with(text.lower())
    # From the beginning of the name or address: that is what an index can answer.
    people = select(User.id).where(func.lower(User.name).like(start) | User.email.like(start))
    guests = select(Order.id).where(Order.guest_email.is_not(None), func.lower(Order.guest_email).like(start))
    ids: CompoundSelect[Any] = union(
        select(Order.id).where(Order.number == code),
        select(Order.id).where(Order.user_id.in_(people)),
        guests,
        select(Ticket.order_id).where(Ticket.code == code, Ticket.order_id.is_not(None)),
        select(Payment.order_id).where(Payment.transaction_code.in_((text, code))),
    )
    return Order.id.in_(select(ids.subquery().c.id))


def _starting_with(text: str) -> str:
    """Return the pattern for what begins with a text, whatever is in it: LIKE's own escape is the backslash."""
    # The backslash first, or it would escape the escapes of the others.
    escaped = text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return f"{escaped}%"
