"""What the domains hand to each other: frozen data, no behaviour beyond what follows from it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

from .access import Grant
from .owner import CartOwner
from .states import EntryKind, EntryState, LineKind, NoticeReason, OrderState, PaymentState, StockState, TicketState

ZERO = Decimal("0.00")


@dataclass(frozen=True, slots=True)
class UserDTO:
    """A person with an account."""

    id: int
    email: str
    name: str
    roles: frozenset[str] = frozenset()
    """The roles that hold everywhere."""
    grants: frozenset[Grant] = frozenset()
    """All roles, each with the page on which it holds."""


@dataclass(frozen=True, slots=True)
class PageDTO:
    """A page of the site: it may have a calendar, a market and a SumUp account."""

    id: int
    slug: str
    title: str
    excerpt: str = ""
    body: str = ""
    """HTML that the blog domain made of the page's Markdown: safe to show."""
    has_calendar: bool = False
    has_market: bool = False
    seller_name: str = ""
    seller_address: str = ""
    seller_email: str = ""
    seller_phone: str = ""
    terms: str = ""
    refund_policy: str = ""
    collection_place: str = ""
    collection_times: str = ""
    """Where and when products are collected, in the page's own words."""
    refund_automatically: bool = False
    """Whether money that is owed to a buyer of this page goes back by itself."""


@dataclass(frozen=True, slots=True)
class PostDTO:
    """A published post, and the page that it belongs to, if any."""

    id: int
    slug: str
    title: str
    excerpt: str
    body: str
    """HTML, as in ``PageDTO``."""
    published_at: datetime
    page_slug: str | None = None
    page_title: str | None = None


@dataclass(frozen=True, slots=True)
class CalendarDTO:
    """A calendar of a container (a page, whose id is ``container_id``)."""

    id: int
    slug: str
    name: str
    container_type: str
    container_id: int
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


@dataclass(frozen=True, slots=True)
class TicketTypeDTO:
    """A kind of ticket of an entry. ``cost`` is what one costs (already fallen back to the entry's price)."""

    id: int | None
    name: str
    description: str
    cost: Decimal | None
    available: int | None
    """Seats left for this type, the entry's own limit included; ``None``: no limit."""
    on_sale: bool = True


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
    ticket_price: Decimal | None
    cost: Decimal | None
    capacity: int | None
    available: int | None
    sale_starts_at: datetime | None
    sale_ends_at: datetime | None
    max_per_order: int
    ticket_types: tuple[TicketTypeDTO, ...] = ()
    order_id: int | None = None
    vat_rate: Decimal = ZERO
    cost_seen: Decimal | None = None
    """What a booking in a cart cost when it was put in; ``cost`` is what it costs now."""
    refusal: str = ""
    """Why a booking in a cart cannot be had now, in words; empty: nothing is known against it."""
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
    """One ticket. ``cost`` is its type's price, or the entry's where the type has none."""

    id: int
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
    replaces_id: int | None = None
    """The ticket in whose place a late payment took this one: it is the one that the order's line names."""


@dataclass(frozen=True, slots=True)
class CartItemDTO:
    """A product line of the cart. ``unit_price`` is what one costs now, ``price_seen`` what it cost when put in."""

    id: int
    product_id: int
    product_slug: str
    variant_id: int
    title: str
    detail: str
    """Which variant, in words; empty for a product of one kind."""
    unit: str
    quantity: int
    unit_price: Decimal
    price_seen: Decimal
    container_id: int
    available: int | None
    """How many can be had now; None: no limit."""
    on_show: bool
    vat_rate: Decimal = ZERO

    @property
    def total(self) -> Decimal:
        """What the line costs."""
        return self.unit_price * self.quantity


@dataclass(frozen=True, slots=True)
class VariantDTO:
    """What is sold of a product. ``label`` says which kind it is; empty: the product has only this one."""

    id: int
    product_id: int
    product_slug: str
    title: str
    label: str
    unit: str
    price: Decimal
    vat_rate: Decimal
    available: int | None
    """How many are left; None: no limit."""
    on_show: bool
    container_id: int


@dataclass(frozen=True, slots=True)
class ProductDTO:
    """A product of a page's market, with the variants of it that are on show (at least one)."""

    id: int
    slug: str
    title: str
    description: str
    unit: str
    container_id: int
    vat_rate: Decimal
    variants: tuple[VariantDTO, ...]

    @property
    def price(self) -> Decimal:
        """The lowest price of a variant that is left, else of any."""
        return min(self._prices)

    @property
    def has_dearer(self) -> bool:
        """Whether some variant of those costs more than ``price``."""
        return max(self._prices) > self.price

    @property
    def _prices(self) -> list[Decimal]:
        """The prices of the variants that are left, else of all."""
        left = [variant.price for variant in self.variants if variant.available != 0]
        return left or [variant.price for variant in self.variants]

    @property
    def is_sold_out(self) -> bool:
        """Whether nothing of it is left."""
        return all(variant.available == 0 for variant in self.variants)


@dataclass(frozen=True, slots=True)
class AllocationDTO:
    """So many of one variant for one order."""

    order_id: int
    variant_id: int
    title: str
    detail: str
    quantity: int
    state: StockState


@dataclass(frozen=True, slots=True)
class CartNoticeDTO:
    """What left a cart by itself, and why."""

    id: int
    title: str
    quantity: int
    reason: NoticeReason


@dataclass(frozen=True, slots=True)
class StaleLine:
    """What was taken out of somebody's cart because its time was over, or it had waited too long."""

    owner: CartOwner
    title: str
    quantity: int
    reason: NoticeReason


@dataclass(frozen=True, slots=True)
class CartSummaryDTO:
    """How much is in a cart, for the badge: three kinds, each with its count and total, and an unpaid order."""

    count: int = 0
    total: Decimal = ZERO
    calendar_count: int = 0
    calendar_total: Decimal = ZERO
    ticket_count: int = 0
    ticket_total: Decimal = ZERO
    open_orders: int = 0
    """Orders that wait for their payment; their lines are in no count above."""

    @property
    def badge_count(self) -> int:
        """The number that the badge shows."""
        return self.count + self.calendar_count + self.ticket_count

    @property
    def grand_total(self) -> Decimal:
        """What everything in the cart costs."""
        return self.total + self.calendar_total + self.ticket_total


@dataclass(frozen=True, slots=True)
class OrderLineDTO:
    """One immutable line of an order, as it was at checkout."""

    id: int
    kind: LineKind
    title: str
    detail: str
    quantity: int
    unit_price: Decimal
    total: Decimal
    vat_rate: Decimal
    ticket_id: int | None = None
    entry_id: int | None = None
    ticket_type_id: int | None = None
    variant_id: int | None = None
    page_post_id: int | None = None


@dataclass(frozen=True, slots=True)
class SellerDTO:
    """Who sells some lines of a cart or an order, on which terms, and where their products are collected."""

    page_post_id: int
    page_title: str
    name: str
    address: str
    email: str
    phone: str
    terms: str
    refund_policy: str
    collection_place: str
    collection_times: str

    @property
    def can_be_asked(self) -> bool:
        """Whether a buyer can write to them, or ring them."""
        return bool(self.email or self.phone)


@dataclass(frozen=True, slots=True)
class PaymentDTO:
    """One attempt to pay an order."""

    id: int
    order_id: int
    state: PaymentState
    amount: Decimal
    currency: str
    merchant_code: str
    checkout_reference: str
    checkout_id: str | None
    hosted_url: str | None
    valid_until: datetime
    transaction_id: str | None = None
    transaction_code: str | None = None


@dataclass(frozen=True, slots=True)
class OrderDTO:
    """An order with its lines. ``number`` is what people are shown."""

    id: int
    number: str
    state: OrderState
    total: Decimal
    currency: str
    created_at: datetime
    expires_at: datetime
    paid_at: datetime | None
    user_id: int | None
    page_post_id: int | None
    merchant_code: str
    lines: tuple[OrderLineDTO, ...] = ()
    guest_email: str | None = None


# --- Payment gateway (docs/sumup.md § 10): the provider's words stop here ---


class CheckoutStatus(StrEnum):
    """What the provider says of a checkout; an unknown word counts as pending (docs/sumup.md § 4)."""

    PENDING = "pending"
    FAILED = "failed"
    PAID = "paid"
    EXPIRED = "expired"


class CancelOutcome(StrEnum):
    """What became of the attempt to deactivate a checkout."""

    CANCELLED = "cancelled"
    ALREADY_PAID = "already_paid"
    ALREADY_CLOSED = "already_closed"


@dataclass(frozen=True, slots=True)
class CheckoutRequest:
    """What the gateway needs to open a checkout. ``reference`` is one per attempt, never used twice."""

    reference: str
    amount: Decimal
    currency: str
    merchant_code: str
    description: str
    return_url: str
    """Where the provider sends its server-to-server notice (SumUp's misleading name)."""
    redirect_url: str
    """Where the buyer's browser goes afterwards."""
    valid_until: datetime


@dataclass(frozen=True, slots=True)
class Checkout:
    """A checkout as the provider shows it."""

    id: str
    reference: str
    status: CheckoutStatus
    amount: Decimal
    currency: str
    merchant_code: str
    hosted_url: str | None = None
    transaction_id: str | None = None
    transaction_code: str | None = None
    valid_until: datetime | None = None
    raw: dict[str, Any] = field(default_factory=dict, compare=False, hash=False)


class MovementStatus(StrEnum):
    """How far a refund at the provider has come."""

    DONE = "done"
    UNDER_WAY = "under_way"
    VOID = "void"


@dataclass(frozen=True, slots=True)
class Movement:
    """One refund, or one chargeback, as the provider's transaction shows it."""

    id: str
    amount: Decimal
    status: MovementStatus


@dataclass(frozen=True, slots=True)
class Transaction:
    """A captured payment, and what was given back of it."""

    id: str
    code: str
    amount: Decimal
    currency: str
    captured: bool
    refunds: tuple[Movement, ...] = ()
    chargebacks: tuple[Movement, ...] = ()
    """What the buyer's bank took back, without asking us."""
    reference: str = ""
    """The reference of the checkout that it paid; empty where there was none, or the provider does not say."""

    @property
    def refunded(self) -> Decimal:
        """What was given back or is on its way back."""
        return sum((r.amount for r in self.refunds if r.status is not MovementStatus.VOID), ZERO)

    @property
    def given_back(self) -> Decimal:
        """What was given back for certain."""
        return sum((r.amount for r in self.refunds if r.status is MovementStatus.DONE), ZERO)

    @property
    def charged_back(self) -> Decimal:
        """What the buyer's bank took back, or is about to."""
        return sum((c.amount for c in self.chargebacks if c.status is not MovementStatus.VOID), ZERO)

    @property
    def left(self) -> Decimal:
        """What can still be given back."""
        return self.amount - self.refunded - self.charged_back


@dataclass(frozen=True, slots=True)
class HistoryItem:
    """One entry of the provider's own record of an account. ``transaction`` shows more, refunds and chargebacks too."""

    transaction_id: str
    code: str
    amount: Decimal
    currency: str
    captured: bool
    at: datetime | None = None
    online: bool = True
    """Whether it was paid over the internet: what was taken at a card reader or in cash is no payment of an order."""


@dataclass(frozen=True, slots=True)
class HistoryPage:
    """A part of the provider's record; ``following`` asks for the next part, None: this was the last."""

    items: tuple[HistoryItem, ...]
    following: str | None = None


class RefundOutcome(StrEnum):
    """What the provider said to a refund. ``UNKNOWN``: look the transaction up, never repeat blindly."""

    ACCEPTED = "accepted"
    REJECTED = "rejected"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class RefundAnswer:
    """A refund's outcome and, when it was refused, the provider's code and words for an admin."""

    outcome: RefundOutcome
    code: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Account:
    """The merchant account behind a key."""

    merchant_code: str
    name: str
    currency: str
    sandbox: bool
