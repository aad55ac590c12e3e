"""States of things that move, and which state may follow which.

The database holds the same table of moves (``allowed_transitions``) and refuses any other; a test compares the
two. docs/money.md says what each means.
"""

from __future__ import annotations

from enum import StrEnum


class TicketState(StrEnum):
    """A ticket's life; ``pending`` is in the cart and holds no seat."""

    PENDING = "pending"
    RESERVED = "reserved"
    CONFIRMED = "confirmed"
    CHECKED_IN = "checked_in"
    OVERSOLD = "oversold"
    REFUNDED = "refunded"
    CANCELLED = "cancelled"


class EntryKind(StrEnum):
    """What a calendar entry is: made by an organiser, or by a shopper."""

    EVENT = "event"
    BOOKING = "booking"


class EntryState(StrEnum):
    """A calendar entry's life. Events use draft, confirmed and cancelled; bookings all but draft."""

    DRAFT = "draft"
    PENDING = "pending"
    ORDERED = "ordered"
    PROVISIONAL = "provisional"
    CONFIRMED = "confirmed"
    DECLINED = "declined"
    CANCELLED = "cancelled"


class OrderState(StrEnum):
    """An order's life; a late payment may still make any of the unpaid ends ``paid``."""

    PENDING = "pending"
    PAID = "paid"
    PARTIALLY_REFUNDED = "partially_refunded"
    REFUNDED = "refunded"
    FAILED = "failed"
    EXPIRED = "expired"
    CANCELLED = "cancelled"


class LineKind(StrEnum):
    """What an order line sells."""

    TICKET = "ticket"
    BOOKING = "booking"
    PRODUCT = "product"


class PaymentState(StrEnum):
    """One attempt to pay an order.

    The provider's FAILED leaves an attempt ``open``: the same checkout can still be paid (docs/sumup.md § 4).
    """

    CREATED = "created"
    OPEN = "open"
    CLOSING = "closing"
    EXPIRED = "expired"
    CANCELLED = "cancelled"
    PAID = "paid"
    REVIEW = "review"
    UNKNOWN = "unknown"


class StockState(StrEnum):
    """So many of a product's variant for one order; ``released``: back on the shelf."""

    RESERVED = "reserved"
    SOLD = "sold"
    RELEASED = "released"
    OVERSOLD = "oversold"
    REFUNDED = "refunded"
    CANCELLED = "cancelled"


class NoticeReason(StrEnum):
    """Why something left a cart by itself."""

    OVER = "over"
    OLD = "old"


class DebtState(StrEnum):
    """Money that we owe a buyer."""

    OWED = "owed"
    SETTLED = "settled"


class DebtReason(StrEnum):
    """Why we owe it."""

    SOLD_OUT = "sold_out"
    PAID_TWICE = "paid_twice"
    ORDER_CLOSED = "order_closed"
    CANCELLED_BY_ORGANISER = "cancelled_by_organiser"
    DECLINED = "declined"
    GOODWILL = "goodwill"
    OVERPAID = "overpaid"
    MISMATCH = "mismatch"


class RefundState(StrEnum):
    """One attempt to pay a debt through the provider."""

    REQUESTED = "requested"
    SENT = "sent"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    UNKNOWN = "unknown"
    EXTERNAL = "external"  # no attempt of ours, so nothing follows it


class Role(StrEnum):
    """What a signed-in person may do beyond buying: on one page, or everywhere. An admin may do everything.

    ``orders`` sees the orders of a page and writes notes, ``refunds`` also cancels and refunds.
    """

    ADMIN = "admin"
    ORDERS = "orders"
    REFUNDS = "refunds"


class FindingKind(StrEnum):
    """What the provider's history shows and we did not know."""

    FOREIGN_PAYMENT = "foreign_payment"
    EXTERNAL_REFUND = "external_refund"
    CHARGEBACK = "chargeback"
    DIFFERENCE = "difference"


# The index ``uq_debts_once`` leaves the same two out: whoever adds one needs a migration.
CHOSEN_DEBT_REASONS = (DebtReason.GOODWILL, DebtReason.CANCELLED_BY_ORGANISER)
"""The reasons of debts that somebody decided on: a line may have several. Of all others it has one at the most."""

WHOLE_PAYMENT_REASONS = (DebtReason.PAID_TWICE, DebtReason.MISMATCH)
"""Why a payment as a whole is owed back: nothing was given for it."""

ON_TOP_REASONS = (*WHOLE_PAYMENT_REASONS, DebtReason.OVERPAID)
"""Why a payment, or a part of one, is owed that no line was given for."""

# The triggers that count ``held`` have these three lists as well: whoever changes one needs a migration.
HELD_TICKET_STATES = (TicketState.RESERVED, TicketState.CONFIRMED, TicketState.CHECKED_IN)
"""The states in which a ticket holds a seat."""

HELD_ENTRY_STATES = (EntryState.ORDERED, EntryState.PROVISIONAL, EntryState.CONFIRMED)
"""The states in which a booking holds its slot; of an event, ``confirmed`` alone is one."""

HELD_STOCK_STATES = (StockState.RESERVED, StockState.SOLD)
"""The states in which an allocation holds stock."""

# The index ``uq_payments_one_payable`` lists the same states.
PAYABLE_PAYMENT_STATES = (PaymentState.CREATED, PaymentState.OPEN, PaymentState.CLOSING, PaymentState.UNKNOWN)
"""The states in which money may still arrive by our own page; an order has at most one such payment."""

# Without REVIEW: money has come there. Of these alone a page may say "not paid" (docs/money.md, promise 10).
CLOSED_PAYMENT_STATES = (PaymentState.EXPIRED, PaymentState.CANCELLED)
"""The states of an attempt that nobody can pay any more, as far as we know: money may still come late."""

# The index ``uq_refunds_one_in_flight`` lists the same states.
REFUND_IN_FLIGHT = (RefundState.REQUESTED, RefundState.SENT, RefundState.UNKNOWN)
"""The states of a refund whose outcome is open; a payment has at most one such refund."""

REFUND_GONE_BACK = (RefundState.SUCCEEDED, RefundState.EXTERNAL)
"""The states of a refund whose money has gone back."""

PAID_ORDER_STATES = (OrderState.PAID, OrderState.PARTIALLY_REFUNDED, OrderState.REFUNDED)
"""The states of an order whose money has arrived."""

TRANSITIONS: dict[str, frozenset[tuple[str, str]]] = {
    "ticket": frozenset(
        {
            ("pending", "reserved"),
            ("pending", "cancelled"),
            ("pending", "oversold"),
            ("reserved", "pending"),
            ("reserved", "confirmed"),
            ("reserved", "cancelled"),
            ("reserved", "oversold"),
            ("confirmed", "checked_in"),
            ("checked_in", "confirmed"),
            ("confirmed", "cancelled"),
            ("checked_in", "cancelled"),
            ("confirmed", "oversold"),
            ("oversold", "refunded"),
            ("oversold", "confirmed"),
            ("confirmed", "refunded"),
            ("checked_in", "refunded"),
            ("cancelled", "refunded"),
        }
    ),
    "entry": frozenset(
        {
            ("draft", "confirmed"),
            ("draft", "cancelled"),
            ("pending", "ordered"),
            ("pending", "cancelled"),
            ("ordered", "pending"),
            ("ordered", "provisional"),
            ("ordered", "confirmed"),
            ("ordered", "cancelled"),
            ("provisional", "confirmed"),
            ("provisional", "declined"),
            ("provisional", "cancelled"),
            ("confirmed", "cancelled"),
            ("confirmed", "draft"),
        }
    ),
    "order": frozenset(
        {
            ("pending", "paid"),
            ("pending", "failed"),
            ("pending", "expired"),
            ("pending", "cancelled"),
            # Money may arrive after the release (docs/money.md, promise 9).
            ("failed", "paid"),
            ("expired", "paid"),
            ("cancelled", "paid"),
            ("paid", "partially_refunded"),
            ("paid", "refunded"),
            ("partially_refunded", "refunded"),
        }
    ),
    "payment": frozenset(
        {
            ("created", "open"),
            ("created", "unknown"),
            ("created", "closing"),
            ("created", "cancelled"),
            ("created", "expired"),
            ("created", "paid"),
            ("created", "review"),
            ("unknown", "open"),
            ("unknown", "closing"),
            ("unknown", "cancelled"),
            ("unknown", "expired"),
            ("unknown", "paid"),
            ("unknown", "review"),
            ("open", "closing"),
            ("open", "unknown"),
            ("open", "cancelled"),
            ("open", "expired"),
            ("open", "paid"),
            ("open", "review"),
            ("closing", "expired"),
            ("closing", "cancelled"),
            ("closing", "paid"),
            ("closing", "review"),
            # The next four: closed as far as we knew, and money has come all the same (docs/money.md, promise 9).
            ("expired", "paid"),
            ("expired", "review"),
            ("cancelled", "paid"),
            ("cancelled", "review"),
            ("review", "paid"),
            # Only a person does this, once it is settled what becomes of the money.
            ("review", "cancelled"),
        }
    ),
    "stock": frozenset(
        {
            ("reserved", "released"),
            ("reserved", "sold"),
            # These two by a late payment: the stock was still there, or it was gone.
            ("released", "reserved"),
            ("released", "oversold"),
            ("sold", "cancelled"),
            ("sold", "refunded"),
            ("oversold", "sold"),
            ("oversold", "refunded"),
            ("cancelled", "refunded"),
        }
    ),
    "debt": frozenset({("owed", "settled")}),
    "refund": frozenset(
        {
            ("requested", "sent"),
            ("requested", "failed"),
            ("sent", "succeeded"),
            ("sent", "failed"),
            ("sent", "unknown"),
            ("unknown", "succeeded"),
            ("unknown", "failed"),
            # A refund can fail for days after it was accepted, as when the payout has gone out (docs/sumup.md § 7).
            ("succeeded", "failed"),
        }
    ),
}
"""Every allowed move, by thing."""


def may_become(thing: str, old: str, new: str) -> bool:
    """Tell whether a ``thing`` in state ``old`` may move to ``new``; staying as it is is always allowed."""
    # Settling, releasing and refunding are safe to repeat: the second time they find the state that they wanted.
    return old == new or (old, new) in TRANSITIONS[thing]
