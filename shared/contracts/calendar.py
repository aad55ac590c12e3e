"""What the calendar domain hands out: calendars, entries, slots and tickets."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from .money import ZERO
from .sale import NO_SALE, Sale, sale_of_stock
from .sold import Was
from .states import (
    EntryKind,
    EntryState,
    TicketState,
)


@dataclass(frozen=True, slots=True)
class CalendarDTO:
    """A calendar of a container (a page, whose id is ``container_id``)."""

    id: int
    slug: str
    name: str
    container_type: str
    container_id: int
    # The place's and not the reader's: whoever comes goes by the clock on its wall.
    time_zone: str
    place: str = ""
    description: str = ""
    whole_room: bool = False
    needs_approval: bool = False
    ahead_days: int = 0
    notice_minutes: int = 0
    bookable: bool = False
    """Whether it has times to book at all."""


@dataclass(frozen=True, slots=True)
class ClosureDTO:
    """Days on which nothing can be booked, first and last included."""

    first_day: date
    last_day: date
    reason: str = ""


@dataclass(frozen=True, slots=True)
class BookingTermsDTO:
    """From which day to which a calendar can be booked now, and the closed days among them, by their first."""

    first_day: date
    last_day: date
    closures: tuple[ClosureDTO, ...] = ()


@dataclass(frozen=True, slots=True)
class SlotDTO:
    """A stretch of time that can be booked, with its places. Times are UTC; show them in the calendar's zone.

    ``day`` is the day of the rule that offers it, in the calendar's zone: a slot after midnight may belong to the
    evening before.
    """

    calendar_id: int
    day: date
    start_at: datetime
    end_at: datetime
    name: str
    price: Decimal
    vat_rate: Decimal
    places: int
    free: int
    some_unpaid: bool = False
    """Whether some of it is held only by orders that are not paid yet."""

    @property
    def sale(self) -> Sale:
        """How it stands in the sale."""
        # Always on show: a time that no rule offers becomes no slot.
        return sale_of_stock(on_show=True, left=self.free, some_unpaid=self.some_unpaid)


@dataclass(frozen=True, slots=True)
class TicketTypeDTO:
    """A kind of ticket of an entry. ``cost`` is what one costs (already fallen back to the entry's price)."""

    id: int | None
    name: str
    description: str
    # None: neither type nor event sets a price, and nothing is sold; 0.00 is a free ticket (docs/pricing.md).
    cost: Decimal | None
    available: int | None
    """Seats left for this type, the entry's own limit included; ``None``: no limit."""
    sale: Sale = NO_SALE


@dataclass(frozen=True, slots=True)
class EntryDTO:
    """A calendar entry: an event, or a shopper's booking. Times are UTC; show them in ``time_zone``."""

    id: int
    calendar_id: int
    calendar_slug: str
    calendar_name: str
    calendar_container_type: str
    calendar_container_id: int
    time_zone: str
    place: str
    kind: EntryKind
    state: EntryState
    name: str
    description: str
    start_at: datetime
    end_at: datetime
    # Two, since an entry is either: ``ticket_price`` is an event's, ``cost`` a booking's.
    ticket_price: Decimal | None
    cost: Decimal | None
    capacity: int | None
    # Of the event alone: a ticket type may have fewer left, and says so itself.
    available: int | None
    sale_starts_at: datetime | None
    sale_ends_at: datetime | None
    # The smaller of what one order and what one person may have; what this reader has already is not known here.
    max_per_order: int
    ticket_types: tuple[TicketTypeDTO, ...] = ()
    order_id: int | None = None
    vat_rate: Decimal = ZERO
    cost_seen: Decimal | None = None
    """What a booking in a cart cost when it was put in; ``cost`` is what it costs now."""
    sale: Sale = NO_SALE
    """How an event, or a booking in a cart, stands in the sale."""
    was: Was | None = None
    """What has changed since a booking was ordered: then name, price and VAT are as ordered, time and place today's."""
    user_id: int | None = None
    replaces_id: int | None = None
    """The booking in whose place a late payment took this one: it is the one that the order's line names."""
    needs_approval: bool = False
    """Whether a booking is a request, which may be declined once it is paid."""


@dataclass(frozen=True, slots=True)
class AgendaDTO:
    """A calendar, and what is next on it."""

    calendar: CalendarDTO
    upcoming: tuple[EntryDTO, ...]


@dataclass(frozen=True, slots=True)
class TicketDTO:
    """One ticket, as it was sold; in a cart as it is now.

    ``cost`` is what it cost, in a cart its type's price, or the entry's where the type has none.
    """

    id: int
    # None until the ticket is paid: who shows a code is let in.
    code: str | None
    state: TicketState
    entry_id: int
    entry_name: str
    entry_start_at: datetime
    entry_end_at: datetime
    ticket_type_id: int | None
    ticket_type_name: str | None
    cost: Decimal | None
    calendar_name: str
    calendar_slug: str
    time_zone: str
    place: str
    calendar_container_id: int | None
    calendar_container_type: str | None
    order_id: int | None = None
    user_id: int | None = None
    checked_in_at: datetime | None = None
    vat_rate: Decimal = ZERO
    cost_seen: Decimal | None = None
    """What it cost when it was put into the cart; ``cost`` is what it costs now."""
    sale: Sale = NO_SALE
    """How its kind stands in the sale, while it is in a cart."""
    was: Was | None = None
    """What has changed since it was ordered: then name, price and VAT are as ordered, time and place those of today."""
    replaces_id: int | None = None
    """The ticket in whose place a late payment took this one: it is the one that the order's line names."""
