"""The audit of the journal: the last word on everything is how it is now (docs/money.md, promise 13)."""

from __future__ import annotations

from collections.abc import Iterable

from shared.contracts.states import (
    DebtState,
    EntryState,
    OrderState,
    PaymentState,
    RefundState,
    StockState,
    TicketState,
)

from .check import Check, quoted

PLACED = "placed"
"""What the journal calls an order that has just been made."""


def _last_word(thing: str, states: Iterable[str]) -> str:
    listed = quoted(states)
    # In one pass over the journal: the newest line's number carries its event's place in the list as its last digits.
    return f"""
        SELECT thing_id AS id, (ARRAY[{listed}])[max(id * 16 + array_position(ARRAY[{listed}], event)) % 16] AS event
        FROM journal WHERE thing = '{thing}' AND event IN ({listed}) GROUP BY thing_id"""


def _money(thing: str, table: str, states: type[OrderState | PaymentState | DebtState | RefundState]) -> Check:
    return Check(
        name=f"journal of {table}",
        promise=13,
        # ``placed`` is an order's first line and stands for ``pending``; what has no line at all must not pass for it.
        says=f"the journal's last word on a {thing} is its state",
        thing=thing,
        looks_at=table,
        wrong=f"""
            SELECT t.id FROM {table} t LEFT JOIN ({_last_word(thing, [*states, PLACED])}) j ON j.id = t.id
            WHERE coalesce(nullif(j.event, '{PLACED}'), CASE WHEN j.id IS NOT NULL THEN 'pending' END)
                IS DISTINCT FROM t.state""",
    )


def _sold(name: str, thing: str, table: str, states: type[TicketState | EntryState]) -> Check:
    """Hold the journal to what becomes of things in orders; of what was released it says no more than that."""
    return Check(
        name=name,
        promise=13,
        says=f"the journal's last word on a {thing} that is or was in an order is its state",
        thing=thing,
        looks_at=f"{table} WHERE order_id IS NOT NULL",
        wrong=f"""
            SELECT t.id FROM {table} t LEFT JOIN ({_last_word(thing, states)}) j ON j.id = t.id
            WHERE (t.order_id IS NOT NULL AND j.event IS DISTINCT FROM t.state)
                OR (t.order_id IS NULL AND j.event <> 'pending')""",
    )


JOURNAL = (
    _money("order", "orders", OrderState),
    _money("payment", "payments", PaymentState),
    _money("debt", "debts", DebtState),
    _money("refund", "refunds", RefundState),
    _sold("journal of tickets", "ticket", "tickets", TicketState),
    _sold("journal of bookings", "entry", "calendar_entries", EntryState),
    Check(
        # Stock never leaves its order, so each of its states has a line, unlike tickets and bookings in a cart.
        name="journal of stock",
        promise=13,
        says="the journal's last word on stock in an order is its state",
        thing="stock",
        looks_at="stock_allocations",
        wrong=f"""
            SELECT t.id FROM stock_allocations t LEFT JOIN ({_last_word("stock", StockState)}) j ON j.id = t.id
            WHERE j.event IS DISTINCT FROM t.state""",
    ),
)
