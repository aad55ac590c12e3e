"""Money that comes late, twice, or is not what was asked for."""

from __future__ import annotations

from . import buying as buy
from . import deciding as do
from .lines import NAMED_LATE, PAID_AGAIN, Case, decided, given, owed, paid, released, seen, unpaid

LATE = [
    Case(
        "expired>paid, taken again",
        [*buy.ONE_OF_EACH, buy.check_out, buy.too_late, buy.works],
        [buy.pays],
        [
            seen("expired>paid", transaction="transaction 1"),
            given("ticket 1", "pending>reserved"),
            given("ticket 1", "reserved>confirmed"),
            given("entry 2", "pending>ordered"),
            given("entry 2", "ordered>confirmed"),
            given("stock 1", "released>reserved"),
            given("stock 1", "reserved>sold"),
            paid("expired>paid", "late payment 1, 0 lines lost"),
        ],
    ),
    Case(
        "expired>paid, put back before",
        [buy.ticket, buy.check_out, buy.put_back],
        [buy.pays],
        [
            seen("expired>paid", transaction="transaction 1"),
            given("ticket 1", "pending>reserved"),
            given("ticket 1", "reserved>confirmed"),
            paid("cancelled>paid", "late payment 1, 0 lines lost"),
        ],
    ),
    Case(
        "expired>paid, in place of what was taken out",
        [*buy.ONE_OF_EACH, buy.check_out, buy.put_back, buy.taken_out],
        [buy.pays],
        [
            seen("expired>paid", transaction="transaction 1"),
            given("ticket 2", "new>reserved"),
            given("ticket 2", "reserved>confirmed"),
            given("entry 3", "new>ordered"),
            given("entry 3", "ordered>confirmed"),
            given("stock 1", "released>reserved"),
            given("stock 1", "reserved>sold"),
            paid("cancelled>paid", "late payment 1, 0 lines lost"),
        ],
    ),
    Case(
        "expired>paid, lost",
        [*buy.ONE_OF_EACH, buy.check_out, buy.put_back, buy.somebody_else_buys],
        [buy.pays_first],
        [
            seen("expired>paid", transaction="transaction 1"),
            given("ticket 1", "pending>oversold"),
            given("stock 1", "released>oversold"),
            owed(1, "12.50", "sold_out", line=1),
            owed(2, "8.00", "sold_out", line=2),
            owed(3, "4.50", "sold_out", line=3),
            paid("cancelled>paid", "late payment 1, 3 lines lost"),
        ],
    ),
    Case(
        "expired>paid, taken out and lost",
        [buy.ticket, buy.check_out, buy.put_back, buy.taken_out, buy.somebody_else_buys],
        [buy.pays_first],
        [
            seen("expired>paid", transaction="transaction 1"),
            given("ticket 3", "new>oversold"),
            owed(1, "12.50", "sold_out", line=1),
            paid("cancelled>paid", "late payment 1, 1 lines lost"),
        ],
    ),
    Case(
        "expired>review",
        [buy.ticket, buy.check_out, buy.put_back],
        [buy.pays_pound],
        [seen("expired>review", transaction="transaction 1", why="amount")],
    ),
    Case(
        "cancelled>paid",
        [buy.ticket, buy.request_lost, buy.check_out, buy.waits, buy.settled, buy.arrives],
        [buy.pays],
        [
            seen("cancelled>paid", transaction="transaction 1"),
            given("ticket 1", "pending>reserved"),
            given("ticket 1", "reserved>confirmed"),
            paid("failed>paid", "late payment 1, 0 lines lost"),
        ],
    ),
    Case(
        "cancelled>review",
        [buy.ticket, buy.request_lost, buy.check_out, buy.waits, buy.settled, buy.arrives],
        [buy.pays_pound],
        [seen("cancelled>review", transaction="transaction 1", why="amount")],
    ),
    Case("transaction named late", [buy.ticket, buy.check_out, buy.pays_unnamed], [buy.settled], [NAMED_LATE]),
    Case(
        "paid again",
        [buy.ticket, buy.check_out, buy.pays],
        [buy.pays_again],
        [PAID_AGAIN, owed(1, "12.50", "paid_twice", actor="system", payment=2)],
    ),
    Case(
        "accepted",
        [buy.ticket, buy.check_out, buy.pays_too_much],
        [do.accepts],
        [
            decided("review>paid", "accepted", "100.00"),
            given("ticket 1", "reserved>confirmed"),
            paid("pending>paid", "payment 1"),
            owed(1, "87.50", "overpaid", actor="user:2"),
        ],
    ),
    Case(
        "owed back",
        [buy.ticket, buy.check_out, buy.pays_pound],
        [do.gives_payment_back],
        [
            decided("review>paid", "refunded", "1.00"),
            released("ticket 1", "reserved>pending"),
            unpaid("cancelled"),
            owed(1, "1.00", "mismatch", actor="user:2"),
        ],
    ),
    Case(
        "settled elsewhere",
        [buy.ticket, buy.check_out, buy.pays_pound],
        [do.settles_elsewhere],
        [
            decided("review>cancelled", "settled elsewhere", "12.50"),
            released("ticket 1", "reserved>pending"),
            unpaid("cancelled"),
        ],
    ),
]
