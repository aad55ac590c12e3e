"""The table of promises names guards and tests that there are."""

from __future__ import annotations

import ast
import re
from functools import cache

import pytest

from tests.support.postgres import ROOT

NAMED = re.compile(r"`([\w./-]+\.py)::(\w+)`")
WORD = re.compile(r"`(\w+)`")
ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in (ROOT / "docs" / "promises.md").read_text().splitlines()
    if re.match(r"\| \d+\. ", line)
]
RACES = {"1", "5", "7", "9", "11", "12"}
"""The promises that several people at once could break: each has a control."""


@cache
def _functions(path: str) -> frozenset[str]:
    """Return the functions of a file, by name."""
    tree = ast.parse((ROOT / path).read_text())
    return frozenset(node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


@cache
def _database_names() -> frozenset[str]:
    """Return every word of the models and migrations."""
    files = [*(ROOT / "shared" / "models").glob("*.py"), *(ROOT / "alembic" / "versions").glob("*.py")]
    return frozenset(word for file in files for word in re.findall(r"\w+", file.read_text()))


def test_every_promise_has_its_row() -> None:
    assert [row[0].partition(".")[0] for row in ROWS] == [str(number) for number in range(1, 16)]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0][:20])
def test_what_a_row_names_is_there(row: list[str]) -> None:
    _, code, database, tests, control = row
    for cell in (code, tests, control):
        for path, name in NAMED.findall(cell):
            assert name in _functions(path), f"{path}::{name}"
    for name in WORD.findall(database):
        assert name in _database_names(), name


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0][:20])
def test_every_promise_has_a_guard_and_a_test_and_every_race_a_control(row: list[str]) -> None:
    title, code, _, tests, control = row
    assert NAMED.search(code)
    assert all(path.startswith("tests/") for path, _ in NAMED.findall(tests + control))
    assert NAMED.search(tests)
    assert bool(NAMED.search(control)) or title.partition(".")[0] not in RACES
