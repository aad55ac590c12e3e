"""Lists that are shown a part at a time (keyset paging).

An address names the row that the part before ended with, by a key. So nothing is shown twice and nothing is left out
while rows come and go, and the last part costs as little as the first.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Generic, Protocol, TypeVar

from .errors import BadInput
from .ids import id_of

Row = TypeVar("Row")
Row_co = TypeVar("Row_co", covariant=True)
MomentKey = tuple[datetime, int]
"""The place of a row in a list that is sorted by a moment and, where two have the same, by id."""

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
NO_SUCH_PART = "We could not find that part of the list."
INCOMPLETE_LINK = "The link to the rest of the list is not complete. Please start from its beginning."
_MOMENT_KEY = re.compile(r"([0-9]{1,17})-([0-9]{1,18})")
"""Microseconds since 1970, no more than a datetime holds, and an id."""


class Source(Protocol[Row_co]):
    """Reads the rows of a list after the key that it was given, at most ``limit`` of them."""

    def __call__(self, *, limit: int) -> Awaitable[Sequence[Row_co]]:
        """Return them in the list's order."""


@dataclass(frozen=True, slots=True)
class Part(Generic[Row]):
    """A part of a list."""

    rows: tuple[Row, ...]
    next_key: str
    """The key after which the list goes on; empty: it ends here."""

    def next_url(self, address: Callable[[str], str]) -> str:
        """Return the address of the next part, made of its key; empty where there is none."""
        return address(self.next_key) if self.next_key else ""


async def read_part(source: Source[Row], *, size: int, key_of: Callable[[Row], str]) -> Part[Row]:
    """Read one part. One row more than is shown is asked for: it tells whether any follow, at no other cost."""
    found = await source(limit=size + 1)
    shown = tuple(found[:size])
    return Part(shown, key_of(shown[-1]) if len(found) > size else "")


def read_id_key(text: str) -> int | None:
    """Return the id from which a list goes on; empty: from its beginning. Raises BadInput."""
    if not text:
        return None
    found = id_of(text)
    if found is None:
        raise BadInput(NO_SUCH_PART)
    return found


def moment_key(moment: datetime, row_id: int) -> str:
    """Write the place of a row in a list that is sorted by moment and id, exact to the microsecond."""
    # To the microsecond, as the database keeps it: a rounded key would repeat a row or leave one out.
    return f"{(moment - EPOCH) // MICROSECOND}-{row_id}"


def read_moment_key(text: str, *, refusal: str = INCOMPLETE_LINK) -> MomentKey | None:
    """Read what ``moment_key`` wrote; empty: from the beginning. Raises BadInput for anything that we never wrote."""
    if not text:
        return None
    found = _MOMENT_KEY.fullmatch(text)
    # Refused: a mangled link would show the beginning again, as though it were what comes next.
    if found is None:
        raise BadInput(refusal)
    return EPOCH + int(found[1]) * MICROSECOND, int(found[2])
