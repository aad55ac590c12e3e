"""What names a line of a cart, whatever it sells."""

from __future__ import annotations

from collections.abc import Mapping

from .states import LineKind

# str and not LineKind: a kind of thing can be added without a change here.
LineKey = tuple[str, int, int | None]
"""A kind of thing, its id, and for tickets their type (None: the entry's one price).

Tickets are named by their entry and type, a booking by its own entry, a product by its variant.
"""

# The cart's summary unpacks the three in this order.
KIND_WORDS: Mapping[LineKind, tuple[str, str]] = {
    LineKind.PRODUCT: ("product", "products"),
    LineKind.BOOKING: ("booking", "bookings"),
    LineKind.TICKET: ("ticket", "tickets"),
}
"""What one thing of a kind is called, and several, in the order in which pages count them."""


def ticket_key(entry_id: int, ticket_type_id: int | None) -> LineKey:
    """Name a line of tickets."""
    return LineKind.TICKET, entry_id, ticket_type_id


def booking_key(entry_id: int) -> LineKey:
    """Name a booking."""
    return LineKind.BOOKING, entry_id, None


def product_key(variant_id: int) -> LineKey:
    """Name a product line."""
    return LineKind.PRODUCT, variant_id, None


def line_key(kind: str, thing_id: int) -> LineKey:
    """Name a line of any other kind, by what it sells."""
    return kind, thing_id, None
