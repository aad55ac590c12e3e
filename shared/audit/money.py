"""The audit of money: what came in, what went back, and what is owed (docs/money.md, promises 3, 4, 5, 6 and 11)."""

from __future__ import annotations

from collections.abc import Sequence

from shared.contracts.states import (
    CHOSEN_DEBT_REASONS,
    ON_TOP_REASONS,
    PAID_ORDER_STATES,
    PAYABLE_PAYMENT_STATES,
    REFUND_GONE_BACK,
    REFUND_IN_FLIGHT,
)

from .check import Check, quoted
from .orders import GONE
from .sold import SoldRows, things_of

PAID = quoted(PAID_ORDER_STATES)
BACK = quoted(REFUND_GONE_BACK)
COUNTING = quoted((*REFUND_IN_FLIGHT, *REFUND_GONE_BACK))
"""The states of a refund that counts against what is left of its payment."""
ON_TOP = quoted(ON_TOP_REASONS)
CHOSEN = quoted(CHOSEN_DEBT_REASONS)

ARRIVED = "SELECT order_id, sum(amount) AS amount FROM payments WHERE fulfilled_at IS NOT NULL GROUP BY order_id"
WENT_BACK = f"""
    SELECT p.order_id, sum(r.amount) AS amount FROM refunds r JOIN payments p ON p.id = r.payment_id
    WHERE r.state IN ({BACK}) GROUP BY p.order_id"""
OWED_ON_TOP = f"""
    SELECT order_id, sum(amount) AS amount FROM debts WHERE order_line_id IS NULL AND reason IN ({ON_TOP})
    GROUP BY order_id"""


def _every_penny(things: str) -> str:
    """Select the orders whose money does not add up; ``things`` are the lines with what became of them."""
    # Kept: what the lines that were not lost cost, less what was decided to be refunded of them and of the whole
    # order, less what went back without a debt; never less than nothing: a line may be lost after its price was
    # refunded as part of an amount. Of an order that was never paid nothing is kept.
    return f"""
    SELECT i.order_id AS id
    FROM ({ARRIVED}) i
    JOIN orders o ON o.id = i.order_id
    LEFT JOIN (
        SELECT x.order_id, sum(x.total - coalesce(d.amount, 0)) AS amount FROM ({things}) x
        LEFT JOIN (SELECT order_line_id, sum(amount) AS amount FROM debts GROUP BY order_line_id) d
            ON d.order_line_id = x.id
        WHERE x.state NOT IN ({GONE}) GROUP BY x.order_id
    ) kept ON kept.order_id = i.order_id AND o.state IN ({PAID})
    LEFT JOIN (
        SELECT order_id,
            coalesce(sum(amount) FILTER (WHERE order_line_id IS NULL AND reason IN ({CHOSEN})), 0) AS given_up,
            coalesce(sum(amount) FILTER (WHERE by_hand), 0) AS by_hand,
            coalesce(sum(amount) FILTER (WHERE state = 'owed'), 0) AS owed
        FROM debts GROUP BY order_id
    ) d ON d.order_id = i.order_id
    LEFT JOIN ({WENT_BACK}) back ON back.order_id = i.order_id
    LEFT JOIN (
        SELECT p.order_id, sum(r.amount) AS amount FROM refunds r JOIN payments p ON p.id = r.payment_id
        WHERE r.state = 'external' AND r.debt_id IS NULL GROUP BY p.order_id
    ) elsewhere ON elsewhere.order_id = i.order_id
    WHERE i.amount <> greatest(
            coalesce(kept.amount, 0) - coalesce(d.given_up, 0) - coalesce(elsewhere.amount, 0), 0
        ) + coalesce(back.amount, 0) + coalesce(d.by_hand, 0) + coalesce(d.owed, 0)"""


# What we keep of an order's price: all that came in and went back, but for what came on top of it.
STATES_BY_MONEY = f"""
    SELECT o.id FROM orders o
    LEFT JOIN ({ARRIVED}) i ON i.order_id = o.id
    LEFT JOIN ({OWED_ON_TOP}) top ON top.order_id = o.id
    LEFT JOIN (
        SELECT p.order_id, sum(r.amount) AS amount FROM refunds r JOIN payments p ON p.id = r.payment_id
        LEFT JOIN debts d ON d.id = r.debt_id
        WHERE r.state IN ({BACK}) AND NOT coalesce(d.order_line_id IS NULL AND d.reason IN ({ON_TOP}), false)
        GROUP BY p.order_id
    ) back ON back.order_id = o.id
    LEFT JOIN (
        SELECT order_id, sum(amount) AS amount FROM debts
        WHERE by_hand AND NOT (order_line_id IS NULL AND reason IN ({ON_TOP})) GROUP BY order_id
    ) hand ON hand.order_id = o.id
    CROSS JOIN LATERAL (SELECT coalesce(i.amount, 0) - coalesce(top.amount, 0) - coalesce(back.amount, 0)
        - coalesce(hand.amount, 0) AS kept) k
    WHERE o.state IN ({PAID}) AND o.state <> CASE
        WHEN k.kept >= o.total THEN 'paid' WHEN k.kept <= 0 THEN 'refunded' ELSE 'partially_refunded' END"""


def payment_checks(sold: Sequence[SoldRows]) -> tuple[Check, ...]:
    """Return the checks of payments for orders that sell these kinds."""
    every_penny = Check(
        name="every penny",
        promise=3,
        says="paid = lines kept + refunds + settled by hand + owed",
        thing="order",
        looks_at="payments WHERE fulfilled_at IS NOT NULL",
        wrong=_every_penny(things_of(sold)),
    )
    return (every_penny, *PAYMENTS_ALONE)


PAYMENTS_ALONE = (
    Check(
        name="states by money",
        promise=3,
        says="a paid order is paid, partially refunded or refunded as its money says",
        thing="order",
        looks_at=f"orders WHERE state IN ({PAID})",
        wrong=STATES_BY_MONEY,
    ),
    Check(
        name="terms of payments",
        promise=4,
        says="a payment asks for its order's total, in its currency, for its account",
        thing="payment",
        looks_at="payments",
        wrong="""
            SELECT p.id FROM payments p JOIN orders o ON o.id = p.order_id
            WHERE p.currency <> o.currency OR p.merchant_code <> o.merchant_code
                OR (p.amount <> o.total AND p.review_reason IS NULL)""",
    ),
    Check(
        name="paid orders have money",
        promise=4,
        says="a paid order has a payment that arrived, or costs nothing",
        thing="order",
        looks_at=f"orders WHERE state IN ({PAID})",
        wrong=f"""
            SELECT o.id FROM orders o LEFT JOIN ({ARRIVED}) i ON i.order_id = o.id
            WHERE o.state IN ({PAID}) AND o.total > 0 AND i.order_id IS NULL""",
    ),
    Check(
        name="one payable attempt",
        promise=5,
        says="an order has one attempt at the most that can still be paid",
        thing="order",
        looks_at=f"payments WHERE state IN ({quoted(PAYABLE_PAYMENT_STATES)})",
        wrong=f"""
            SELECT order_id AS id FROM payments WHERE state IN ({quoted(PAYABLE_PAYMENT_STATES)})
            GROUP BY order_id HAVING count(*) > 1""",
    ),
    Check(
        name="money on top is owed",
        promise=5,
        says="what came in beyond an order's total is owed back",
        thing="order",
        looks_at="payments WHERE fulfilled_at IS NOT NULL",
        wrong=f"""
            SELECT o.id FROM orders o JOIN ({ARRIVED}) i ON i.order_id = o.id
            LEFT JOIN ({OWED_ON_TOP}) top ON top.order_id = o.id
            WHERE i.amount - CASE WHEN o.state IN ({PAID}) THEN o.total ELSE 0 END <> coalesce(top.amount, 0)""",
    ),
    Check(
        name="only paid is fulfilled",
        promise=6,
        says="a payment is fulfilled only once it has arrived",
        thing="payment",
        looks_at="payments",
        wrong="SELECT id FROM payments WHERE fulfilled_at IS NOT NULL AND (state <> 'paid' OR paid_at IS NULL)",
    ),
)

DEBTS = (
    Check(
        name="owed of payments",
        promise=3,
        says="what is counted as owed of a payment is its debts, and what went back without one",
        thing="payment",
        looks_at="payments",
        wrong="""
            SELECT p.id FROM payments p
            LEFT JOIN (SELECT payment_id, sum(amount) AS amount FROM debts GROUP BY payment_id) d ON d.payment_id = p.id
            LEFT JOIN (
                SELECT payment_id, sum(amount) AS amount FROM refunds WHERE state = 'external' AND debt_id IS NULL
                GROUP BY payment_id
            ) r ON r.payment_id = p.id
            WHERE p.owed <> coalesce(d.amount, 0) + coalesce(r.amount, 0)""",
    ),
    Check(
        name="refunded of payments",
        promise=11,
        says="what is counted as refunded of a payment is its refunds, those under way included",
        thing="payment",
        looks_at="payments",
        wrong=f"""
            SELECT p.id FROM payments p
            LEFT JOIN (SELECT payment_id, sum(amount) AS amount FROM refunds WHERE state IN ({COUNTING})
                GROUP BY payment_id) r ON r.payment_id = p.id
            WHERE p.refunded <> coalesce(r.amount, 0)""",
    ),
    Check(
        name="no more back than paid",
        promise=11,
        says="no more is owed or goes back of a payment than was paid",
        thing="payment",
        looks_at="payments",
        wrong="SELECT id FROM payments WHERE owed > amount OR refunded > owed OR owed < 0 OR refunded < 0",
    ),
    Check(
        name="no more back than it cost",
        promise=11,
        says="no more is owed of a line than it cost",
        thing="order",
        looks_at="debts WHERE order_line_id IS NOT NULL",
        wrong="""
            SELECT l.order_id AS id FROM debts d JOIN order_lines l ON l.id = d.order_line_id
            GROUP BY l.id HAVING sum(d.amount) > l.total""",
    ),
    Check(
        name="money back was paid",
        promise=11,
        says="only what has arrived is owed or goes back",
        thing="payment",
        looks_at="payments p WHERE p.owed > 0",
        wrong="""
            SELECT p.id FROM payments p WHERE p.state <> 'paid' AND (
                EXISTS (SELECT 1 FROM debts d WHERE d.payment_id = p.id)
                OR EXISTS (SELECT 1 FROM refunds r WHERE r.payment_id = p.id))""",
    ),
    Check(
        name="settled debts are paid",
        promise=3,
        says="a debt is settled by refunds of its amount, or by hand and by none",
        thing="debt",
        looks_at="debts WHERE state = 'settled'",
        wrong=f"""
            SELECT d.id FROM debts d
            LEFT JOIN (SELECT debt_id, sum(amount) AS amount FROM refunds WHERE state IN ({BACK}) GROUP BY debt_id) r
                ON r.debt_id = d.id
            WHERE d.state = 'settled' AND coalesce(r.amount, 0) <> CASE WHEN d.by_hand THEN 0 ELSE d.amount END""",
    ),
    Check(
        name="paid debts are settled",
        promise=11,
        says="a debt that is still owed has not gone back",
        thing="debt",
        looks_at="debts WHERE state = 'owed'",
        wrong=f"""
            SELECT d.id FROM debts d JOIN refunds r ON r.debt_id = d.id
            WHERE d.state = 'owed' AND r.state IN ({BACK}) GROUP BY d.id HAVING sum(r.amount) >= d.amount""",
    ),
    Check(
        name="hands say who and how",
        promise=13,
        says="a debt that was settled by hand says who did it, and how",
        thing="debt",
        looks_at="debts WHERE by_hand",
        wrong="SELECT id FROM debts WHERE by_hand AND (state <> 'settled' OR settled_by IS NULL OR note = '')",
    ),
    Check(
        name="debts of their order",
        promise=3,
        says="a debt, its payment and its line are of one order and one currency",
        thing="debt",
        looks_at="debts",
        wrong="""
            SELECT d.id FROM debts d JOIN payments p ON p.id = d.payment_id
            LEFT JOIN order_lines l ON l.id = d.order_line_id
            WHERE p.order_id <> d.order_id OR l.order_id <> d.order_id OR d.currency <> p.currency""",
    ),
    Check(
        name="refunds of their debt",
        promise=11,
        says="a refund is of its debt's payment, in its currency, and no more than is owed",
        thing="refund",
        looks_at="refunds",
        wrong="""
            SELECT r.id FROM refunds r JOIN payments p ON p.id = r.payment_id LEFT JOIN debts d ON d.id = r.debt_id
            WHERE r.currency <> p.currency OR d.payment_id <> r.payment_id OR r.amount > d.amount
                OR (d.id IS NULL AND r.state <> 'external')""",
    ),
    Check(
        name="one refund in flight",
        promise=11,
        says="of a payment one refund at the most is under way",
        thing="payment",
        looks_at=f"refunds WHERE state IN ({quoted(REFUND_IN_FLIGHT)})",
        wrong=f"""
            SELECT payment_id AS id FROM refunds WHERE state IN ({quoted(REFUND_IN_FLIGHT)})
            GROUP BY payment_id HAVING count(*) > 1""",
    ),
)
