"""Events and posts as rows of a list: everything a template would have to work out is worked out here."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from shared.contracts.dtos import EntryDTO, PostDTO
from shared.contracts.paths import entry_path, page_path, post_path

FEW_LEFT = 10
"""From this number on, a list says how many seats are left."""


@dataclass(frozen=True, slots=True)
class EventRow:
    """An event in a list."""

    path: str
    name: str
    start_at: datetime
    zone: str
    place: str
    price: Decimal | None
    """The lowest price of a ticket; None: no tickets are sold."""
    has_dearer: bool
    note: str
    note_kind: str


@dataclass(frozen=True, slots=True)
class PostRow:
    """A post in a list."""

    path: str
    title: str
    excerpt: str
    day: str
    published_at: datetime
    page_path: str
    page_title: str


def long_day(moment: datetime, zone: str) -> str:
    """Return the day of ``moment`` in ``zone``, as people write it: 3 May 2026."""
    local = moment.astimezone(ZoneInfo(zone))
    return f"{local.day} {local:%B %Y}"


def event_row(entry: EntryDTO, now: datetime) -> EventRow:
    """Make a row of an event."""
    prices = _prices(entry)
    note, note_kind = _note(entry, now) if prices else ("No ticket needed", "")
    return EventRow(
        path=entry_path(entry.id),
        name=entry.name,
        start_at=entry.start_at,
        zone=entry.time_zone,
        place=entry.place or entry.calendar_name,
        price=_lowest_to_name(prices),
        has_dearer=len(set(prices)) > 1,
        note=note,
        note_kind=note_kind,
    )


def _prices(entry: EntryDTO) -> list[Decimal]:
    """Return what the event's tickets cost: each type's price, or the event's own where it has no types."""
    if entry.ticket_types:
        return [kind.cost for kind in entry.ticket_types if kind.cost is not None]
    return [] if entry.ticket_price is None else [entry.ticket_price]


def _lowest_to_name(prices: list[Decimal]) -> Decimal | None:
    """Return the lowest price above nothing (a free place for a baby is not "from free"), else nothing's own."""
    return min((p for p in prices if p > 0), default=min(prices, default=None))


def _note(entry: EntryDTO, now: datetime) -> tuple[str, str]:
    """Return what a visitor should know before opening the event, and of what kind it is."""
    if entry.available == 0:
        return "Sold out", "bad"
    if entry.sale_starts_at is not None and entry.sale_starts_at > now:
        return f"On sale from {long_day(entry.sale_starts_at, entry.time_zone)}", "info"
    if entry.sale_ends_at is not None and entry.sale_ends_at <= now:
        return "Sale has ended", ""
    if entry.available is not None and entry.available <= FEW_LEFT:
        return f"{entry.available} left", "warning"
    return "", ""


def post_row(post: PostDTO, zone: str) -> PostRow:
    """Make a row of a post."""
    return PostRow(
        path=post_path(post.slug),
        title=post.title,
        excerpt=post.excerpt,
        day=long_day(post.published_at, zone),
        published_at=post.published_at,
        page_path=page_path(post.page_slug) if post.page_slug else "",
        page_title=post.page_title or "",
    )
