"""Orders: placed, paid, given up, approved, cancelled."""

from __future__ import annotations

from . import buying as buy
from . import deciding as do
from .lines import Case, closing, created, given, noted, owed, paid, placed, released, seen, unpaid, written

ORDERS = [
    Case(
        "placed",
        buy.ONE_OF_EACH,
        [buy.check_out],
        [
            written("ticket 1", "pending>reserved", "user:1", "checkout"),
            written("entry 2", "pending>ordered", "user:1", "checkout"),
            written("stock 1", "new>reserved", "user:1", "checkout"),
            placed("25.00", 3),
            created("25.00"),
            seen("created>open"),
        ],
    ),
    Case(
        "placed for nothing",
        [buy.for_nothing],
        [buy.check_out],
        [
            written("ticket 1", "pending>reserved", "user:1", "checkout"),
            placed("0.00", 1),
            written("ticket 1", "reserved>confirmed", "user:1", "checkout"),
            paid("pending>paid", "nothing to pay"),
        ],
    ),
    Case(
        "paid in time",
        [*buy.ONE_OF_EACH, buy.check_out],
        [buy.pays],
        [
            seen("open>paid", transaction="transaction 1"),
            given("ticket 1", "reserved>confirmed"),
            given("entry 2", "ordered>confirmed"),
            given("stock 1", "reserved>sold"),
            paid("pending>paid", "payment 1"),
        ],
    ),
    Case(
        "paid, to be approved",
        [buy.needs_approval, buy.hour, buy.check_out],
        [buy.pays],
        [
            seen("open>paid", transaction="transaction 1"),
            given("entry 2", "ordered>provisional"),
            paid("pending>paid", "payment 1"),
        ],
    ),
    Case(
        "approved",
        [buy.needs_approval, buy.hour, buy.check_out, buy.pays],
        [do.approved],
        [written("entry 2", "provisional>confirmed", "user:2", "")],
    ),
    Case(
        "declined",
        [buy.needs_approval, buy.hour, buy.check_out, buy.pays],
        [do.declined],
        [written("entry 2", "provisional>declined", "user:2", ""), owed(1, "8.00", "declined", actor="user:2", line=1)],
    ),
    Case(
        "cancelled before approval",
        [buy.needs_approval, buy.hour, buy.check_out, buy.pays],
        [do.cancelled],
        [written("entry 2", "provisional>cancelled", "user:2", "rained off")],
    ),
    Case(
        "not opened",
        [*buy.ONE_OF_EACH, buy.refused],
        [buy.check_out],
        [
            written("ticket 1", "pending>reserved", "user:1", "checkout"),
            written("entry 2", "pending>ordered", "user:1", "checkout"),
            written("stock 1", "new>reserved", "user:1", "checkout"),
            placed("25.00", 3),
            created("25.00"),
            noted("created>cancelled", "not opened: Rejected"),
            released("ticket 1", "reserved>pending"),
            released("entry 2", "ordered>pending"),
            released("stock 1", "reserved>released"),
            unpaid("failed"),
        ],
    ),
    Case(
        "answer lost",
        [buy.ticket, buy.answer_lost],
        [buy.check_out],
        [
            written("ticket 1", "pending>reserved", "user:1", "checkout"),
            placed("12.50", 1),
            created("12.50"),
            noted("created>unknown", "the provider's answer was lost"),
        ],
    ),
    Case(
        "put back",
        [*buy.ONE_OF_EACH, buy.check_out],
        [buy.put_back],
        [
            closing("open>closing", "user:1"),
            released("ticket 1", "reserved>pending"),
            released("entry 2", "ordered>pending"),
            released("stock 1", "reserved>released"),
            unpaid("cancelled"),
            seen("closing>expired"),
        ],
    ),
    Case(
        "time run out",
        [buy.ticket, buy.check_out, buy.too_late],
        [buy.works],
        [
            closing("open>closing", "system"),
            released("ticket 1", "reserved>pending"),
            unpaid("expired"),
            seen("closing>expired"),
        ],
    ),
    Case(
        "guest gone",
        [buy.as_guest, buy.hour, buy.check_out, buy.session_gone],
        [buy.put_back],
        [
            closing("open>closing", "guest"),
            released("entry 2", "ordered>cancelled"),
            unpaid("cancelled"),
            seen("closing>expired"),
        ],
    ),
]
