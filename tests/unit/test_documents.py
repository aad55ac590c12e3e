"""The documents about money, locks and words say what the code says."""

from __future__ import annotations

import pytest

from shared.contracts.states import (
    TRANSITIONS,
    DebtReason,
    DebtState,
    EntryState,
    OrderState,
    PaymentState,
    RefundState,
    StockState,
    TicketState,
)
from shared.db import locks
from shared.models import Base
from tests.support.documents import quoted, read_document, rows, section

THINGS = {
    "Ticket": ("ticket", TicketState),
    "Calendar entry": ("entry", EntryState),
    "Stock allocation": ("stock", StockState),
    "Order": ("order", OrderState),
    "Payment": ("payment", PaymentState),
    "Debt": ("debt", DebtState),
    "Refund": ("refund", RefundState),
}
"""The headings of the tables of states, each with the thing that it is about."""


@pytest.mark.parametrize("heading", THINGS)
def test_the_tables_of_states_are_the_codes(heading: str) -> None:
    thing, states = THINGS[heading]
    moves = {quoted(row[0])[0]: set(quoted(row[2])) for row in rows(section("money.md", heading), 3)}
    assert set(moves) == set(states)
    assert {(old, new) for old, followers in moves.items() for new in followers} == TRANSITIONS[thing]


def test_there_is_a_table_for_everything_that_moves() -> None:
    assert {thing for thing, _ in THINGS.values()} == set(TRANSITIONS)


def test_every_reason_of_a_debt_is_explained() -> None:
    reasons = rows(section("money.md", "Debt"), 2)
    assert [quoted(row[0])[0] for row in reasons] == list(DebtReason)


def test_every_lock_stands_in_the_order_of_locks() -> None:
    named = [name for row in rows(section("locking.md", "The order of locks"), 3) for name in quoted(row[2])]
    found = [name for name in vars(locks) if name.startswith("lock_")]
    assert sorted(named) == sorted(found)


def test_every_table_has_its_term_in_the_glossary() -> None:
    cells = " ".join(row[3] for row in rows(read_document("glossary.md"), 5))
    named = {word.partition(".")[0] for word in quoted(cells)}
    assert set(Base.metadata.tables) <= named


def test_the_glossary_has_each_term_once() -> None:
    terms = [row[0] for row in rows(read_document("glossary.md"), 5)]
    assert len(terms) == len(set(terms))


def test_every_constraint_that_stops_a_race_is_a_models() -> None:
    described = rows(section("locking.md", "Constraints that stop a race"), 3)
    assert described
    for tables, constraints, _ in described:
        for table in quoted(tables):
            made = Base.metadata.tables[table]
            names = {str(each.name) for each in (*made.constraints, *made.indexes)}
            names |= {name.removeprefix(f"ck_{table}_") for name in names}
            unique = {f"uq_{table}_{column.name}" for column in made.columns if column.unique}
            assert set(quoted(constraints)) <= names | unique, table
