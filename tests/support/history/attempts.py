"""Attempts to pay: every way from one state to another."""

from __future__ import annotations

from . import buying as buy
from .lines import Case, closing, given, paid, released, seen, unpaid

ATTEMPTS = [
    Case("created>open", [buy.ticket, buy.answer_dies, buy.check_out], [buy.settled], [seen("created>open")]),
    Case(
        "created>closing",
        [buy.ticket, buy.answer_dies, buy.check_out],
        [buy.put_back_unanswered],
        [closing("created>closing", "user:1")],
    ),
    Case(
        "created>cancelled",
        [buy.ticket, buy.placed_and_killed, buy.waits],
        [buy.settled],
        [released("ticket 1", "reserved>pending"), unpaid("failed"), seen("created>cancelled")],
    ),
    Case(
        "created>expired",
        [buy.ticket, buy.answer_dies, buy.check_out],
        [buy.closed_there],
        [released("ticket 1", "reserved>pending"), unpaid("cancelled"), seen("created>expired")],
    ),
    Case(
        "created>paid",
        [buy.ticket, buy.answer_dies, buy.check_out],
        [buy.pays],
        [
            seen("created>paid", transaction="transaction 1"),
            given("ticket 1", "reserved>confirmed"),
            paid("pending>paid", "payment 1"),
        ],
    ),
    Case(
        "created>review",
        [buy.ticket, buy.answer_dies, buy.check_out],
        [buy.pays_pound],
        [seen("created>review", transaction="transaction 1", why="amount")],
    ),
    Case("unknown>open", [buy.ticket, buy.answer_lost, buy.check_out], [buy.settled], [seen("unknown>open")]),
    Case(
        "unknown>closing",
        [buy.ticket, buy.answer_lost, buy.check_out],
        [buy.put_back_unanswered],
        [closing("unknown>closing", "user:1")],
    ),
    Case(
        "unknown>cancelled",
        [buy.ticket, buy.request_lost, buy.check_out, buy.waits],
        [buy.settled],
        [released("ticket 1", "reserved>pending"), unpaid("failed"), seen("unknown>cancelled")],
    ),
    Case(
        "unknown>expired",
        [buy.ticket, buy.answer_lost, buy.check_out],
        [buy.closed_there],
        [released("ticket 1", "reserved>pending"), unpaid("cancelled"), seen("unknown>expired")],
    ),
    Case(
        "unknown>paid",
        [buy.ticket, buy.answer_lost, buy.check_out],
        [buy.pays],
        [
            seen("unknown>paid", transaction="transaction 1"),
            given("ticket 1", "reserved>confirmed"),
            paid("pending>paid", "payment 1"),
        ],
    ),
    Case(
        "unknown>review",
        [buy.ticket, buy.answer_lost, buy.check_out],
        [buy.pays_pound],
        [seen("unknown>review", transaction="transaction 1", why="amount")],
    ),
    Case("open>closing", [buy.ticket, buy.check_out], [buy.put_back_unanswered], [closing("open>closing", "user:1")]),
    Case("open>closing, it differs", [buy.ticket, buy.check_out], [buy.differs_there], [seen("open>closing")]),
    Case(
        "open>expired",
        [buy.ticket, buy.check_out],
        [buy.closed_there],
        [released("ticket 1", "reserved>pending"), unpaid("cancelled"), seen("open>expired")],
    ),
    Case(
        "open>review",
        [buy.ticket, buy.check_out],
        [buy.pays_pound],
        [seen("open>review", transaction="transaction 1", why="amount")],
    ),
    Case(
        "closing>expired",
        [buy.ticket, buy.check_out, buy.put_back_unanswered],
        [buy.put_back],
        [released("ticket 1", "reserved>pending"), unpaid("cancelled"), seen("closing>expired")],
    ),
    Case(
        "closing>cancelled",
        [buy.ticket, buy.request_lost, buy.check_out, buy.put_back_unanswered, buy.waits],
        [buy.settled],
        [released("ticket 1", "reserved>pending"), unpaid("cancelled"), seen("closing>cancelled")],
    ),
    Case(
        "closing>paid",
        [buy.ticket, buy.check_out, buy.put_back_unanswered],
        [buy.pays],
        [
            seen("closing>paid", transaction="transaction 1"),
            given("ticket 1", "reserved>confirmed"),
            paid("pending>paid", "payment 1"),
        ],
    ),
    Case(
        "closing>review",
        [buy.ticket, buy.check_out, buy.put_back_unanswered],
        [buy.pays_pound],
        [seen("closing>review", transaction="transaction 1", why="amount")],
    ),
]
