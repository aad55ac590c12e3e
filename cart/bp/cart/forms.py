"""What the cart's forms and queries send, read strictly: a refusal names the field and keeps what was typed."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

from shared.contracts.errors import BadInput

_ID = re.compile(r"[0-9]{1,18}")
_QUANTITY = re.compile(r"[0-9]{1,9}")
_AMOUNT = re.compile(r"[0-9]{1,8}\.[0-9]{2}")


@dataclass(frozen=True, slots=True)
class TicketsForm:
    """How many tickets of one kind the cart is to hold. ``typed`` is the number as it was typed."""

    entry_id: int
    ticket_type_id: int | None
    typed: str
    view: str
    """The slug of the page whose group is being looked at; empty: the whole cart."""

    @property
    def quantity(self) -> int:
        """The number wanted; 0 takes the line out. Raises BadInput."""
        if not _QUANTITY.fullmatch(self.typed):
            raise BadInput("Enter a whole number, such as 2.", field="quantity")
        return int(self.typed)


@dataclass(frozen=True, slots=True)
class SummaryQuery:
    """Whose summary is asked for."""

    user_id: int | None
    session_id: str | None


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


def read_tickets_form(form: Mapping[str, str]) -> TicketsForm:
    """Read the form of a ticket line; its Remove button counts as 0, whatever stands in the number field."""
    type_id = form.get("ticket_type_id", "")
    return TicketsForm(
        entry_id=read_id(form.get("entry_id"), "entry_id"),
        ticket_type_id=read_id(type_id, "ticket_type_id") if type_id else None,
        typed="0" if "remove" in form else form.get("quantity", "").strip(),
        view=form.get("view", ""),
    )


def read_shown_total(form: Mapping[str, str]) -> Decimal:
    """Return the total that the shopper saw when they pressed the button; raises BadInput."""
    text = form.get("shown_total", "")
    if not _AMOUNT.fullmatch(text):
        raise BadInput("We could not tell which total you saw. Please check your cart and try again.")
    return Decimal(text)


def read_summary_query(query: Mapping[str, str]) -> SummaryQuery:
    """Read whose cart another app asks about: a user's, else a session's; raises BadInput."""
    user, session = query.get("user_id") or None, query.get("session_id") or None
    if user is not None and not _ID.fullmatch(user):
        raise BadInput("user_id must be a number", field="user_id")
    return SummaryQuery(
        user_id=None if user is None else int(user), session_id=None if session is None else _uuid(session)
    )


def _uuid(text: str) -> str:
    """Return a session's id in its one spelling; raises BadInput."""
    try:
        return str(UUID(text))
    except ValueError:
        raise BadInput("session_id must be a UUID", field="session_id") from None
