"""Debts and refunds, and what is decided about pages."""

from __future__ import annotations

from . import buying as buy
from . import deciding as do
from .lines import (
    ACCOUNT_SET,
    ELSEWHERE,
    FINDING_CLOSED,
    REFUNDS_SET,
    Case,
    owed,
    refund,
    refunded,
    settled_debt,
    written,
)

REFUNDS = [
    Case(
        "lines cancelled",
        [*buy.ONE_OF_EACH, buy.check_out, buy.pays],
        [do.cancelled],
        [
            written("ticket 1", "confirmed>cancelled", "user:2", "rained off"),
            written("entry 2", "confirmed>cancelled", "user:2", "rained off"),
            written("stock 1", "sold>cancelled", "user:2", "rained off"),
        ],
    ),
    Case(
        "a part refunded",
        [buy.ticket, buy.check_out, buy.pays],
        [do.gives_back_a_pound],
        [
            owed(1, "1.00", "goodwill", actor="user:2"),
            refund(1, "new>requested", "user:2", "1.00"),
            refund(1, "requested>sent", "system", "1.00"),
            refund(1, "sent>succeeded", "provider", "1.00"),
            settled_debt(1, "1.00"),
            refunded("paid>partially_refunded"),
        ],
    ),
    Case(
        "the rest refunded",
        [buy.ticket, buy.check_out, buy.pays, do.gives_back_a_pound],
        [do.gives_back_the_rest],
        [
            owed(2, "11.50", "goodwill", actor="user:2"),
            refund(2, "new>requested", "user:2", "11.50"),
            refund(2, "requested>sent", "system", "11.50"),
            refund(2, "sent>succeeded", "provider", "11.50"),
            settled_debt(2, "11.50"),
            refunded("partially_refunded>refunded"),
        ],
    ),
    Case(
        "all refunded",
        [buy.ticket, buy.check_out, buy.pays],
        [do.gives_back_all],
        [
            owed(1, "12.50", "goodwill", actor="user:2"),
            refund(1, "new>requested", "user:2", "12.50"),
            refund(1, "requested>sent", "system", "12.50"),
            refund(1, "sent>succeeded", "provider", "12.50"),
            settled_debt(1, "12.50"),
            refunded("paid>refunded"),
        ],
    ),
    Case(
        "sold out, refunded by itself",
        buy.SOLD_OUT,
        [do.refunds_debt_by_itself],
        [
            refund(1, "new>requested", "worker", "12.50"),
            refund(1, "requested>sent", "system", "12.50"),
            refund(1, "sent>succeeded", "provider", "12.50"),
            settled_debt(1, "12.50"),
            written("ticket 1", "oversold>refunded", "system", ""),
            refunded("paid>refunded"),
        ],
    ),
    Case(
        "stock gone, refunded",
        [buy.jar, buy.check_out, buy.put_back, buy.somebody_else_buys, buy.pays_first],
        [do.refunds_debt],
        [
            refund(1, "new>requested", "user:2", "4.50"),
            refund(1, "requested>sent", "system", "4.50"),
            refund(1, "sent>succeeded", "provider", "4.50"),
            settled_debt(1, "4.50"),
            written("stock 1", "oversold>refunded", "system", ""),
            refunded("paid>refunded"),
        ],
    ),
    Case(
        "paid by hand",
        buy.SOLD_OUT,
        [do.paid_by_hand],
        [
            settled_debt(1, "12.50", "user:2", "by hand", by_hand=True),
            written("ticket 1", "oversold>refunded", "system", ""),
            refunded("paid>refunded"),
        ],
    ),
    Case(
        "refund not sent",
        [*buy.SOLD_OUT, do.refunds_out_of_reach],
        [do.refunds_debt],
        [
            refund(1, "new>requested", "user:2", "12.50"),
            refund(
                1,
                "requested>failed",
                "system",
                "12.50",
                "The payment provider cannot be reached right now. Nothing was sent; please try again in a few minutes.",
            ),
        ],
    ),
    Case(
        "refund never sent",
        [*buy.SOLD_OUT, do.refund_dies, do.refunds_killed, buy.waits],
        [do.refund_settled],
        [
            refund(
                1, "requested>failed", "system", "12.50", "It was never sent: the site was stopped before. Try again."
            )
        ],
    ),
    Case(
        "refund refused",
        [*buy.SOLD_OUT, do.refunds_refused],
        [do.refunds_debt],
        [
            refund(1, "new>requested", "user:2", "12.50"),
            refund(1, "requested>sent", "system", "12.50"),
            refund(1, "sent>failed", "provider", "12.50", "SumUp says: Balance too low"),
        ],
    ),
    Case(
        "refund without a record",
        [*buy.SOLD_OUT, do.refunds_held, do.refunds_debt, do.refund_undone, do.quiet_time],
        [do.refund_settled],
        [refund(1, "sent>failed", "provider", "12.50", "The provider has no record of it. Try again.")],
    ),
    Case(
        "refund unclear",
        [*buy.SOLD_OUT, do.refunds_unclear],
        [do.refunds_debt],
        [
            refund(1, "new>requested", "user:2", "12.50"),
            refund(1, "requested>sent", "system", "12.50"),
            refund(1, "sent>unknown", "provider", "12.50"),
        ],
    ),
    Case(
        "unknown>succeeded",
        [*buy.SOLD_OUT, do.refunds_unclear, do.refunds_debt],
        [do.refund_settled],
        [
            refund(1, "unknown>succeeded", "provider", "12.50"),
            settled_debt(1, "12.50"),
            written("ticket 1", "oversold>refunded", "system", ""),
            refunded("paid>refunded"),
        ],
    ),
    Case(
        "unknown>failed",
        [*buy.SOLD_OUT, do.refunds_lost, do.refunds_debt, do.quiet_time],
        [do.refund_settled],
        [refund(1, "unknown>failed", "provider", "12.50", "The provider has no record of it. Try again.")],
    ),
    Case(
        "refunded elsewhere",
        [buy.ticket, buy.check_out, buy.pays],
        [do.refunded_elsewhere],
        [ELSEWHERE, refunded("paid>refunded")],
    ),
    Case(
        "finding closed",
        [buy.ticket, buy.check_out, buy.pays, do.refunded_elsewhere],
        [do.closes_finding],
        [FINDING_CLOSED],
    ),
    Case("page's account", [], [do.paid_to_default], [ACCOUNT_SET]),
    Case("page's refunds", [], [do.refunds_by_itself], [REFUNDS_SET]),
]
