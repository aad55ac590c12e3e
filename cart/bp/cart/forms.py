"""What the cart's forms and queries send, read strictly: a refusal names the field and keeps what was typed."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from shared.contracts.errors import BadInput
from shared.contracts.lines import LineKey, booking_key, product_key, ticket_key
from shared.web.ids import read_id

MOST_NOTICES = 200
_QUANTITY = re.compile(r"[0-9]+")
_MOST_DIGITS = 7
"""A longer number means no more than this many nines: it is beyond every limit either way."""
_AMOUNT = re.compile(r"[0-9]{1,8}\.[0-9]{2}")


@dataclass(frozen=True, slots=True)
class LineForm:
    """How many of one line the cart is to hold. ``typed`` is the number as it was typed."""

    key: LineKey
    typed: str
    view: str
    """The slug of the page whose group is being looked at; empty: the whole cart."""

    @property
    def quantity(self) -> int:
        """The number wanted; 0 takes the line out. Raises BadInput."""
        if not _QUANTITY.fullmatch(self.typed):
            raise BadInput("Enter a whole number, such as 2.", field="quantity")
        return int(self.typed) if len(self.typed) <= _MOST_DIGITS else 10**_MOST_DIGITS - 1


@dataclass(frozen=True, slots=True)
class CheckoutForm:
    """A press of the checkout button: the total that was seen, and the e-mail address of a guest."""

    shown_total: str
    email: str

    @property
    def total(self) -> Decimal:
        """The total that the shopper saw. Raises BadInput."""
        if not _AMOUNT.fullmatch(self.shown_total):
            raise BadInput("We could not tell which total you saw. Please check your cart and try again.")
        return Decimal(self.shown_total)


def _read_line(form: Mapping[str, str], key: LineKey) -> LineForm:
    """Read the form of a line; its Remove button counts as 0, whatever stands in the number field."""
    typed = "0" if "remove" in form else form.get("quantity", "").strip()
    return LineForm(key=key, typed=typed, view=form.get("view", ""))


def read_tickets_form(form: Mapping[str, str]) -> LineForm:
    """Read the form of a line of tickets. Raises BadInput."""
    type_id = form.get("ticket_type_id", "")
    entry_id = read_id(form.get("entry_id"), "entry_id")
    return _read_line(form, ticket_key(entry_id, read_id(type_id, "ticket_type_id") if type_id else None))


def read_product_form(form: Mapping[str, str]) -> LineForm:
    """Read the form of a product line. Raises BadInput."""
    return _read_line(form, product_key(read_id(form.get("variant_id"), "variant_id")))


def read_booking_form(form: Mapping[str, str]) -> LineForm:
    """Read the form of a booking, which can only be taken out. Raises BadInput."""
    return LineForm(booking_key(read_id(form.get("entry_id"), "entry_id")), typed="0", view=form.get("view", ""))


def read_checkout_form(form: Mapping[str, str]) -> CheckoutForm:
    """Read a press of the checkout button."""
    return CheckoutForm(shown_total=form.get("shown_total", ""), email=form.get("email", "").strip())


def read_notice_ids(form: Mapping[str, str]) -> list[int]:
    """Return the notices that were read. Raises BadInput."""
    return [read_id(part, "notices") for part in form.get("notices", "").split(",")[:MOST_NOTICES]]
