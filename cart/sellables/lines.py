"""What a cart is made of, as its pages show it: lines with what is known against them.

What a line says before checkout is advice; checkout itself decides, under lock.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

from shared.contracts.dtos import ZERO, CartItemDTO, EntryDTO, PageDTO, TicketDTO
from shared.contracts.lines import LineKey, booking_key, product_key, ticket_key
from shared.contracts.paths import calendar_path, entry_path, product_path
from shared.contracts.sale import Sale, SaleState
from shared.contracts.states import LineKind
from shared.labels import HAS_BEGUN, short_line


@dataclass(frozen=True, slots=True)
class CartLine:
    """Equal things in the cart. ``problem`` says in words why they cannot be had now, ``left`` how many can."""

    key: LineKey
    title: str
    detail: str
    quantity: int
    unit_price: Decimal
    vat_rate: Decimal
    page_post_id: int | None
    """The page that sells it."""
    app: str = ""
    path: str = ""
    """Where the thing itself is shown: the app, and the address there; empty: nowhere."""
    endpoint: str = "cart.change_line"
    """Where its form goes, which says how many of it the cart is to hold, and ..."""
    fields: tuple[tuple[str, str], ...] = ()
    """... what the form says besides, to name the line."""
    ask: str = ""
    """The question how many it is to be; empty: there is one of it, which can only be taken out."""
    noun: str = ""
    """What it is, where its detail does not say so."""
    unit: str = ""
    start_at: datetime | None = None
    end_at: datetime | None = None
    time_zone: str = ""
    place: str = ""
    price_before: Decimal | None = None
    """What one cost when it was put in, where that was something else."""
    problem: str | None = None
    left: int | None = None
    notice: str = ""
    """What is to be known before it is bought, though it can be had."""
    is_request: bool = False
    """Whether it may be declined once it is paid."""

    @property
    def total(self) -> Decimal:
        """What the line costs."""
        return self.unit_price * self.quantity

    @property
    def name(self) -> str:
        """What buttons call it: ``Adult, The Tempest``."""
        return ", ".join(filter(None, (self.detail or self.noun, self.title)))


def _changed(before: Decimal | None, now: Decimal) -> Decimal | None:
    """Return what a thing cost before, where it has another price now."""
    return None if before is None or before == now else before


# --- tickets ---


def ticket_lines(tickets: Sequence[TicketDTO], entries: Mapping[int, EntryDTO]) -> list[CartLine]:
    """Gather tickets by entry and type, in the order in which they come.

    Types of one entry share its seats, and what one order may have of it: each line is judged by what the lines before
    it leave.
    """
    kinds: dict[tuple[int, int | None], list[TicketDTO]] = {}
    for ticket in tickets:
        kinds.setdefault((ticket.entry_id, ticket.ticket_type_id), []).append(ticket)
    before: Counter[int] = Counter()
    lines = []
    for (entry_id, _), group in kinds.items():
        line = _judge_tickets(_ticket_line(group), group[0].sale, entries.get(entry_id), before[entry_id])
        before[entry_id] += line.quantity if line.left is None else line.left
        lines.append(line)
    return lines


def _ticket_line(group: Sequence[TicketDTO]) -> CartLine:
    """Make a line of tickets of one kind."""
    first = group[0]
    price = first.cost or ZERO
    kind = first.ticket_type_name
    of_type = () if first.ticket_type_id is None else (("ticket_type_id", str(first.ticket_type_id)),)
    return CartLine(
        key=ticket_key(first.entry_id, first.ticket_type_id),
        title=first.entry_name,
        detail=first.ticket_type_name or "",
        quantity=len(group),
        unit_price=price,
        vat_rate=first.vat_rate,
        page_post_id=first.calendar_container_id,
        app="events",
        path=entry_path(first.entry_id),
        endpoint="cart.change_tickets",
        fields=(("entry_id", str(first.entry_id)), *of_type),
        ask=f"How many {f'{kind} tickets' if kind else 'tickets'} for {first.entry_name}",
        noun="Ticket",
        start_at=first.entry_start_at,
        end_at=first.entry_end_at,
        time_zone=first.time_zone,
        place=first.place,
        notice=HAS_BEGUN if first.sale.is_open and first.sale.has_begun else "",
        price_before=next((t.cost_seen for t in group if _changed(t.cost_seen, price) is not None), None),
    )


def _judge_tickets(line: CartLine, sale: Sale, entry: EntryDTO | None, before: int) -> CartLine:
    """Say why so many tickets of this kind cannot be had now, and how many can; the lines before have ``before``."""
    if entry is None or not sale.is_open:
        return replace(line, problem=short_line(LineKind.TICKET, sale, line.time_zone), left=0)
    seats = None if entry.available is None else max(0, entry.available - before)
    limits = [limit for limit in (seats, sale.left) if limit is not None]
    allowed = max(0, entry.max_per_order - before)
    left = min([*limits, allowed])
    if line.quantity <= left:
        return line
    words = _short(LineKind.TICKET, left)
    if left == allowed:
        words = f"At most {entry.max_per_order} tickets of this event at once."
    return replace(line, problem=words, left=left)


def _short(kind: LineKind, left: int) -> str:
    """Say that only so many can be had, of what the lines before, or others, leave."""
    return short_line(kind, Sale(SaleState.OPEN if left else SaleState.SOLD_OUT, left))


# --- bookings and products ---


def booking_lines(entries: Iterable[EntryDTO]) -> list[CartLine]:
    """Make a line of each booking."""
    return [_booking_line(entry) for entry in entries]


def _booking_line(entry: EntryDTO) -> CartLine:
    """Make a line of a booking."""
    price = entry.cost or ZERO
    return CartLine(
        key=booking_key(entry.id),
        title=entry.name,
        detail=entry.calendar_name,
        quantity=1,
        unit_price=price,
        vat_rate=entry.vat_rate,
        page_post_id=entry.calendar_container_id,
        app="events",
        path=calendar_path(entry.calendar_slug),
        endpoint="cart.remove_booking",
        fields=(("entry_id", str(entry.id)),),
        start_at=entry.start_at,
        end_at=entry.end_at,
        time_zone=entry.time_zone,
        place=entry.place,
        price_before=_changed(entry.cost_seen, price),
        problem=None if entry.sale.is_open else short_line(LineKind.BOOKING, entry.sale, entry.time_zone),
        left=None if entry.sale.is_open else 0,
        is_request=entry.needs_approval,
    )


def product_lines(items: Iterable[CartItemDTO], pages: Mapping[int, PageDTO]) -> list[CartLine]:
    """Make a line of each product."""
    return [_product_line(item, pages.get(item.container_id)) for item in items]


def _product_line(item: CartItemDTO, page: PageDTO | None) -> CartLine:
    """Make a line of a product."""
    problem, left = _judge_product(item)
    name = f"{item.detail}, {item.title}" if item.detail else item.title
    return CartLine(
        key=product_key(item.variant_id),
        title=item.title,
        detail=item.detail,
        unit=item.unit,
        quantity=item.quantity,
        unit_price=item.unit_price,
        vat_rate=item.vat_rate,
        page_post_id=item.container_id,
        app="market",
        path="" if page is None else product_path(page.slug, item.product_slug),
        endpoint="cart.change_products",
        fields=(("variant_id", str(item.variant_id)),),
        ask=f"How many of {name}",
        price_before=_changed(item.price_seen, item.unit_price),
        problem=problem,
        left=left,
    )


def _judge_product(item: CartItemDTO) -> tuple[str | None, int | None]:
    """Say why so many of a product cannot be had now, and how many can."""
    left = item.available if item.sale.is_for_sale else 0
    if left is None or item.quantity <= left:
        return None, None
    return short_line(LineKind.PRODUCT, item.sale), left
