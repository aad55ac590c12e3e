"""The words for states, each once: a page chooses the one that fits its place, and writes none of its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from shared.contracts.journal import SecurityEvent
from shared.contracts.sale import Sale, SaleState
from shared.contracts.sold import Was
from shared.contracts.states import (
    DebtReason,
    DebtState,
    EntryState,
    LineKind,
    OrderState,
    PaymentState,
    RefundState,
    Role,
    StockState,
    TicketState,
)
from shared.contracts.times import clock, when

Tag = tuple[str, str]
"""A state in two or three words, and the kind of tag that shows it: "", good, warning, bad or info."""

HAS_BEGUN = "This event has begun."
TAKE_OUT = "Please take it out of your cart."


@dataclass(frozen=True, slots=True)
class SaleWords:
    """How one state of a sale is put, from short to long.

    ``{opens}`` is when the sale opens, ``{back}`` when some may come back, ``{name}`` of what.
    """

    note: str = ""
    """Two or three words, as a tag in a list or beside a heading."""
    look: str = ""
    """The kind of that tag."""
    text: str = ""
    """A sentence on the page of the thing itself."""
    line: str = ""
    """A sentence at a line of the cart."""
    refusal: str = ""
    """A sentence that names the thing: why it cannot be put into the cart, or checked out."""


_TICKETS = {
    SaleState.OPEN: SaleWords(),
    SaleState.NOT_YET: SaleWords(
        note="On sale from {day}",
        look="info",
        text="Tickets go on sale on {opens}.",
        line="These tickets are not on sale yet: they go on sale on {opens}.",
        refusal="Tickets for {name} are not on sale yet.",
    ),
    SaleState.ENDED: SaleWords(
        note="Sale has ended",
        text="The sale of tickets has ended.",
        line="The sale of these tickets has ended.",
        refusal="The sale of tickets for {name} has ended.",
    ),
    SaleState.OVER: SaleWords(
        note="Over",
        text="This event is over.",
        line="This event is over.",
        refusal="{name} is over, so its tickets are no longer sold.",
    ),
    SaleState.NO_TICKETS: SaleWords(
        note="No ticket needed",
        text="No tickets are sold for this event.",
        line="These tickets are no longer sold.",
        refusal="{name} has no tickets to buy: they are no longer sold.",
    ),
    SaleState.CANCELLED: SaleWords(
        note="Cancelled",
        look="bad",
        text="This event has been taken off the programme.",
        line="This event has been taken off the programme.",
        refusal="{name} is no longer on the programme.",
    ),
    SaleState.SOLD_OUT: SaleWords(
        note="Sold out",
        look="bad",
        text="All tickets are taken.",
        line="Sold out.",
        refusal="{name} is sold out.",
    ),
    SaleState.HELD: SaleWords(
        note="All held",
        look="warning",
        text="All tickets are taken. Some are held by others who have not paid yet, and may come back {back}.",
        line="All are held by others just now. Some are not paid yet, and may come back {back}.",
        refusal="All tickets for {name} are held by others just now. Some are not paid yet, and may come back {back}.",
    ),
}
_BOOKINGS = {
    SaleState.OPEN: SaleWords(),
    SaleState.OVER: SaleWords(
        note="Over",
        text="This time has passed.",
        line="This time has passed.",
        refusal="{name}: This time has passed.",
    ),
    SaleState.ENDED: SaleWords(
        note="Not offered",
        text="This time can no longer be booked.",
        line="This time can no longer be booked.",
        refusal="{name}: This time can no longer be booked.",
    ),
    SaleState.SOLD_OUT: SaleWords(
        note="Taken",
        text="This time has been taken.",
        line="This time has been taken.",
        refusal="{name}: This time has been taken.",
    ),
    SaleState.HELD: SaleWords(
        note="Held",
        look="warning",
        text="This time has been taken. It is not paid yet, so it may come back.",
        line="This time has been taken. It is not paid yet, so it may come back.",
        refusal="{name}: This time has been taken. It is not paid yet, so it may come back.",
    ),
}
_PRODUCTS = {
    SaleState.OPEN: SaleWords(),
    SaleState.CANCELLED: SaleWords(
        note="Not sold any more",
        text="This is no longer sold.",
        line="This is no longer sold.",
        refusal="{name} is no longer sold.",
    ),
    SaleState.SOLD_OUT: SaleWords(
        note="Sold out",
        look="bad",
        text="There is none left just now.",
        line="Sold out.",
        refusal="{name} is sold out.",
    ),
    SaleState.HELD: SaleWords(
        note="All held",
        look="warning",
        text="There is none left just now. Some are in orders that are not paid yet, and may come back.",
        line="All are held just now. Some orders are not paid yet, so it may come back.",
        refusal="All of {name} are held just now. Some orders are not paid yet, so it may come back.",
    ),
}
SALE_WORDS: Mapping[str, Mapping[SaleState, SaleWords]] = {
    LineKind.TICKET: _TICKETS,
    LineKind.BOOKING: _BOOKINGS,
    LineKind.PRODUCT: _PRODUCTS,
}
"""Every state that a thing of a kind can be in, in words; any other kind has those of products."""


ORDER_TAGS: Mapping[OrderState, Tag] = {
    OrderState.PENDING: ("Waiting for payment", "warning"),
    OrderState.PAID: ("Paid", "good"),
    OrderState.PARTIALLY_REFUNDED: ("Partly refunded", "info"),
    OrderState.REFUNDED: ("Refunded", "info"),
    OrderState.FAILED: ("Not paid", ""),
    OrderState.EXPIRED: ("Not paid in time", ""),
    OrderState.CANCELLED: ("Put back into the cart", ""),
}
STAFF_ORDER_TAGS: Mapping[OrderState, Tag] = {**ORDER_TAGS, OrderState.CANCELLED: ("Given up", "")}
"""The same for admins, who have no cart that it could be back in."""
FREE_ORDER: Tag = ("Confirmed", "good")
"""What a paid order is called that cost nothing."""
RELEASED: Tag = ("Released", "")
"""What a line is called of which the order has nothing any more."""

PAYMENT_TAGS: Mapping[PaymentState, Tag] = {
    PaymentState.CREATED: ("Begun", ""),
    PaymentState.OPEN: ("Waiting for the buyer", "warning"),
    PaymentState.CLOSING: ("Being closed", "warning"),
    PaymentState.EXPIRED: ("Not paid in time", ""),
    PaymentState.CANCELLED: ("Cancelled", ""),
    PaymentState.PAID: ("Paid", "good"),
    PaymentState.REVIEW: ("To be looked at", "bad"),
    PaymentState.UNKNOWN: ("Not known yet", "warning"),
}
DEBT_TAGS: Mapping[DebtState, Tag] = {DebtState.OWED: ("Owed", "warning"), DebtState.SETTLED: ("Settled", "good")}


@dataclass(frozen=True, slots=True)
class ReasonWords:
    """Why money is owed back: for its buyer, in a list for admins, and as a sentence in the refund queue."""

    buyer: str
    staff: str
    queue: str


DEBT_REASONS: Mapping[DebtReason, ReasonWords] = {
    DebtReason.SOLD_OUT: ReasonWords(
        "sold out: your payment came after the seats had gone to others",
        "sold out before the payment arrived",
        "Sold out: the payment came after the seats had gone to others",
    ),
    DebtReason.PAID_TWICE: ReasonWords(
        "paid twice", "paid twice", "Paid twice: this order was paid again, or the same things in another one"
    ),
    DebtReason.ORDER_CLOSED: ReasonWords(
        "your payment came after the order was closed",
        "paid after the order was closed",
        "Paid after the order was closed",
    ),
    DebtReason.CANCELLED_BY_ORGANISER: ReasonWords(
        "cancelled by the organiser", "cancelled by the organiser", "Cancelled by the organiser"
    ),
    DebtReason.DECLINED: ReasonWords(
        "the booking was declined", "the booking was declined", "The booking was declined"
    ),
    DebtReason.GOODWILL: ReasonWords("refunded by us", "goodwill", "Refunded by an admin"),
    DebtReason.OVERPAID: ReasonWords(
        "more was paid than the order cost",
        "more was paid than was asked for",
        "Overpaid: more arrived than the order cost",
    ),
    DebtReason.MISMATCH: ReasonWords(
        "another amount was paid than the order cost",
        "the payment was not what was asked for",
        "Another amount arrived than we had asked for",
    ),
}


@dataclass(frozen=True, slots=True)
class RefundWords:
    """A refund: its tag, what the queue says of a debt's last one, and the notice after the button was pressed."""

    tag: Tag
    last: str
    pressed: tuple[str, str]
    """The notice's kind, and its words."""


REFUND_WORDS: Mapping[RefundState, RefundWords] = {
    RefundState.REQUESTED: RefundWords(
        ("Begun", "warning"),
        "A refund is under way.",
        ("info", "The refund is under way. Its result appears here."),
    ),
    RefundState.SENT: RefundWords(
        ("Sent, not confirmed yet", "warning"),
        "A refund was sent; the provider has not confirmed it yet.",
        ("info", "The refund was sent. The provider's confirmation appears here."),
    ),
    RefundState.SUCCEEDED: RefundWords(
        ("Refunded", "good"), "Refunded.", ("good", "The money is on its way back to the buyer.")
    ),
    RefundState.FAILED: RefundWords(
        ("Failed", "bad"),
        "The last refund failed.",
        ("bad", "The refund did not go through. The reason stands below; the money is still owed."),
    ),
    RefundState.UNKNOWN: RefundWords(
        ("Not known yet", "warning"),
        "The provider's answer was lost. We are looking it up; it is not sent again meanwhile.",
        ("warning", "The provider's answer was lost. We are looking it up; nothing is sent twice."),
    ),
    RefundState.EXTERNAL: RefundWords(
        ("Refunded in SumUp's dashboard", "info"),
        "Refunded in the provider's own dashboard.",
        ("good", "This was refunded in the provider's own dashboard already."),
    ),
}

ROLE_MAY: Mapping[Role, str] = {
    Role.ADMIN: "do everything",
    Role.ORDERS: "see orders",
    Role.REFUNDS: "see, cancel and refund orders",
}
"""What somebody with a role may do."""

SECURITY_EVENTS: Mapping[SecurityEvent, str] = {
    SecurityEvent.SIGNED_IN: "Signed in",
    SecurityEvent.LINK_FAILED: "A sign-in link did not work",
    SecurityEvent.SIGNED_OUT: "Signed out",
    SecurityEvent.SIGNED_OUT_EVERYWHERE: "Signed out on all devices",
    SecurityEvent.ROLE_GIVEN: "Was given a role",
    SecurityEvent.ROLE_TAKEN: "Lost a role",
    SecurityEvent.LOCKED: "Account locked",
    SecurityEvent.UNLOCKED: "Account unlocked",
    SecurityEvent.ORDER_OPENED: "Opened somebody's order",
    SecurityEvent.ORDERS_EXPORTED: "Saved orders as a file",
    SecurityEvent.PAYEE_CHANGED: "Changed whom a page is paid to",
    SecurityEvent.PAGE_CHANGED: "Changed the settings of a page",
}

_UNPAID: Tag = ("Held until it is paid", "warning")
_NOT_GIVEN: Tag = ("Sold out: could not be given", "bad")
TICKET_TAGS: Mapping[str, Tag] = {
    TicketState.PENDING: ("In the cart", ""),
    TicketState.RESERVED: _UNPAID,
    TicketState.CONFIRMED: ("Confirmed", "good"),
    TicketState.CHECKED_IN: ("Checked in", "info"),
    TicketState.OVERSOLD: _NOT_GIVEN,
    TicketState.REFUNDED: ("Refunded", "info"),
    TicketState.CANCELLED: ("Cancelled", ""),
}
BOOKING_TAGS: Mapping[str, Tag] = {
    EntryState.DRAFT: ("Not public", ""),
    EntryState.PENDING: ("In the cart", ""),
    EntryState.ORDERED: _UNPAID,
    EntryState.PROVISIONAL: ("Waits for approval", "warning"),
    EntryState.CONFIRMED: ("Confirmed", "good"),
    EntryState.DECLINED: ("Declined", "bad"),
    EntryState.CANCELLED: ("Cancelled", ""),
}
PRODUCT_TAGS: Mapping[str, Tag] = {
    StockState.RESERVED: _UNPAID,
    StockState.SOLD: ("Sold", "good"),
    StockState.RELEASED: ("Back in the shop", ""),
    StockState.OVERSOLD: _NOT_GIVEN,
    StockState.REFUNDED: ("Refunded", "info"),
    StockState.CANCELLED: ("Cancelled", ""),
}
_OWN_UNPAID: Tag = ("Awaiting payment", "warning")
_OWN_NOT_GIVEN: Tag = ("Sold out, money owed to you", "bad")
_OWN_REFUNDED: Tag = ("Refunded", "")
OWN_TAGS: Mapping[str, Mapping[str, Tag]] = {
    LineKind.TICKET: {
        **TICKET_TAGS,
        TicketState.RESERVED: _OWN_UNPAID,
        TicketState.OVERSOLD: _OWN_NOT_GIVEN,
        TicketState.REFUNDED: _OWN_REFUNDED,
    },
    LineKind.BOOKING: {
        **BOOKING_TAGS,
        EntryState.ORDERED: _OWN_UNPAID,
        EntryState.PROVISIONAL: ("Waits for the organiser\u2019s answer", "info"),
    },
    LineKind.PRODUCT: {
        **PRODUCT_TAGS,
        StockState.RESERVED: _OWN_UNPAID,
        StockState.SOLD: ("Yours", "good"),
        StockState.OVERSOLD: _OWN_NOT_GIVEN,
        StockState.REFUNDED: _OWN_REFUNDED,
    },
}
"""What somebody has, by its kind and state, as its owner reads it."""
PAST_TICKET: Mapping[str, str] = {
    **{state: words for state, (words, _) in OWN_TAGS[LineKind.TICKET].items()},
    TicketState.CONFIRMED: "Not used",
}
"""What became of a ticket whose event is over."""


def sale_words(kind: str, sale: Sale, zone: str = "UTC", *, name: str = "") -> SaleWords:
    """Return the words for a sale, its times written as the clock at ``zone`` shows them."""
    words = SALE_WORDS.get(kind, _PRODUCTS)[sale.state]
    opens = "" if sale.opens_at is None else when(sale.opens_at, zone)
    # The clock's time is enough: an unpaid order holds nothing for longer than half an hour.
    back = "soon" if sale.back_at is None else f"at {clock(sale.back_at, zone)}"
    said = {"opens": opens, "day": opens.partition(",")[0], "name": name, "back": back}
    return SaleWords(
        note=words.note.format(**said),
        look=words.look,
        text=words.text.format(**said),
        line=words.line.format(**said),
        refusal=words.refusal.format(**said),
    )


def begun_text(names: Sequence[str]) -> str:
    """Say of some events that they have begun; nothing of none."""
    if not names:
        return ""
    return f"{', '.join(names)}: {HAS_BEGUN if len(names) == 1 else 'These events have begun.'}"


def was_text(was: Was | None) -> str:
    """Say what has changed since something was ordered: ``was Fri 4 Dec 2026, 19:30``; nothing where nothing has."""
    if was is None:
        return ""
    before = ", ".join(filter(None, (was.time, was.place)))
    return "; ".join(filter(None, (f"was {before}" if before else "", _called(was))))


def now_text(was: Was | None) -> str:
    """Say the same beside what was ordered: ``now Sat 5 Dec 2026, 20:00``."""
    if was is None:
        return ""
    today = ", ".join(filter(None, (was.time_now, was.place_now)))
    return "; ".join(filter(None, (f"now {today}" if today else "", _called(was))))


def _called(was: Was) -> str:
    """Say what something is called today, where it has another name."""
    return f"now called {was.called_now}" if was.called_now else ""


def few_left(sale: Sale, few: int) -> str:
    """Say how many are left, where these are no more than ``few``."""
    return f"{sale.left} left" if sale.is_open and sale.left is not None and sale.left <= few else ""


def short_line(kind: str, sale: Sale, zone: str = "UTC") -> str:
    """Say at a line of the cart why it cannot be had as it is: at all, or in that number."""
    return f"Only {sale.left} left." if sale.is_open else sale_words(kind, sale, zone).line
