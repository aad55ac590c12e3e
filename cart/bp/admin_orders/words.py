"""States and events in words that a person understands: the one place where they are put."""

from __future__ import annotations

from cart.bp.admin_orders.services import Trouble
from cart.bp.orders.pages import STATE_WORDS
from shared.contracts.states import (
    DebtReason,
    DebtState,
    OrderState,
    PaymentState,
    RefundState,
)

ORDER_STATES: dict[OrderState, tuple[str, str]] = STATE_WORDS | {OrderState.CANCELLED: ("Given up", "")}
"""Each state of an order, and the kind of tag that it gets."""

TROUBLES: dict[Trouble, tuple[str, str]] = {
    Trouble.OWED: ("Money owed", "warning"),
    Trouble.REVIEW: ("Payment to be looked at", "bad"),
    Trouble.UNCLEAR: ("Payment not known", "warning"),
    Trouble.REFUND_FAILED: ("Refund failed", "bad"),
    Trouble.REFUND_UNKNOWN: ("Refund not known", "warning"),
    Trouble.MAIL: ("Mail not sent", "warning"),
}
"""Why an order needs a person, and the kind of tag that it gets."""

RELEASED = ("Released", "")
"""What a line is called of which the order has nothing any more."""

PAYMENT_STATES: dict[PaymentState, tuple[str, str]] = {
    PaymentState.CREATED: ("Begun", ""),
    PaymentState.OPEN: ("Waiting for the buyer", "warning"),
    PaymentState.CLOSING: ("Being closed", "warning"),
    PaymentState.EXPIRED: ("Not paid in time", ""),
    PaymentState.CANCELLED: ("Cancelled", ""),
    PaymentState.PAID: ("Paid", "good"),
    PaymentState.REVIEW: ("To be looked at", "bad"),
    PaymentState.UNKNOWN: ("Not known yet", "warning"),
}

DEBT_REASONS: dict[DebtReason, str] = {
    DebtReason.SOLD_OUT: "sold out before the payment arrived",
    DebtReason.PAID_TWICE: "paid twice",
    DebtReason.ORDER_CLOSED: "paid after the order was closed",
    DebtReason.CANCELLED_BY_ORGANISER: "cancelled by the organiser",
    DebtReason.DECLINED: "the booking was declined",
    DebtReason.GOODWILL: "goodwill",
    DebtReason.OVERPAID: "more was paid than was asked for",
    DebtReason.MISMATCH: "the payment was not what was asked for",
}

DEBT_STATES: dict[DebtState, tuple[str, str]] = {
    DebtState.OWED: ("Owed", "warning"),
    DebtState.SETTLED: ("Settled", "good"),
}

REFUND_STATES: dict[RefundState, tuple[str, str]] = {
    RefundState.REQUESTED: ("Begun", "warning"),
    RefundState.SENT: ("Sent, not confirmed yet", "warning"),
    RefundState.SUCCEEDED: ("Refunded", "good"),
    RefundState.FAILED: ("Failed", "bad"),
    RefundState.UNKNOWN: ("Not known yet", "warning"),
    RefundState.EXTERNAL: ("Refunded in SumUp's dashboard", "info"),
}

MAILS: dict[str, str] = {
    "order-paid": "the confirmation",
    "order-oversold": "what is owed",
    "booking-approved": "the approved booking",
    "booking-declined": "the declined booking",
    "lines-cancelled": "what was cancelled",
    "order-refund": "the refund",
}
"""What each kind of mail is about."""

ACTORS: dict[str, str] = {
    "system": "by itself",
    "worker": "by itself",
    "provider": "SumUp",
    "guest": "the buyer, as a guest",
}
"""Who did something, where it was nobody with an account."""

EVENTS: dict[tuple[str, str], str] = {
    ("order", "placed"): "Order placed",
    ("order", "paid"): "Order paid",
    ("order", "partially_refunded"): "Order partly refunded",
    ("order", "refunded"): "Order refunded",
    ("order", "failed"): "Order released: its payment never came about",
    ("order", "expired"): "Order released: not paid in time",
    ("order", "cancelled"): "Order given up",
    ("payment", "created"): "Payment begun",
    ("payment", "open"): "Payment page opened",
    ("payment", "unknown"): "SumUp's answer was lost",
    ("payment", "closing"): "Payment is being closed",
    ("payment", "expired"): "Payment closed",
    ("payment", "cancelled"): "Payment cancelled",
    ("payment", "paid"): "Payment arrived",
    ("payment", "review"): "Payment set aside: it is not what was asked for",
    ("debt", "owed"): "Money owed to the buyer",
    ("debt", "settled"): "Debt settled",
    ("refund", "requested"): "Refund begun",
    ("refund", "sent"): "Refund sent to SumUp",
    ("refund", "succeeded"): "Refund arrived",
    ("refund", "failed"): "Refund failed",
    ("refund", "unknown"): "SumUp's answer to the refund was lost",
    ("refund", "external"): "Refunded in SumUp's dashboard",
    ("ticket", "pending"): "Ticket back in the cart",
    ("ticket", "reserved"): "Ticket held",
    ("ticket", "confirmed"): "Ticket confirmed",
    ("ticket", "checked_in"): "Ticket used at the door",
    ("ticket", "oversold"): "Ticket could not be given",
    ("ticket", "refunded"): "Ticket refunded",
    ("ticket", "cancelled"): "Ticket cancelled",
    ("entry", "pending"): "Booking back in the cart",
    ("entry", "ordered"): "Booking held",
    ("entry", "provisional"): "Booking waits for approval",
    ("entry", "confirmed"): "Booking confirmed",
    ("entry", "declined"): "Booking declined",
    ("entry", "cancelled"): "Booking cancelled",
    ("stock", "reserved"): "Product held",
    ("stock", "sold"): "Product sold",
    ("stock", "released"): "Product back in the shop",
    ("stock", "oversold"): "Product could not be given",
    ("stock", "refunded"): "Product refunded",
    ("stock", "cancelled"): "Product cancelled",
}
"""What the journal tells, by the thing and what happened to it."""


def event_words(thing: str, event: str) -> str:
    """Return an event in words; one that nobody has put into words is still readable."""
    return EVENTS.get((thing, event)) or f"{thing.capitalize()}: {event.replace('_', ' ')}"


def mail_words(kind: str) -> str:
    """Return what a mail is about; a kind that nobody has put into words is still readable."""
    return MAILS.get(kind) or kind.replace("-", " ")


def why_words(why: str) -> str:
    """Return a reason in words: debts give theirs as a code."""
    return next((words for reason, words in DEBT_REASONS.items() if reason == why), why)
