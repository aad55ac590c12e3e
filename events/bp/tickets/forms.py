"""The buy form: what was typed, and what it means."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from pydantic import BeforeValidator, Field

from shared.contracts.errors import BadInput, NotFound
from shared.contracts.ids import id_of
from shared.web.forms import Form, in_words
from shared.web.numbers import NOT_A_NUMBER, read_count

MOST_ROWS = 100
NO_SUCH_TYPE = 0
"""What an unreadable type is read as: the database hands out ids from 1, so it is no entry's type."""

CHOOSE_ONE = "Choose at least one ticket."
INCOMPLETE = "The form did not arrive complete. Please choose your tickets again."
NO_EVENT = "The form did not say which event it is for. Please open the event and try again."


def _entry_id(text: str) -> int:
    """Read the entry's id. Raises NotFound where there can be none of that name."""
    if not text.strip():
        raise in_words(NO_EVENT)
    number = id_of(text.strip())
    if not number:
        raise NotFound("We could not find that event.")
    return number


def _type_id(text: str) -> int | None:
    """Read a type's id; an empty one is the entry's one price."""
    return (id_of(text.strip()) or NO_SUCH_TYPE) if text.strip() else None


@dataclass(frozen=True, slots=True)
class BuyRow:
    """One row of the form: which type (None: the entry's one price) and what was typed beside it."""

    ticket_type_id: int | None
    typed: str
    quantity: int
    error: str = ""


class BuyForm(Form):
    """A buy form as it came: pairs of ``ticket_type_id`` and ``quantity``, in their order.

    Whatever is wrong with them is kept beside what was typed, and refused by ``choice``. A form that names no entry is
    refused when it is read.
    """

    entry_id: Annotated[int, BeforeValidator(_entry_id)] = Field("", validate_default=True)
    ticket_type_id: tuple[Annotated[int | None, BeforeValidator(_type_id)], ...] = ()
    quantity: tuple[str, ...] = ()

    @property
    def _types(self) -> tuple[int | None, ...]:
        """The types of the rows; where none is named, each is the entry's one price."""
        # A form without types is that of an event with one price, whose page sends no type at all.
        return self.ticket_type_id or (None,) * max(len(self.quantity), 1)

    @property
    def rows(self) -> tuple[BuyRow, ...]:
        """The rows, each with what is wrong with it."""
        types = self._types
        # Not strict: pairs that do not match are refused as a whole by ``choice``, with what was typed kept.
        pairs = zip(types, self.quantity or ("",) * len(types), strict=False)
        return tuple(_row(type_id, typed) for type_id, typed in pairs)[:MOST_ROWS]

    @property
    def is_complete(self) -> bool:
        """Whether the pairs match, and no type comes twice."""
        types = self._types
        # A type that came twice could be read as either number: better asked again than guessed.
        return len(self.quantity) in {len(types), 0} and len(types) <= MOST_ROWS and len(set(types)) == len(types)

    def choice(self) -> dict[int | None, int]:
        """Return how many of each type were chosen, without the types of which none was.

        Raises BadInput where a row cannot be read, where the pairs do not match, and where nothing was chosen.
        """
        # Whole form, then rows, then emptiness: each message supposes that the one before has nothing to say.
        if not self.is_complete:
            raise BadInput(INCOMPLETE)
        if self.errors:
            raise BadInput(NOT_A_NUMBER)
        chosen = self.chosen
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
