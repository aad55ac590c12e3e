"""The document of promises names guards and tests that there are."""

from __future__ import annotations

import ast
import re
from functools import cache

import pytest

from tests.support.postgres import ROOT

NAMED = re.compile(r"`([\w./-]+\.py)::(\w+)`")
WORD = re.compile(r"`(\w+)`")
PARTS = ["Guard in code", "Guard in the database", "Tests", "Control"]
RACES = {"1", "5", "7", "9", "11", "12"}
"""The promises that several people at once could break: each has a control."""


def _sections(document: str) -> dict[str, str]:
    """Return what stands under each heading of a document, by the heading."""
    _, *sections = re.split(r"^## ", (ROOT / "docs" / document).read_text(), flags=re.MULTILINE)
    return {heading: text for heading, _, text in (section.partition("\n") for section in sections)}


def _parts(section: str) -> dict[str, str]:
    """Return what stands below each bold line of a section, in their order."""
    _, *pieces = re.split(r"^\*\*(.+)\*\*$", section, flags=re.MULTILINE)
    return dict(zip(pieces[::2], pieces[1::2], strict=True))


PROMISES = {heading: _parts(section) for heading, section in _sections("promises.md").items()}


@cache
def _functions(path: str) -> frozenset[str]:
    """Return the functions of a file, by name."""
    tree = ast.parse((ROOT / path).read_text())
    return frozenset(node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


@cache
def _database_names() -> frozenset[str]:
    """Return every word of the models, of the migrations, and of the functions that these install."""
    folders = (("shared/models", "*.py"), ("alembic/versions", "*.py"), ("shared/db/functions", "*.sql"))
    files = [file for folder, kind in folders for file in (ROOT / folder).glob(kind)]
    return frozenset(word for file in files for word in re.findall(r"\w+", file.read_text()))


def test_every_promise_has_its_section() -> None:
    assert [heading.partition(".")[0] for heading in PROMISES] == [str(number) for number in range(1, 16)]


def test_the_promises_are_those_of_the_document_about_money() -> None:
    *_, promises = _sections("money.md").values()
    assert list(PROMISES) == re.findall(r"^### (\d+\. .+)$", promises, flags=re.MULTILINE)


@pytest.mark.parametrize("heading", PROMISES)
def test_a_section_has_its_four_parts_and_none_is_empty(heading: str) -> None:
    assert list(PROMISES[heading]) == PARTS
    assert all(text.strip() for text in PROMISES[heading].values())


@pytest.mark.parametrize("heading", PROMISES)
def test_what_a_section_names_is_there(heading: str) -> None:
    parts = PROMISES[heading]
    for part in ("Guard in code", "Tests", "Control"):
        for path, name in NAMED.findall(parts[part]):
            assert name in _functions(path), f"{path}::{name}"
    for name in WORD.findall(parts["Guard in the database"]):
        assert name in _database_names(), name


@pytest.mark.parametrize("heading", PROMISES)
def test_a_part_lists_what_can_be_checked_or_says_why_there_is_nothing(heading: str) -> None:
    parts = PROMISES[heading]
    for part in PARTS:
        lines = parts[part].strip().splitlines()
        named = WORD if part == "Guard in the database" else NAMED
        assert lines[0].startswith("None: ") or all(line.startswith("- ") and named.search(line) for line in lines)


@pytest.mark.parametrize("heading", PROMISES)
def test_every_promise_has_a_guard_and_a_test_and_every_race_a_control(heading: str) -> None:
    parts = PROMISES[heading]
    assert NAMED.search(parts["Guard in code"])
    assert all(path.startswith("tests/") for path, _ in NAMED.findall(parts["Tests"] + parts["Control"]))
    assert NAMED.search(parts["Tests"])
    assert bool(NAMED.search(parts["Control"])) or heading.partition(".")[0] not in RACES
