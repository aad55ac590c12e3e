"""Reading ids out of forms and addresses."""

from __future__ import annotations

import re

from shared.contracts.errors import BadInput

_ID = re.compile(r"[0-9]{1,18}")


def read_id(text: str | None, name: str) -> int:
    """Return an id out of a form; raises BadInput for anything else."""
    if text is None or not _ID.fullmatch(text):
        raise BadInput("That form was not complete. Please go back, reload the page and try again.", field=name)
    return int(text)


def read_key(text: str) -> int | None:
    """Return the id from which a list goes on; empty: from its beginning. Raises BadInput."""
    if not text:
        return None
    if not _ID.fullmatch(text):
        raise BadInput("We could not find that part of the list.")
    return int(text)
