"""What is for sale of an event right now, in words that a page can show as they are."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from shared.browser.event_rows import FEW_LEFT, note_of
from shared.contracts.dtos import EntryDTO, TicketTypeDTO
from shared.contracts.sale import Sale, SaleState
from shared.contracts.states import LineKind
from shared.labels import HAS_BEGUN, few_left, sale_words

NOT_LISTED = (SaleState.OVER, SaleState.NO_TICKETS)
"""The states in which a page does not even name kinds and prices."""


@dataclass(frozen=True, slots=True)
class OfferedTicket:
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
class TicketOffer:
    """All that is for sale of an event."""

    sale: Sale
    kinds: tuple[OfferedTicket, ...]
    note: str
    note_look: str
    text: str
    """Why nothing can be bought, or what is to be known before; empty: nothing."""

    @property
    def is_open(self) -> bool:
        """Whether there is anything to buy now."""
        return self.sale.is_open

    @property
    def lists_kinds(self) -> bool:
        """Whether kinds and prices are worth naming."""
        return self.sale.state not in NOT_LISTED

    @property
    def one_price(self) -> OfferedTicket | None:
        """The single kind of an event without ticket types."""
        return self.kinds[0] if len(self.kinds) == 1 and self.kinds[0].ticket_type_id is None else None


def offer_of(entry: EntryDTO) -> TicketOffer:
    """Work out what can be bought of ``entry``."""
    # "No ticket needed" is for lists; the page of the event says it in a sentence of its own.
    note, look = note_of(entry) if entry.sale.state is not SaleState.NO_TICKETS else ("", "")
    # Late-comers may buy, but not without knowing.
    begun = HAS_BEGUN if entry.sale.is_open and entry.sale.has_begun else ""
    return TicketOffer(
        sale=entry.sale,
        kinds=tuple(_kind_of(entry, each) for each in _types_of(entry)),
        note=note,
        note_look=look,
        text=sale_words(LineKind.TICKET, entry.sale, entry.time_zone).text or begun,
    )


def _types_of(entry: EntryDTO) -> tuple[TicketTypeDTO, ...]:
    """Return the entry's types that have a price; or its one price as a type without an id; or nothing."""
    if entry.ticket_types:
        # A type without a price is being prepared: free ones cost 0.00.
        return tuple(each for each in entry.ticket_types if each.cost is not None)
    if entry.ticket_price is None:
        return ()
    return (TicketTypeDTO(None, "Ticket", "", entry.ticket_price, entry.available, entry.sale),)


def _kind_of(entry: EntryDTO, ticket_type: TicketTypeDTO) -> OfferedTicket:
    note, look = _kind_note(entry, ticket_type)
    left = ticket_type.available
    return OfferedTicket(
        ticket_type_id=ticket_type.id,
        name=ticket_type.name,
        description=ticket_type.description,
        cost=ticket_type.cost,
        note=note,
        note_look=look,
        buyable=ticket_type.sale.is_open,
        # Never more than are left: a number that would be refused is not offered.
        most=entry.max_per_order if left is None else min(entry.max_per_order, left),
    )


def _kind_note(entry: EntryDTO, ticket_type: TicketTypeDTO) -> tuple[str, str]:
    """Say what is special about a type; what is so for the whole event is said once, above."""
    if ticket_type.sale.is_open:
        # Where the type has as many left as the event, the event's own note says so already.
        few = few_left(ticket_type.sale, FEW_LEFT) if ticket_type.available != entry.available else ""
        return few, "warning" if few else ""
    # One "Sold out" at the top, not one in each row as well.
    if ticket_type.sale.state is entry.sale.state:
        return "", ""
    words = sale_words(LineKind.TICKET, ticket_type.sale, entry.time_zone)
    return words.note, words.look
