"""Reads tables of the documents, so that tests can hold them against the code."""

from __future__ import annotations

import re

from tests.support.postgres import ROOT

QUOTED = re.compile(r"`([^`]+)`")


def read_document(name: str) -> str:
    """Return a document's text."""
    return (ROOT / "docs" / name).read_text()


def section(document: str, heading: str) -> str:
    """Return what stands under the heading that begins with these words, up to the next heading."""
    parts = re.split(rf"^(#+ {re.escape(heading)}\b.*)$", read_document(document), maxsplit=1, flags=re.MULTILINE)
    assert len(parts) == 3, f"{document} has no heading {heading}"
    return re.split(r"^#+ ", parts[2], maxsplit=1, flags=re.MULTILINE)[0]


def rows(text: str, columns: int) -> list[list[str]]:
    """Return the rows of a text's tables that have so many columns, without their heads."""
    lines = [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines() if line[:1] == "|"]
    lines = [cells for cells in lines if len(cells) == columns]
    rules = {number for number, cells in enumerate(lines) if all(set(cell) == {"-"} for cell in cells)}
    return [cells for number, cells in enumerate(lines) if number not in rules and number + 1 not in rules]


def quoted(text: str) -> list[str]:
    """Return what stands between backticks."""
    return QUOTED.findall(text)
