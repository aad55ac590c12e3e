"""Reading numbers and amounts: those that somebody typed, and those that a page of ours wrote into its form."""

from __future__ import annotations

import re
from decimal import Decimal

BEYOND_ANY_LIMIT = 1_000_000
"""What every larger number is read as: a hundred digits mean no more than seven, and no limit allows either."""
NOT_A_NUMBER = "Enter a whole number, such as 2."
NOT_AN_AMOUNT = "Enter an amount such as 12.50."
_DIGITS = re.compile(r"[0-9]+")
_SHOWN_AMOUNT = re.compile(r"[0-9]{1,10}\.[0-9]{2}")
_TYPED_AMOUNT = re.compile(r"([0-9]{1,8})(?:[.,]([0-9]{1,2}))?")


def read_count(typed: str) -> int | None:
    """Read digits, of which there may be any number; an empty field is none, and None is what is no number."""
    text = typed.strip()
    if not text:
        return 0
    if not _DIGITS.fullmatch(text):
        return None
    # Cut before ``int``: Python refuses to read thousands of digits, and that error would be a crash.
    short = text.lstrip("0") or "0"
    return min(int(short), BEYOND_ANY_LIMIT) if len(short) <= len(str(BEYOND_ANY_LIMIT)) else BEYOND_ANY_LIMIT


def shown_amount_of(text: str) -> Decimal | None:
    """Read an amount as our pages write it, such as 12.50; None is what is none."""
    return Decimal(text) if _SHOWN_AMOUNT.fullmatch(text) else None


def typed_amount_of(typed: str) -> Decimal | None:
    """Read an amount as people write it, with a comma or none at all, too; None is what is none."""
    match = _TYPED_AMOUNT.fullmatch(typed)
    return Decimal(f"{match[1]}.{(match[2] or '').ljust(2, '0')}") if match else None
