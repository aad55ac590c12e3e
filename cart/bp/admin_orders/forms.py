"""What the forms about orders send, read strictly: a refusal names the field and keeps what was typed."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from cart.bp.admin_orders.services import OrderFilter
from shared.contracts.errors import BadInput
from shared.contracts.states import OrderState
from shared.web.ids import read_id

SHORTEST_TEXT, LONGEST_TEXT = 2, 200
FIRST_YEAR, LAST_YEAR = 2000, 2999
"""Days outside of these are typing errors, and some of them no database can hold."""
LONGEST_NOTE = 2000
_ID = re.compile(r"[0-9]{1,18}")


@dataclass(frozen=True, slots=True)
class FilterForm:
    """What is looked for, as it was typed."""

    text: str = ""
    page: str = ""
    state: str = ""
    first: str = ""
    last: str = ""
    attention: str = ""

    @property
    def address(self) -> dict[str, Any]:
        """What stands in the address for it, without what is empty."""
        named = zip(FIELDS, (self.text, self.page, self.state, self.first, self.last, self.attention), strict=True)
        return {name: typed for name, typed in named if typed}

    @property
    def is_empty(self) -> bool:
        """Whether nothing is asked for: then all orders are shown."""
        return not self.address

    @property
    def is_attention_alone(self) -> bool:
        """Whether only what needs attention is asked for: then finding nothing is good news."""
        return self.address.keys() == {"attention"}

    def wanted(self, time_zone: str) -> OrderFilter:
        """Return what is looked for. Raises BadInput with the field that is wrong."""
        first, last = _read_day(self.first, "from"), _read_day(self.last, "to")
        if first is not None and last is not None and last < first:
            raise BadInput("The last day is before the first.", field="to")
        return OrderFilter(
            time_zone=time_zone,
            text=_read_text(self.text),
            page_id=_read_page(self.page),
            state=_read_state(self.state),
            first_day=first,
            last_day=last,
            needs_attention=bool(self.attention),
        )


FIELDS = ("q", "page", "state", "from", "to", "attention")
"""What the fields are called in the address, in the order of the form's."""


def read_filter_form(args: Mapping[str, str]) -> FilterForm:
    """Read what the address asks for."""
    return FilterForm(*(args.get(name, "").strip() for name in FIELDS))


def _read_text(typed: str) -> str:
    """Return what is searched for. Raises BadInput."""
    if typed and not SHORTEST_TEXT <= len(typed) <= LONGEST_TEXT:
        raise BadInput(f"Search for {SHORTEST_TEXT} to {LONGEST_TEXT} letters or digits.", field="q")
    if not typed.isprintable():
        raise BadInput("Search for letters and digits.", field="q")
    return typed


def _read_page(typed: str) -> int | None:
    """Return a page's id; empty: any page. Raises BadInput."""
    if typed and not _ID.fullmatch(typed):
        raise BadInput("Choose a page of the list.", field="page")
    return int(typed) if typed else None


def _read_state(typed: str) -> OrderState | None:
    """Return a state; empty: any state. Raises BadInput."""
    try:
        return OrderState(typed) if typed else None
    except ValueError:
        raise BadInput("Choose a state of the list.", field="state") from None


def _read_day(typed: str, field: str) -> date | None:
    """Return a day; empty: any day. Raises BadInput."""
    if not typed:
        return None
    try:
        day = date.fromisoformat(typed)
    except ValueError:
        raise BadInput("Enter a day such as 2026-11-28.", field=field) from None
    if not FIRST_YEAR <= day.year <= LAST_YEAR:
        raise BadInput("Enter a day such as 2026-11-28.", field=field)
    return day


def read_note(form: Mapping[str, str]) -> str:
    """Return what is to be noted. Raises BadInput."""
    body = "\n".join(line.rstrip() for line in form.get("body", "").strip().splitlines())
    if not body:
        raise BadInput("Write the note first.", field="body")
    if len(body) > LONGEST_NOTE:
        raise BadInput(f"A note may have {LONGEST_NOTE} letters; this one has {len(body)}.", field="body")
    if "\0" in body:
        raise BadInput("Write the note in letters and digits.", field="body")
    return body


def read_line_ids(typed: Sequence[str]) -> list[int]:
    """Return the lines that were chosen, each once. Raises BadInput where none was."""
    if not typed:
        raise BadInput("Choose what is to be cancelled.", field="line")
    return list(dict.fromkeys(read_id(text, "line") for text in typed))
