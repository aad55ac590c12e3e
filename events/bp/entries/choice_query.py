"""A choice of tickets in a page's address: so it survives the way to the sign-in page and back."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from urllib.parse import urlencode

ONE_PRICE = "quantity"
"""The name, in a page's address, of a choice without types; a type's is ``t-`` and its id."""
_KEPT = re.compile(r"[1-9][0-9]{0,2}")


def choice_query(choice: Mapping[int | None, int]) -> str:
    """Write a choice into a page's address: ``?t-3=2&t-4=1``, or ``?quantity=2``; nothing chosen, nothing written."""
    # What cannot be read back is not written: the address comes back from the sign-in page unchanged.
    pairs = [(_name(type_id), str(count)) for type_id, count in choice.items() if _KEPT.fullmatch(str(count))]
    return f"?{urlencode(pairs)}" if pairs else ""


def choice_from_query(args: Mapping[str, str], types: Iterable[int | None]) -> dict[int | None, int]:
    """Read a choice of these types from a page's address; what makes no sense there is left out."""
    found = {type_id: args.get(_name(type_id), "") for type_id in types}
    # Addresses are edited, shortened and guessed; a choice that is lost is no reason for an error page.
    return {type_id: int(text) for type_id, text in found.items() if _KEPT.fullmatch(text)}


def _name(type_id: int | None) -> str:
    """Return the name of a type in a page's address."""
    return ONE_PRICE if type_id is None else f"t-{type_id}"
