"""Whether tickets of an event are on sale: the one rule, for lists, pages, carts and checkout alike."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, Select, case, func, null, select
from sqlalchemy.orm import aliased, joinedload, selectinload, with_expression
from sqlalchemy.sql.base import ExecutableOption

from shared.contracts.errors import NotOnSale
from shared.contracts.money import price_of
from shared.contracts.sale import Sale, SaleState
from shared.contracts.states import EntryState, LineKind, TicketState
from shared.labels import sale_words
from shared.models import CalendarEntry, Order, Ticket, TicketType

LIKELIEST = (
    SaleState.OPEN,
    SaleState.HELD,
    SaleState.NOT_YET,
    SaleState.SOLD_OUT,
    SaleState.ENDED,
    SaleState.NO_TICKETS,
    SaleState.OVER,
    SaleState.CANCELLED,
)
"""The states by how soon a ticket may be had: an event stands as the best of its types does."""


def left(capacity: int | None, held: int) -> int | None:
    """Return how many seats are left; None: no limit."""
    return None if capacity is None else max(0, capacity - held)


def unpaid_of_event(entry: type[CalendarEntry] = CalendarEntry) -> ColumnElement[datetime | None]:
    """Tell in a query of events of which nothing is left until when the first of its unpaid orders holds seats.

    Looked up only where nothing is left, which the query finds out by itself.
    """
    ticket = aliased(Ticket)  # the query may be one of tickets
    reserved = _until(ticket).where(ticket.entry_id == entry.id, ticket.state == TicketState.RESERVED)
    return case((entry.held >= entry.capacity, reserved.scalar_subquery()), else_=null())


def _until(ticket: type[Ticket]) -> Select[datetime | None]:
    return select(func.min(Order.expires_at)).join(ticket, ticket.order_id == Order.id)


def unpaid_of_type() -> ColumnElement[datetime | None]:
    """Tell the same in a query of ticket types."""
    ticket = aliased(Ticket)
    same = (ticket.entry_id == TicketType.entry_id, ticket.ticket_type_id == TicketType.id)
    reserved = _until(ticket).where(*same, ticket.state == TicketState.RESERVED)
    return case((TicketType.held >= TicketType.capacity, reserved.scalar_subquery()), else_=null())


def asking_unpaid(entry: type[CalendarEntry] = CalendarEntry) -> tuple[ExecutableOption, ...]:
    """Load events with their types and calendars, and with what their sale depends on."""
    types = selectinload(entry.ticket_types).options(with_expression(TicketType.unpaid_until, unpaid_of_type()))
    return joinedload(entry.calendar), types, with_expression(entry.unpaid_until, unpaid_of_event(entry))


def least(one: int | None, other: int | None) -> int | None:
    """Return the tighter of two limits, each of which may be none."""
    limits = [limit for limit in (one, other) if limit is not None]
    return min(limits) if limits else None


def available(entry: CalendarEntry, ticket_type: TicketType | None) -> int | None:
    """Return the seats left: the fewer of the type's and the entry's (docs/money.md, "What is available")."""
    of_entry = left(entry.capacity, entry.held)
    return of_entry if ticket_type is None else least(of_entry, left(ticket_type.capacity, ticket_type.held))


def sale_window(entry: CalendarEntry, ticket_type: TicketType | None) -> tuple[datetime | None, datetime]:
    """Return when the sale opens (None: it is open) and ends: the type's times, else the entry's, else its end."""
    opens, ends = entry.sale_starts_at, entry.sale_ends_at
    if ticket_type is not None:
        opens, ends = ticket_type.sale_starts_at or opens, ticket_type.sale_ends_at or ends
    return opens, min(ends or entry.end_at, entry.end_at)


def sale_of(entry: CalendarEntry, ticket_type: TicketType | None, now: datetime) -> Sale:
    """Say how tickets of one type (None: of the entry's one price) stand at ``now``.

    Of several reasons the one counts that no waiting would change before the others. Of rows that were read without
    ``asking_unpaid`` what is held counts as sold out.
    """
    opens_at, ends_at = sale_window(entry, ticket_type)
    seats = available(entry, ticket_type)
    reasons = (
        (entry.state != EntryState.CONFIRMED, SaleState.CANCELLED),
        (entry.end_at <= now, SaleState.OVER),
        (price_of(None if ticket_type is None else ticket_type.cost, entry.ticket_price) is None, SaleState.NO_TICKETS),
        (ends_at <= now, SaleState.ENDED),
        (opens_at is not None and now < opens_at, SaleState.NOT_YET),
        (seats != 0, SaleState.OPEN),
        (back_at := _back_at(entry, ticket_type), SaleState.HELD),
    )
    state = next((state for is_so, state in reasons if is_so), SaleState.SOLD_OUT)
    back_at = back_at if state is SaleState.HELD else None
    return Sale(state, seats, opens_at, ends_at, has_begun=entry.start_at <= now, back_at=back_at)


def _back_at(entry: CalendarEntry, ticket_type: TicketType | None) -> datetime | None:
    """Return when seats may come back: every limit that leaves nothing is reached only with unpaid orders by then."""
    limits = (entry,) if ticket_type is None else (entry, ticket_type)
    untils = [each.unpaid_until for each in limits if left(each.capacity, each.held) == 0]
    known = [until for until in untils if until is not None]
    return max(known) if known and len(known) == len(untils) else None


def sale_of_event(entry: CalendarEntry, types: Sequence[TicketType], now: datetime) -> Sale:
    """Say how an event as a whole stands: as the best of its types, or its one price where it has none."""
    if not types:
        return sale_of(entry, None, now)
    sales = [sale_of(entry, each, now) for each in types]
    state = min((sale.state for sale in sales), key=LIKELIEST.index)
    best = [sale for sale in sales if sale.state is state]
    opens = [sale.opens_at for sale in best if sale.opens_at is not None]
    ends = [sale.ends_at for sale in best if sale.ends_at is not None]
    return Sale(
        state,
        left=least(left(entry.capacity, entry.held), _together(best)),
        opens_at=min(opens) if len(opens) == len(best) else None,
        ends_at=max(ends, default=None),
        has_begun=entry.start_at <= now,
        back_at=min((sale.back_at for sale in best if sale.back_at is not None), default=None),
    )


def _together(sales: Sequence[Sale]) -> int | None:
    """Add up what is left of some types; None: one of them has no limit."""
    limits = [sale.left for sale in sales if sale.left is not None]
    return sum(limits) if len(limits) == len(sales) else None


def check_for_sale(entry: CalendarEntry, ticket_type: TicketType | None, now: datetime, *, then: str = "") -> None:
    """Raise NotOnSale, in words, where these tickets are not sold at ``now``, seats or not.

    ``then`` is what the buyer is asked to do about it.
    """
    sale = sale_of(entry, ticket_type, now)
    if not sale.is_for_sale:
        raise NotOnSale(f"{sale_words(LineKind.TICKET, sale, name=entry.name).refusal} {then}".rstrip())
