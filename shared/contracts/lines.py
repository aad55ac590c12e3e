"""What names a line of a cart, whatever it sells."""

from __future__ import annotations

from .states import LineKind

LineKey = tuple[LineKind, int, int | None]
"""A kind of thing, its id, and for tickets their type (None: the entry's one price).

Tickets are named by their entry and type, a booking by its own entry, a product by its variant.
"""


def ticket_key(entry_id: int, ticket_type_id: int | None) -> LineKey:
    """Name a line of tickets."""
    return LineKind.TICKET, entry_id, ticket_type_id


def booking_key(entry_id: int) -> LineKey:
    """Name a booking."""
    return LineKind.BOOKING, entry_id, None


def product_key(variant_id: int) -> LineKey:
    """Name a product line."""
    return LineKind.PRODUCT, variant_id, None
