"""The forms of the cart."""

from __future__ import annotations

from abc import abstractmethod
from decimal import Decimal
from typing import Annotated

from pydantic import BeforeValidator, Field

from shared.contracts.errors import BadInput
from shared.contracts.lines import LineKey, booking_key, line_key, product_key, ticket_key
from shared.web.forms import EmptyIsNone, Form, Id, Text, Ticked
from shared.web.numbers import NOT_A_NUMBER, read_count, shown_amount_of

MOST_NOTICES = 200
NO_TOTAL = "We could not tell which total you saw. Please check your cart and try again."


class ViewForm(Form):
    """A form that knows from where it was sent."""

    view: str = ""
    """The slug of the page whose group is being looked at; empty: the whole cart."""


class LineForm(ViewForm):
    """How many of one line the cart is to hold."""

    quantity_typed: Text = Field("", alias="quantity")
    remove: Ticked = False
    """Whether its Remove button was pressed, whatever stands in the number field."""

    @property
    @abstractmethod
    def key(self) -> LineKey:
        """The line."""

    @property
    def typed(self) -> str:
        """The number as it was typed."""
        # Remove wins: the number field beside the button is sent along with it.
        return "0" if self.remove else self.quantity_typed

    @property
    def quantity(self) -> int:
        """The number wanted; 0 takes the line out. Raises BadInput."""
        count = read_count(self.typed) if self.typed else None
        if count is None:
            raise BadInput(NOT_A_NUMBER, field="quantity")
        return count


class TicketsForm(LineForm):
    """The form of a line of tickets."""

    entry_id: Id
    ticket_type_id: Annotated[Id | None, EmptyIsNone] = None

    @property
    def key(self) -> LineKey:
        """The line of this event's tickets, of one type or of its one price."""
        return ticket_key(self.entry_id, self.ticket_type_id)


class ProductForm(LineForm):
    """The form of a product line."""

    variant_id: Id

    @property
    def key(self) -> LineKey:
        """The line of this variant."""
        return product_key(self.variant_id)


class BookingForm(LineForm):
    """The form of a booking, which can only be taken out."""

    entry_id: Id

    @property
    def key(self) -> LineKey:
        """The line of this booking."""
        return booking_key(self.entry_id)

    @property
    def typed(self) -> str:
        """None of it."""
        return "0"


class OtherLineForm(LineForm):
    """The form of a line of any other kind, named by kind and id."""

    kind: Text
    thing_id: Id

    @property
    def key(self) -> LineKey:
        """The line of this thing."""
        return line_key(self.kind, self.thing_id)


class CheckoutForm(Form):
    """A press of the checkout button: the total that was seen, and the e-mail address of a guest."""

    shown_total: str = ""
    email: Text = ""

    @property
    def total(self) -> Decimal:
        """The total that the shopper saw. Raises BadInput."""
        total = shown_amount_of(self.shown_total)
        if total is None:
            raise BadInput(NO_TOTAL)
        return total


def _parts(texts: list[str]) -> list[str]:
    """Read ids that stand in one field, with commas between."""
    # Bounded: what is sent by a form becomes a list in a statement.
    return ",".join(texts).split(",")[:MOST_NOTICES]


class NoticesForm(Form):
    """The notices that were read."""

    notices: Annotated[tuple[Id, ...], BeforeValidator(_parts)]
