"""Reading an id that somebody sent, in a form, an address or a key."""

from __future__ import annotations

import re

# Before ``int``, which also takes ``1_000``, ``+7``, spaces and the digits of other scripts.
_ID = re.compile(r"[0-9]{1,18}")
"""As many digits as always fit into a bigint: the database is never asked about a number that it cannot hold."""


def id_of(text: str) -> int | None:
    """Return an id, or None where the text is none."""
    return int(text) if _ID.fullmatch(text) else None
