"""Reading how many somebody typed, of whatever it is."""

from __future__ import annotations

import re

BEYOND_ANY_LIMIT = 1_000_000
"""What every larger number is read as: a hundred digits mean no more than seven, and no limit allows either."""
NOT_A_NUMBER = "Enter a whole number, such as 2."
_DIGITS = re.compile(r"[0-9]+")


def read_count(typed: str) -> int | None:
    """Read digits, of which there may be any number; an empty field is none, and None is what is no number."""
    text = typed.strip()
    if not text:
        return 0
    if not _DIGITS.fullmatch(text):
        return None
    short = text.lstrip("0") or "0"
    return min(int(short), BEYOND_ANY_LIMIT) if len(short) <= len(str(BEYOND_ANY_LIMIT)) else BEYOND_ANY_LIMIT
