"""What a check of the audit is: one promise of docs/money.md, asked of the whole database at once.

A check is one query that returns the ids of what breaks the promise. It is set-based, so that a million tickets take
seconds, and it reads the rows themselves: no counter, trigger or constraint is taken at its word.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Check:
    """One promise, and how to find what breaks it."""

    name: str
    promise: int
    """Its number in docs/money.md."""
    says: str
    """What is true of every row that it looks at."""
    thing: str
    """What the ids are those of."""
    looks_at: str
    """The rows that it looks at, as a FROM clause (and WHERE)."""
    wrong: str
    """Selects the ids of those that break it, as ``id``. May use ``:now``."""
    is_lasting: bool = False
    """Whether it is broken for a moment in the normal course of things, and wrong only when it lasts."""


def quoted(states: Iterable[str]) -> str:
    """Write states down for SQL."""
    return ", ".join(f"'{state}'" for state in states)
