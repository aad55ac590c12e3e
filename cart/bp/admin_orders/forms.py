"""The forms about orders."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, ValidationInfo

from cart.bp.admin_orders.services import OrderFilter
from shared.contracts.states import OrderState
from shared.web.forms import EmptyIsNone, Form, FormRefused, Id, Text, in_words, or_say

SHORTEST_TEXT, LONGEST_TEXT = 2, 200
FIRST_YEAR, LAST_YEAR = 2000, 2999
"""Days outside of these are typing errors, and some of them no database can hold."""
LONGEST_NOTE = 2000
NOTHING_CHOSEN = "Choose what is to be cancelled."
NO_DAY = "Enter a day such as 2026-11-28."


def _searchable(text: str) -> str:
    """Refuse what is too short to search for, or is no text."""
    if text and not SHORTEST_TEXT <= len(text) <= LONGEST_TEXT:
        raise in_words(f"Search for {SHORTEST_TEXT} to {LONGEST_TEXT} letters or digits.")
    if not text.isprintable():
        raise in_words("Search for letters and digits.")
    return text


def _day(typed: str) -> date | None:
    """Read a day; empty: any day."""
    # A wrong one raises ValueError, which the field turns into its own words.
    return date.fromisoformat(typed) if typed else None


def _in_our_times(day: date | None) -> date | None:
    """Refuse a day that can only be mistyped."""
    if day is not None and not FIRST_YEAR <= day.year <= LAST_YEAR:
        raise ValueError
    return day


def _not_before_the_first(last: date | None, info: ValidationInfo) -> date | None:
    """Refuse days that end before they begin."""
    # Not there where the first day was refused itself: then its problem is told alone.
    first = info.data.get("first")
    if first is not None and last is not None and last < first:
        raise in_words("The last day is before the first.")
    return last


Day = Annotated[date | None, BeforeValidator(_day), AfterValidator(_in_our_times), or_say(NO_DAY)]


class _Wanted(Form):
    """What is looked for, once it can be used."""

    first: Day = Field(None, alias="from")
    last: Annotated[Day, AfterValidator(_not_before_the_first)] = Field(None, alias="to")
    text: Annotated[str, AfterValidator(_searchable)] = Field("", alias="q")
    page: Annotated[Id | None, EmptyIsNone, or_say("Choose a page of the list.")] = None
    state: Annotated[OrderState | None, EmptyIsNone, or_say("Choose a state of the list.")] = None
    attention: str = ""


class FilterForm(Form):
    """What is looked for, as it was typed."""

    text: Text = Field("", alias="q")
    page: Text = ""
    state: Text = ""
    first: Text = Field("", alias="from")
    last: Text = Field("", alias="to")
    attention: Text = ""

    @property
    def address(self) -> dict[str, Any]:
        """What stands in the address for it, without what is empty."""
        return self.model_dump(by_alias=True, exclude_defaults=True)

    @property
    def is_empty(self) -> bool:
        """Whether nothing is asked for: then all orders are shown."""
        return not self.address

    @property
    def is_attention_alone(self) -> bool:
        """Whether only what needs attention is asked for: then finding nothing is good news."""
        return self.address.keys() == {"attention"}

    def wanted(self, time_zone: str) -> OrderFilter:
        """Return what is looked for. Raises FormRefused with the fields that are wrong."""
        # In two steps, so that what was typed is kept whole where a part of it is refused.
        wanted = _Wanted.parse(self.address)
        return OrderFilter(
            time_zone=time_zone,
            text=wanted.text,
            page_post_id=wanted.page,
            state=wanted.state,
            first_day=wanted.first,
            last_day=wanted.last,
            needs_attention=bool(wanted.attention),
        )


def _note(typed: str) -> str:
    """Return what is to be noted, without blanks at the ends of its lines."""
    body = "\n".join(line.rstrip() for line in typed.strip().splitlines())
    if not body:
        raise in_words("Write the note first.")
    if len(body) > LONGEST_NOTE:
        raise in_words(f"A note may have {LONGEST_NOTE} letters; this one has {len(body)}.")
    # PostgreSQL stores no NUL in a text.
    if "\0" in body:
        raise in_words("Write the note in letters and digits.")
    return body


class OrderNoteForm(Form):
    """A note for others who look at an order."""

    body: Annotated[str, AfterValidator(_note)] = Field("", validate_default=True)


def _chosen(lines: tuple[int, ...]) -> tuple[int, ...]:
    """Return the lines that were chosen, each once."""
    if not lines:
        raise in_words(NOTHING_CHOSEN)
    # A line that was sent twice counts once: its number is compared with what the order has.
    return tuple(dict.fromkeys(lines))


class LinesForm(Form):
    """The lines that are to be cancelled."""

    line: Annotated[tuple[Id, ...], AfterValidator(_chosen)] = Field((), validate_default=True)


def nothing_chosen() -> FormRefused:
    """Return the refusal of whoever goes on and has chosen nothing."""
    return FormRefused((("line", NOTHING_CHOSEN),))
