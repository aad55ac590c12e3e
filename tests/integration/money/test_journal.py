"""Every change of a state has its line in the journal: thing, event, who, why and data, from one table over all of them."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Row, text

from cart.orders.buyer import Buyer
from shared.contracts import journal, states
from shared.contracts.states import TRANSITIONS
from shared.db.engine import Database
from shared.db.uow import unit_of_work
from shared.payments.accounts import OneGateway
from shared.settings import APPS, Settings
from tests.support.history.lines import Case, Data
from tests.support.history.table import CASES, NOT_MADE, NOT_OF_AN_ORDER
from tests.support.history.world import QuietGateway, World, watch
from tests.support.mixed import make_goods, make_hall
from tests.support.postgres import ROOT
from tests.support.shop import Shop

LINES = [line for case in CASES for line in case.lines]
MADE = {(line.thing.split()[0], line.change) for line in LINES if line.change}


def _listed(moves: dict[str, str]) -> set[tuple[str, str]]:
    """Return what a list of changes names."""
    return {(thing, change) for thing, changes in moves.items() for change in changes.split()}


# --- what is done leaves just these lines ---


@pytest.fixture
async def owner(owner_database_url: str, settings: Settings) -> AsyncIterator[Database]:
    database = Database(owner_database_url, pool_size=1, settings=settings)
    yield database
    await database.dispose()


@pytest.fixture
async def world(shop: Shop, owner: Database) -> World:
    await watch(owner)
    gateway = QuietGateway(clock=shop.clock)
    shop = replace(shop, gateway=gateway, context=replace(shop.context, gateways=OneGateway(gateway)))
    buyer, admin = Buyer.of_user(await shop.shopper()), await shop.shopper()
    show, goods, hall = await shop.show(capacity=1), await make_goods(shop, stock=1), await make_hall(shop)
    return World(shop, gateway, show, goods, hall, buyer, admin)


@dataclass(frozen=True, slots=True)
class Told:
    """A line as the journal has it."""

    thing: str
    order_id: int | None
    event: str
    actor: str
    why: str
    data: Data | None


async def _rows(owner: Database, statement: str) -> Sequence[Row[Any]]:
    async with unit_of_work(owner) as uow:
        return (await uow.session.execute(text(statement))).all()


async def _names(owner: Database) -> dict[object, str]:
    """Name what differs each time by the payment that it is of."""
    payments = await _rows(owner, "SELECT id, checkout_reference, transaction_code FROM payments")
    return {
        value: f"{what} {row.id}"
        for row in payments
        for what, value in (("reference", row.checkout_reference), ("transaction", row.transaction_code))
        if value is not None
    }


async def _journal(owner: Database) -> list[Told]:
    """Read the journal."""
    names = await _names(owner)
    columns = "thing || ' ' || thing_id AS thing, order_id, event, actor, why, data"
    return [
        Told(
            thing=row.thing,
            order_id=row.order_id,
            event=row.event,
            actor=row.actor,
            why=row.why,
            data=None if row.data is None else {key: names.get(value, value) for key, value in row.data.items()},
        )
        for row in await _rows(owner, f"SELECT {columns} FROM journal ORDER BY id")
    ]


async def _watched(owner: Database) -> list[tuple[str, int, str]]:
    """Return what really changed its state: the thing, its order, and from what to what."""
    return [
        (str(row.thing), int(row.order_id), str(row.change))
        for row in await _rows(
            owner, "SELECT thing || ' ' || thing_id AS thing, order_id, change FROM watched ORDER BY id"
        )
    ]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
async def test_what_is_done_is_told(world: World, owner: Database, case: Case) -> None:
    for step in case.before:
        await step(world)
    told, watched = await _journal(owner), await _watched(owner)
    for step in case.done:
        await step(world)

    told, watched = (await _journal(owner))[len(told) :], (await _watched(owner))[len(watched) :]
    assert [(each.thing, each.event, each.actor, each.why, each.data) for each in told] == [
        (line.thing, line.event, line.actor, line.why, line.data) for line in case.lines
    ]
    changed = [
        (line.thing, each.order_id, line.change) for line, each in zip(case.lines, told, strict=True) if line.change
    ]
    assert Counter(changed) == Counter(watched)


# --- and the table has them all ---


def test_every_change_that_is_allowed_has_a_line_or_is_known_to_be_made_by_nobody() -> None:
    allowed = {(thing, f"{old}>{new}") for thing, moves in TRANSITIONS.items() for old, new in moves}
    made = {(thing, change) for thing, change in MADE if not change.startswith("new>")}
    assert made | _listed(NOT_MADE) | _listed(NOT_OF_AN_ORDER) == allowed
    assert not made & (_listed(NOT_MADE) | _listed(NOT_OF_AN_ORDER))


SOURCES = [file for app in (*APPS, "shared") for file in sorted((ROOT / app).rglob("*.py"))]


def _functions(file: Path) -> Iterator[tuple[str, ast.AST]]:
    """Give a module's functions, with their names."""
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.name, node


def _record_calls() -> list[tuple[str, ast.Call]]:
    """Return every call of ``record`` in the sources, with the function that makes it."""
    return [
        (f"{file.stem}.{name}", call)
        for file in SOURCES
        if "record(" in file.read_text()
        for name, function in _functions(file)
        for call in ast.walk(function)
        if isinstance(call, ast.Call) and getattr(call.func, "id", getattr(call.func, "attr", "")) == "record"
    ]


def test_every_call_that_writes_a_line_is_in_the_table_and_the_table_names_no_other() -> None:
    calls = Counter(by for by, _ in _record_calls())
    assert calls == Counter({line.by for line in LINES if line.by != "write_journal"})


def _member(written: ast.expr) -> str:
    """Return the value of an enum's member that is written out, such as ``JournalEvent.PLACED``."""
    enum, _, name = ast.unparse(written).rpartition(".")
    return str(getattr(journal if hasattr(journal, enum) else states, enum)[name])


def test_the_events_that_the_source_names_are_those_of_the_table() -> None:
    named = {
        (by, _member(keyword.value))
        for by, call in _record_calls()
        for keyword in call.keywords
        if keyword.arg == "event" and ast.unparse(keyword.value).rpartition(".")[2].isupper()
    }
    assert len(named) > 5
    assert named <= {(line.by, line.event) for line in LINES}


THINGS = {
    "TicketState": "ticket",
    "EntryState": "entry",
    "OrderState": "order",
    "PaymentState": "payment",
    "StockState": "stock",
    "DebtState": "debt",
    "RefundState": "refund",
}


def _written_states(tree: ast.AST) -> Iterator[ast.expr]:
    """Give what is written into a ``state``: as a named argument, or by an assignment."""
    for node in ast.walk(tree):
        if isinstance(node, ast.keyword) and node.arg == "state":
            yield node.value
        elif isinstance(node, ast.Assign):
            for to, value in _assigned(node.targets[0], node.value):
                if isinstance(to, ast.Attribute) and to.attr == "state":
                    yield value


def _assigned(to: ast.expr, value: ast.expr) -> list[tuple[ast.expr, ast.expr]]:
    """Take an assignment of several things apart."""
    if isinstance(to, ast.Tuple) and isinstance(value, ast.Tuple):
        return list(zip(to.elts, value.elts, strict=True))
    return [(to, value)]


def _states_in(value: ast.expr) -> Iterator[tuple[str, str]]:
    """Give the states that an expression names, by thing."""
    for node in ast.walk(value):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in THINGS:
            yield THINGS[node.value.id], getattr(states, node.value.id)[node.attr].value


def test_every_state_that_the_source_writes_is_reached_in_the_table() -> None:
    written = {
        found
        for file in SOURCES
        for value in _written_states(ast.parse(file.read_text()))
        for found in _states_in(value)
    }
    reached = {(thing, change.partition(">")[2]) for thing, change in MADE | _listed(NOT_OF_AN_ORDER)}
    assert ("ticket", "reserved") in written
    assert written <= reached | {("ticket", "pending"), ("entry", "pending")}  # put into a cart
