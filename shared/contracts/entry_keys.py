"""The key in the address of a list of calendar entries: which entry the page before ended with."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from shared.contracts.dtos import EntryDTO
from shared.contracts.errors import BadInput

Key = tuple[datetime, int]
_FORMAT = "%Y%m%dT%H%M%S%fZ"
_KEY = re.compile(r"([0-9]{8}T[0-9]{12}Z)-([0-9]{1,18})")


def key_after(entry: EntryDTO) -> str:
    """Return the key that a list continues after ``entry`` with."""
    return f"{entry.start_at.astimezone(UTC).strftime(_FORMAT)}-{entry.id}"


def read_key(text: str) -> Key | None:
    """Read a key; an empty one is the beginning. Raises BadInput for anything that we never wrote."""
    if not text:
        return None
    found = _KEY.fullmatch(text)
    if found is None:
        raise BadInput("The link to the rest of the list is not complete. Please start from its beginning.")
    try:
        moment = datetime.strptime(found[1], _FORMAT).replace(tzinfo=UTC)
    except ValueError:
        raise BadInput("The link to the rest of the list names no day. Please start from its beginning.") from None
    return moment, int(found[2])
