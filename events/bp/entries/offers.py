"""What is for sale of an event right now, in words that a page can show as they are."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from shared.contracts.dtos import EntryDTO, TicketTypeDTO
from shared.contracts.times import when

FEW_LEFT = 10
"""From this number on, a page says how many seats are left."""


class Sale(StrEnum):
    """Whether tickets of an event can be had now, and if not, why."""

    OPEN = "open"
    SOLD_OUT = "sold_out"
    NOT_YET = "not_yet"
    ENDED = "ended"
    OVER = "over"
    NO_TICKETS = "no_tickets"


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of ticket; an event with one price has a single kind without an id."""

    ticket_type_id: int | None
    name: str
    description: str
    cost: Decimal | None
    note: str
    note_look: str
    buyable: bool
    most: int
    """How many to offer: what one order may have, and no more than are left."""


@dataclass(frozen=True, slots=True)
class Offer:
    """All that is for sale of an event."""

    sale: Sale
    kinds: tuple[Kind, ...]
    note: str
    note_look: str
    opens_at: datetime | None = None

    @property
    def is_open(self) -> bool:
        """Whether there is anything to buy now."""
        return self.sale is Sale.OPEN

    @property
    def one_price(self) -> Kind | None:
        """The single kind of an event without ticket types."""
        return self.kinds[0] if len(self.kinds) == 1 and self.kinds[0].ticket_type_id is None else None


def offer_of(entry: EntryDTO, now: datetime) -> Offer:
    """Work out what can be bought of ``entry`` at ``now``."""
    types = _types_of(entry)
    sale = _sale_of(entry, types, now)
    kinds = tuple(_kind_of(entry, each, sale) for each in types)
    note, look = _note_of(entry, sale)
    return Offer(sale, kinds, note, look, entry.sale_starts_at if sale is Sale.NOT_YET else None)


def starting_price(kinds: Collection[Kind]) -> tuple[Decimal | None, bool]:
    """Return the price that a list names, and whether there are dearer ones ("from £8.00").

    A child's free place is not what an evening costs: the lowest price above nothing is named, if there is one.
    """
    prices = {kind.cost for kind in kinds if kind.cost is not None}
    lowest = min((price for price in prices if price > 0), default=min(prices, default=None))
    return lowest, lowest is not None and any(price > lowest for price in prices)


def _types_of(entry: EntryDTO) -> tuple[TicketTypeDTO, ...]:
    """Return the entry's types that have a price; or its one price as a type without an id; or nothing."""
    if entry.ticket_types:
        return tuple(each for each in entry.ticket_types if each.cost is not None)
    if entry.ticket_price is None:
        return ()
    return (TicketTypeDTO(None, "Ticket", "", entry.ticket_price, entry.available),)


def _sale_of(entry: EntryDTO, types: tuple[TicketTypeDTO, ...], now: datetime) -> Sale:
    """Name the first reason why nothing can be bought, the one that no waiting would change before the others."""
    if entry.end_at <= now:
        return Sale.OVER
    if not types:
        return Sale.NO_TICKETS
    if not _anything_on_sale(entry, types, now):
        waiting = entry.sale_starts_at is not None and now < entry.sale_starts_at
        return Sale.NOT_YET if waiting else Sale.ENDED
    return Sale.SOLD_OUT if all(each.available == 0 for each in types if each.on_sale) else Sale.OPEN


def _anything_on_sale(entry: EntryDTO, types: tuple[TicketTypeDTO, ...], now: datetime) -> bool:
    """Tell whether the time is right for any kind; the one price has the entry's own times."""
    if entry.ticket_types:
        return any(each.on_sale for each in types)
    opens, ends = entry.sale_starts_at, entry.sale_ends_at
    return (opens is None or opens <= now) and (ends is None or now < ends)


def _kind_of(entry: EntryDTO, ticket_type: TicketTypeDTO, sale: Sale) -> Kind:
    """Make a row of a type."""
    note, look = _kind_note(entry, ticket_type, sale)
    left = ticket_type.available
    return Kind(
        ticket_type_id=ticket_type.id,
        name=ticket_type.name,
        description=ticket_type.description,
        cost=ticket_type.cost,
        note=note,
        note_look=look,
        buyable=sale is Sale.OPEN and ticket_type.on_sale and left != 0,
        most=entry.max_per_order if left is None else min(entry.max_per_order, left),
    )


def _kind_note(entry: EntryDTO, ticket_type: TicketTypeDTO, sale: Sale) -> tuple[str, str]:
    """Say what is special about a type; what is so for the whole event is said once, above."""
    left = ticket_type.available
    if sale is not Sale.OPEN:
        return "", ""
    if not ticket_type.on_sale:
        return "Not on sale now", ""
    if left == 0:
        return "Sold out", "bad"
    if left is not None and left <= FEW_LEFT and left != entry.available:
        return f"{left} left", "warning"
    return "", ""


def _note_of(entry: EntryDTO, sale: Sale) -> tuple[str, str]:
    """Say in two or three words how the whole event stands."""
    if sale is Sale.NOT_YET and entry.sale_starts_at is not None:
        day = when(entry.sale_starts_at, entry.time_zone).partition(",")[0]
        return f"On sale from {day}", "info"
    words = {
        Sale.OVER: ("Over", ""),
        Sale.SOLD_OUT: ("Sold out", "bad"),
        Sale.ENDED: ("Sale has ended", ""),
    }
    if sale in words:
        return words[sale]
    few = sale is Sale.OPEN and entry.available is not None and entry.available <= FEW_LEFT
    return (f"{entry.available} left", "warning") if few else ("", "")
