"""What the demo's pages are written down as. Days are relative: a demo is as fresh on any day as on its first."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

MONDAY, TUESDAY, WEDNESDAY, THURSDAY, FRIDAY, SATURDAY, SUNDAY = range(7)
ZONE = "Europe/London"
LAST_WEEK_BUT_ONE = -2


@dataclass(frozen=True, slots=True)
class When:
    """A day and time of a week: ``week`` 0 is the seven days from tomorrow on, -2 is surely over."""

    week: int
    weekday: int
    time: str
    minutes: int = 120

    def starts(self, today: date) -> datetime:
        """Return the start, in UTC: the time that the clock on the wall shows, summer or winter."""
        # Counted from tomorrow on: an event of the demo must not be over on the day on which it is loaded.
        ahead = (self.weekday - today.weekday() - 1) % 7 + 1 + 7 * self.week
        # Combined in the zone and then taken to UTC: half past seven stays half past seven when the clocks change.
        wall = datetime.combine(today + timedelta(days=ahead), time.fromisoformat(self.time), ZoneInfo(ZONE))
        return wall.astimezone(UTC)

    def ends(self, today: date) -> datetime:
        """Return the end, in UTC."""
        return self.starts(today) + timedelta(minutes=self.minutes)


@dataclass(frozen=True, slots=True)
class DemoType:
    """A ticket type; ``cost`` None: the event's own price."""

    name: str
    cost: str | None
    description: str = ""
    capacity: int | None = None


@dataclass(frozen=True, slots=True)
class DemoEvent:
    """An event; ``sold`` tickets of it are sold, ``sale_in_days`` from today its sale begins."""

    name: str
    when: When
    description: str
    price: str | None = None
    types: tuple[DemoType, ...] = ()
    capacity: int | None = None
    max_per_order: int | None = None
    sold: int = 0
    sale_in_days: int | None = None


@dataclass(frozen=True, slots=True)
class DemoVariant:
    """A size or a colour of a product."""

    price: str
    size: str = ""
    colour: str = ""
    stock: int | None = None


@dataclass(frozen=True, slots=True)
class DemoProduct:
    """A product: of one kind, with its price and stock, or of several ``variants``."""

    slug: str
    title: str
    price: str
    unit: str
    description: str
    vat_rate: str = "0"
    stock: int | None = None
    variants: tuple[DemoVariant, ...] = ()

    @property
    def kinds(self) -> tuple[DemoVariant, ...]:
        """What is sold of it."""
        return self.variants or (DemoVariant(self.price, stock=self.stock),)


@dataclass(frozen=True, slots=True)
class DemoRule:
    """What can be booked of a calendar; days of the week as above (0: Monday)."""

    name: str
    weekdays: tuple[int, ...]
    from_time: str
    to_time: str
    minutes: int
    price: str
    places: int = 1
    vat_rate: str = "0"


@dataclass(frozen=True, slots=True)
class DemoCalendar:
    """A calendar that has slots to book and no events, besides the page's own."""

    slug: str
    name: str
    place: str
    description: str
    rules: tuple[DemoRule, ...]
    whole_room: bool = False
    needs_approval: bool = False
    notice_hours: int = 0
    closed_in_days: tuple[int, int] | None = None
    """From which to which day from today it is closed."""


@dataclass(frozen=True, slots=True)
class DemoPost:
    """A post, published at nine in the morning some days ago."""

    slug: str
    title: str
    excerpt: str
    body: str
    days_ago: int


@dataclass(frozen=True, slots=True)
class DemoPage:
    """A page with its calendar, shop and posts."""

    slug: str
    title: str
    excerpt: str
    body: str
    seller_name: str
    seller_address: str
    seller_email: str
    seller_phone: str
    calendar_name: str
    calendar_place: str
    calendar_description: str
    events: tuple[DemoEvent, ...]
    terms: str
    refund_policy: str
    collection_place: str = ""
    collection_times: str = ""
    account: str = ""
    """The sandbox's account that is paid; empty: the installation's own."""
    whole_room: bool = False
    rules: tuple[DemoRule, ...] = ()
    calendars: tuple[DemoCalendar, ...] = ()
    products: tuple[DemoProduct, ...] = ()
    posts: tuple[DemoPost, ...] = ()


def published(today: date, days_ago: int) -> datetime:
    """Return nine in the morning of that day, in UTC."""
    wall = datetime.combine(today - timedelta(days=days_ago), time(9), ZoneInfo(ZONE))
    return wall.astimezone(UTC)


def curly(text: str) -> str:
    """Return plain text with printers' apostrophes, as Markdown texts get them when they are saved."""
    return text.replace("'", "\N{RIGHT SINGLE QUOTATION MARK}")


def amount(text: str) -> Decimal:
    """Return a price as money."""
    return Decimal(text)
