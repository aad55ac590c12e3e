"""What the audit has to know of a kind of thing sold: where its rows in orders are, and how a line names them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from shared.contracts.states import HELD_ENTRY_STATES, HELD_STOCK_STATES, HELD_TICKET_STATES, LineKind

from .check import Check, quoted


@dataclass(frozen=True, slots=True)
class SoldRows:
    """A kind's rows in orders.

    Their states are, or are put into, the words of tickets, bookings and stock: ``reserved`` or ``ordered`` while the
    order waits for its payment, ``sold`` or ``confirmed`` once it is given, and so on (``shared/audit/orders.py``).
    """

    kind: str
    many: str
    rows: str
    """The rows in orders, as a FROM clause (and WHERE): each with ``order_id`` and ``state``."""
    named: str
    """What an order's line names of a row, in SQL; of two rows of one name in an order one is too many."""
    line: str
    """The column of a line that names it."""
    holding: tuple[str, ...]
    """The states in which a row holds something, or its money."""
    quantity: str = "1"
    """How many things a row is, in SQL."""
    checks: tuple[Check, ...] = ()
    """What else is true of them."""

    @property
    def joined(self) -> str:
        """The rows as they are joined to lines ``l``, under the kind's own name."""
        rows = f"SELECT order_id, {self.named} AS named, state, {self.quantity} AS held FROM {self.rows}"
        return f"""
    LEFT JOIN ({rows}) {self.kind}
        ON l.kind = '{self.kind}' AND l.{self.line} = {self.kind}.named AND l.order_id = {self.kind}.order_id"""

    @property
    def named_once(self) -> Check:
        """Look for things in orders that no line of theirs names."""
        return Check(
            name=f"{self.many} named by a line",
            promise=3,
            says="what is in an order is named by one line of it",
            thing="order",
            looks_at=self.rows,
            wrong=f"""
                SELECT x.order_id AS id FROM (SELECT order_id, {self.named} AS named FROM {self.rows}) x
                LEFT JOIN order_lines l
                    ON l.order_id = x.order_id AND l.kind = '{self.kind}' AND l.{self.line} = x.named
                GROUP BY x.order_id, x.named HAVING count(*) > 1 OR count(l.id) = 0""",
        )


TICKETS = SoldRows(
    kind=LineKind.TICKET,
    many="tickets",
    rows="tickets WHERE order_id IS NOT NULL",
    named="coalesce(replaces_id, id)",
    line="ticket_id",
    holding=(*HELD_TICKET_STATES, "oversold"),
)
# A booking that a guest's order released after their session had ended is cancelled, and in none.
BOOKINGS = SoldRows(
    kind=LineKind.BOOKING,
    many="bookings",
    rows=(
        "calendar_entries WHERE kind = 'booking' AND order_id IS NOT NULL"
        " AND (state <> 'cancelled' OR slot_id IS NOT NULL)"
    ),
    named="coalesce(replaces_id, id)",
    line="entry_id",
    holding=HELD_ENTRY_STATES,
)
PRODUCTS = SoldRows(
    kind=LineKind.PRODUCT,
    many="products",
    rows="stock_allocations WHERE order_id IS NOT NULL",
    named="variant_id",
    line="variant_id",
    holding=(*HELD_STOCK_STATES, "oversold"),
    quantity="quantity",
)
SOLD = (TICKETS, BOOKINGS, PRODUCTS)


def things_of(sold: Iterable[SoldRows]) -> str:
    """Select each line with the state of its thing in that very order, or of what was made in its place.

    No state: it is not there.
    """
    kinds = tuple(sold)
    states = ", ".join(f"{each.kind}.state" for each in kinds)
    held = ", ".join(f"{each.kind}.held" for each in kinds)
    return f"""
    SELECT l.id, l.order_id, l.total, l.quantity, coalesce({states}) AS state, coalesce({held}, 1) AS held
    FROM order_lines l{"".join(each.joined for each in kinds)}"""


def holding_of(sold: Iterable[SoldRows]) -> str:
    """Select the orders that hold something, or its money."""
    return " UNION ".join(
        f"SELECT order_id FROM (SELECT order_id, state FROM {each.rows}) h_{each.kind}"
        f" WHERE state IN ({quoted(each.holding)})"
        for each in sold
    )
