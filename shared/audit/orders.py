"""The audit of orders: their lines, and what became of each (docs/money.md, promises 2, 3, 4, 8, 9, 11 and 12)."""

from __future__ import annotations

from collections.abc import Sequence

from shared.contracts.states import PAID_ORDER_STATES, DebtReason

from .check import Check, quoted
from .sold import SoldRows, holding_of, things_of

PAID = quoted(PAID_ORDER_STATES)
WAITING = "'reserved', 'ordered'"
GIVEN = "'confirmed', 'checked_in', 'provisional', 'sold'"
GONE = "'oversold', 'declined', 'released'"
INSTEAD = quoted((DebtReason.SOLD_OUT, DebtReason.ORDER_CLOSED, DebtReason.PAID_TWICE, DebtReason.DECLINED))
"""Why a line is owed that was not given."""


ORDERS_ALONE = (
    Check(
        name="totals of orders",
        promise=4,
        says="an order's total is the sum of its lines, of which there is at least one",
        thing="order",
        looks_at="orders",
        wrong="""
            SELECT o.id FROM orders o
            LEFT JOIN (SELECT order_id, sum(total) AS total FROM order_lines GROUP BY order_id) l ON l.order_id = o.id
            WHERE l.total IS DISTINCT FROM o.total""",
    ),
    Check(
        name="totals of lines",
        promise=4,
        says="a line's total is its price times its quantity",
        thing="order",
        looks_at="order_lines",
        wrong="SELECT order_id AS id FROM order_lines WHERE total <> unit_price * quantity",
    ),
)
"""What is true of orders and their lines, whatever they sell."""

TICKETS_HAVE_CODES = Check(
    name="tickets have their code",
    promise=12,
    says="a ticket that lets somebody in has its code, and none has another one's",
    thing="ticket",
    looks_at="tickets WHERE state IN ('confirmed', 'checked_in')",
    wrong="""
        SELECT id FROM tickets WHERE state IN ('confirmed', 'checked_in') AND code IS NULL
        UNION ALL SELECT min(id) FROM tickets WHERE code IS NOT NULL GROUP BY code HAVING count(*) > 1""",
)


def _checks_of_holding(things: str, holding: str) -> tuple[Check, ...]:
    """Return what is true of what unpaid orders hold."""
    return (
        Check(
            name="open orders hold all",
            promise=2,
            says="an order that waits for its payment holds all of its lines",
            thing="order",
            looks_at="orders WHERE state = 'pending'",
            wrong=f"""
                SELECT DISTINCT o.id FROM orders o JOIN ({things}) x ON x.order_id = o.id
                WHERE o.state = 'pending'
                    AND (x.state IS NULL OR x.state NOT IN ({WAITING}) OR x.held <> x.quantity)""",
        ),
        Check(
            name="closed orders hold none",
            promise=8,
            says="an order that was released holds nothing",
            thing="order",
            looks_at="orders WHERE state IN ('failed', 'expired', 'cancelled')",
            wrong=f"""
                SELECT o.id FROM orders o JOIN ({holding}) x ON x.order_id = o.id
                WHERE o.state IN ('failed', 'expired', 'cancelled')""",
        ),
    )


def _checks_of_lines(things: str) -> tuple[Check, ...]:
    """Return what is true of what became of the lines of paid orders."""
    return (
        Check(
            name="paid lines given or owed",
            promise=9,
            says="each line of a paid order was given, or all of it (or of the whole payment) is owed back",
            thing="order",
            looks_at=f"order_lines l JOIN orders o ON o.id = l.order_id WHERE o.state IN ({PAID})",
            wrong=f"""
                SELECT DISTINCT o.id FROM orders o JOIN ({things}) x ON x.order_id = o.id
                LEFT JOIN (SELECT order_line_id, sum(amount) AS owed FROM debts GROUP BY order_line_id) d
                    ON d.order_line_id = x.id
                WHERE o.state IN ({PAID}) AND (x.state IN ({WAITING}) OR (x.state IN ({GIVEN}) AND x.held <> x.quantity)
                    OR ((x.state IS NULL OR x.state IN ({GONE})) AND x.total <> coalesce(d.owed, 0)
                        AND NOT EXISTS (SELECT 1 FROM payments p
                            WHERE p.order_id = o.id AND p.fulfilled_at IS NOT NULL AND p.owed = p.amount)))""",
        ),
        Check(
            name="owed lines not given",
            promise=9,
            says="what is owed because it could not be had was not given",
            thing="order",
            looks_at=f"debts WHERE order_line_id IS NOT NULL AND reason IN ({INSTEAD})",
            wrong=f"""
                SELECT DISTINCT d.order_id AS id FROM debts d JOIN ({things}) x ON x.id = d.order_line_id
                WHERE d.reason IN ({INSTEAD}) AND x.state IN ({GIVEN}, {WAITING})""",
        ),
        Check(
            name="refunded things paid back",
            promise=11,
            says="a ticket or product is marked as refunded only once a debt of its line is settled",
            thing="order",
            looks_at="orders o WHERE EXISTS (SELECT 1 FROM debts d WHERE d.order_id = o.id)",
            wrong=f"""
                SELECT DISTINCT x.order_id AS id FROM ({things}) x WHERE x.state = 'refunded' AND NOT EXISTS (
                    SELECT 1 FROM debts d WHERE d.order_line_id = x.id AND d.state = 'settled')""",
        ),
    )


def order_checks(sold: Sequence[SoldRows]) -> tuple[Check, ...]:
    """Return the checks of orders that sell these kinds."""
    things = things_of(sold)
    return (
        *ORDERS_ALONE,
        *_checks_of_holding(things, holding_of(sold)),
        *_checks_of_lines(things),
        *(each.named_once for each in sold),
        TICKETS_HAVE_CODES,
    )
