"""The buy form: what was typed, and what it means."""

from __future__ import annotations

import re
from dataclasses import dataclass

from werkzeug.datastructures import MultiDict

from shared.contracts.errors import BadInput, NotFound
from shared.web.numbers import NOT_A_NUMBER, read_count

LARGEST_ID = 2**63 - 1
MOST_ROWS = 100
NO_SUCH_TYPE = 0
"""What an unreadable type is read as: the database hands out ids from 1, so it is no entry's type."""

CHOOSE_ONE = "Choose at least one ticket."
INCOMPLETE = "The form did not arrive complete. Please choose your tickets again."
_DIGITS = re.compile(r"[0-9]+")


@dataclass(frozen=True, slots=True)
class BuyRow:
    """One row of the form: which type (None: the entry's one price) and what was typed beside it."""

    ticket_type_id: int | None
    typed: str
    quantity: int
    error: str = ""


@dataclass(frozen=True, slots=True)
class BuyForm:
    """A buy form as it came. Rows may have errors; ``choice`` refuses them."""

    entry_id: int
    rows: tuple[BuyRow, ...]
    complete: bool = True

    @classmethod
    def parse(cls, form: MultiDict[str, str]) -> BuyForm:
        """Read ``entry_id`` and the pairs of ``ticket_type_id`` and ``quantity``, in their order.

        Raises BadInput where no entry is named and NotFound where there can be none of that name; whatever else is
        wrong is kept beside what was typed.
        """
        entry_id = _entry_id(form.get("entry_id", ""))
        quantities = form.getlist("quantity")
        types = form.getlist("ticket_type_id") or [""] * max(len(quantities), 1)
        ids = [_type_id(text) for text in types]
        complete = len(quantities) in {len(ids), 0} and len(ids) <= MOST_ROWS and len(set(ids)) == len(ids)
        quantities = quantities or [""] * len(ids)
        rows = tuple(_row(type_id, typed) for type_id, typed in zip(ids, quantities, strict=False))
        return cls(entry_id, rows[:MOST_ROWS], complete)

    def choice(self) -> dict[int | None, int]:
        """Return how many of each type were chosen, without the types of which none was.

        Raises BadInput where a row cannot be read, where the pairs do not match, and where nothing was chosen.
        """
        if not self.complete:
            raise BadInput(INCOMPLETE)
        if any(row.error for row in self.rows):
            raise BadInput(NOT_A_NUMBER)
        chosen = {row.ticket_type_id: row.quantity for row in self.rows if row.quantity}
        if not chosen:
            raise BadInput(CHOOSE_ONE)
        return chosen

    @property
    def typed(self) -> dict[int | None, str]:
        """What was typed, by type."""
        return {row.ticket_type_id: row.typed for row in self.rows}

    @property
    def errors(self) -> dict[int | None, str]:
        """What is wrong with single rows, by type."""
        return {row.ticket_type_id: row.error for row in self.rows if row.error}

    @property
    def chosen(self) -> dict[int | None, int]:
        """What could be read of the choice, to be kept for somebody who has to sign in first."""
        return {row.ticket_type_id: row.quantity for row in self.rows if row.quantity and not row.error}


def _row(type_id: int | None, typed: str) -> BuyRow:
    """Read one row; an empty field is none of that type."""
    count = read_count(typed)
    return BuyRow(type_id, typed, 0, NOT_A_NUMBER) if count is None else BuyRow(type_id, typed, count)


def _id(text: str) -> int | None:
    """Read an id, or None where no row can have it."""
    digits = text.strip()
    if not _DIGITS.fullmatch(digits) or len(digits) > len(str(LARGEST_ID)):
        return None
    number = int(digits)
    return number if 0 < number <= LARGEST_ID else None


def _entry_id(text: str) -> int:
    """Read the entry's id; raises BadInput or NotFound."""
    if not text.strip():
        raise BadInput("The form did not say which event it is for. Please open the event and try again.")
    number = _id(text)
    if number is None:
        raise NotFound("We could not find that event.")
    return number


def _type_id(text: str) -> int | None:
    """Read a type's id; an empty one is the entry's one price."""
    if not text.strip():
        return None
    number = _id(text)
    return NO_SUCH_TYPE if number is None else number
