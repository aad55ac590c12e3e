"""Events as rows of a list: all that ``_types/_macros/events.html`` shows of one, in whichever app the list is."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from shared.contracts.dtos import EntryDTO
from shared.contracts.paths import entry_path
from shared.contracts.states import LineKind
from shared.labels import few_left, sale_words

FEW_LEFT = 10
"""From this number on, a list or a page says how many seats are left."""


@dataclass(frozen=True, slots=True)
class EventRow:
    """An event in a list."""

    path: str
    name: str
    start_at: datetime
    time_zone: str
    place: str
    price: Decimal | None
    """What the page names as the price of a ticket; None: no tickets are sold."""
    has_dearer: bool
    note: str
    note_look: str


def event_row(entry: EntryDTO, *, name_place: bool = True) -> EventRow:
    """Make a row of an event; where the page has named the place already, the row does not."""
    price, has_dearer = starting_price(entry)
    note, look = note_of(entry)
    return EventRow(
        path=entry_path(entry.id),
        name=entry.name,
        start_at=entry.start_at,
        time_zone=entry.time_zone,
        place=(entry.place or entry.calendar_name) if name_place else "",
        price=price,
        has_dearer=has_dearer,
        note=note,
        note_look=look,
    )


def starting_price(entry: EntryDTO) -> tuple[Decimal | None, bool]:
    """Return the price that a list names, and whether there are dearer ones ("from £8.00").

    A child's free place is not what an evening costs: the lowest price above nothing is named, if there is one.
    """
    prices = _prices_of(entry)
    lowest = min((price for price in prices if price > 0), default=min(prices, default=None))
    return lowest, lowest is not None and any(price > lowest for price in prices)


def _prices_of(entry: EntryDTO) -> list[Decimal]:
    """Return what the tickets of an event cost: each type's price, or its one price where it has no types."""
    # Where there are types the event's own price is only what they fall back to: no ticket is sold at it alone.
    prices = [kind.cost for kind in entry.ticket_types] if entry.ticket_types else [entry.ticket_price]
    return [price for price in prices if price is not None]


def note_of(entry: EntryDTO) -> tuple[str, str]:
    """Say in two or three words how an event stands, and of what kind that tag is."""
    # Asked first: an open sale has no tag of its own.
    few = few_left(entry.sale, FEW_LEFT)
    if few:
        return few, "warning"
    words = sale_words(LineKind.TICKET, entry.sale, entry.time_zone)
    return words.note, words.look
