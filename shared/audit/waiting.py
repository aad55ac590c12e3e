"""The audit of what waits: nothing is forgotten, and nothing waits longer than it may (promises 6, 7, 8, 11, 12)."""

from __future__ import annotations

from shared.contracts.states import PAYABLE_PAYMENT_STATES, REFUND_IN_FLIGHT

from .check import Check, quoted

LATE = "CAST(:now AS timestamptz) - interval '15 minutes'"
"""What the worker was to do before this is late: three of its longest pauses between two looks."""
MAIL_LATE = "CAST(:now AS timestamptz) - interval '1 day'"
PAYABLE = quoted(PAYABLE_PAYMENT_STATES)
IN_FLIGHT = quoted(REFUND_IN_FLIGHT)

WAITING = (
    Check(
        name="open payments looked at",
        promise=7,
        says="a payment that may still arrive is to be looked at again",
        thing="payment",
        looks_at=f"payments WHERE state IN ({PAYABLE})",
        wrong=f"SELECT id FROM payments WHERE state IN ({PAYABLE}) AND next_check_at IS NULL",
    ),
    Check(
        name="open refunds looked at",
        promise=11,
        says="a refund whose outcome is open is to be looked at again",
        thing="refund",
        looks_at=f"refunds WHERE state IN ({IN_FLIGHT})",
        wrong=f"SELECT id FROM refunds WHERE state IN ({IN_FLIGHT}) AND next_check_at IS NULL",
    ),
    Check(
        name="seats not past their time",
        promise=8,
        says="an order past its deadline is released, unless a person has to look at its payment",
        thing="order",
        looks_at="orders WHERE state = 'pending'",
        wrong=f"""
            SELECT o.id FROM orders o WHERE o.state = 'pending' AND o.expires_at < {LATE}
                AND NOT EXISTS (SELECT 1 FROM payments p WHERE p.order_id = o.id AND p.state IN ('review', 'paid'))""",
        is_lasting=True,
    ),
    Check(
        name="money in is fulfilled",
        promise=6,
        says="what a payment that arrived paid for is given, or owed, within minutes",
        thing="payment",
        looks_at="payments WHERE state = 'paid'",
        wrong=f"""
            SELECT id FROM payments WHERE state = 'paid' AND fulfilled_at IS NULL AND paid_at < {LATE}""",
        is_lasting=True,
    ),
    Check(
        name="payments looked at in time",
        promise=7,
        says="the worker looks at payments when it is time to",
        thing="payment",
        looks_at="payments WHERE next_check_at IS NOT NULL",
        wrong=f"SELECT id FROM payments WHERE next_check_at < {LATE}",
        is_lasting=True,
    ),
    Check(
        name="refunds looked at in time",
        promise=11,
        says="the worker looks at refunds when it is time to",
        thing="refund",
        looks_at="refunds WHERE next_check_at IS NOT NULL",
        wrong=f"SELECT id FROM refunds WHERE next_check_at < {LATE}",
        is_lasting=True,
    ),
    Check(
        name="notices are followed",
        promise=7,
        says="a webhook is followed by a look at its payment",
        thing="payment",
        looks_at="payment_notices",
        wrong=f"""
            SELECT DISTINCT payment_id AS id FROM payment_notices
            WHERE handled_at IS NULL AND received_at < {LATE}""",
        is_lasting=True,
    ),
    Check(
        name="buyers are told",
        promise=12,
        says="the mails about a paid order are written",
        thing="order",
        looks_at="orders WHERE paid_at IS NOT NULL",
        wrong=f"SELECT id FROM orders WHERE mail_queued_at IS NULL AND paid_at < {LATE}",
        is_lasting=True,
    ),
    Check(
        name="mails are sent",
        promise=12,
        says="a mail is sent or given up within a day",
        thing="mail",
        looks_at="mails",
        wrong=f"""
            SELECT id FROM mails WHERE sent_at IS NULL AND given_up_at IS NULL AND created_at < {MAIL_LATE}""",
        is_lasting=True,
    ),
)
