"""States and events in words that a person understands: the one place where they are put."""

from __future__ import annotations

from cart.bp.admin_orders.services import Trouble
from shared.labels import DEBT_REASONS, Tag

TROUBLES: dict[Trouble, Tag] = {
    Trouble.OWED: ("Money owed", "warning"),
    Trouble.REVIEW: ("Payment to be looked at", "bad"),
    Trouble.UNCLEAR: ("Payment not known", "warning"),
    Trouble.REFUND_FAILED: ("Refund failed", "bad"),
    Trouble.REFUND_UNKNOWN: ("Refund not known", "warning"),
    Trouble.MAIL: ("Mail not sent", "warning"),
}
"""Why an order needs a person, and the kind of tag that it gets."""

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
    return next((words.staff for reason, words in DEBT_REASONS.items() if reason == why), why)
