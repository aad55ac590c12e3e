"""What the refund queue shows."""

from __future__ import annotations

from dataclasses import dataclass

from cart.bp.refunds.services import DebtRow
from shared.contracts.states import DebtReason, DebtState, RefundState

REASONS: dict[DebtReason, str] = {
    DebtReason.SOLD_OUT: "Sold out: the payment came after the seats had gone to others",
    DebtReason.PAID_TWICE: "Paid twice: the same things were bought and paid again",
    DebtReason.ORDER_CLOSED: "Paid after the order was closed",
    DebtReason.CANCELLED_BY_ORGANISER: "Cancelled by the organiser",
    DebtReason.DECLINED: "The booking was declined",
    DebtReason.GOODWILL: "Goodwill",
}

LAST_REFUND: dict[RefundState, str] = {
    RefundState.REQUESTED: "A refund is under way.",
    RefundState.SENT: "A refund was sent; the provider has not confirmed it yet.",
    RefundState.UNKNOWN: "The provider's answer was lost. We are looking it up; it is not sent again meanwhile.",
    RefundState.FAILED: "The last refund failed.",
    RefundState.SUCCEEDED: "Refunded.",
    RefundState.EXTERNAL: "Refunded in the provider's own dashboard.",
}

RESULTS: dict[RefundState, tuple[str, str]] = {
    RefundState.SUCCEEDED: ("good", "The money is on its way back to the buyer."),
    RefundState.REQUESTED: ("info", "The refund is under way. Its result appears here."),
    RefundState.SENT: ("info", "The refund was sent. The provider's confirmation appears here."),
    RefundState.UNKNOWN: ("warning", "The provider's answer was lost. We are looking it up; nothing is sent twice."),
    RefundState.FAILED: ("bad", "The refund did not go through. The reason stands below; the money is still owed."),
    RefundState.EXTERNAL: ("good", "This was refunded in the provider's own dashboard already."),
}
"""What is said after the button was pressed: the kind of the notice, and its words."""


@dataclass(frozen=True, slots=True)
class DebtView:
    """One debt, in words."""

    row: DebtRow
    reason: str
    last_refund: str
    failed: bool


@dataclass(frozen=True, slots=True)
class RefundsPage:
    """A page of the queue, oldest first."""

    debts: tuple[DebtView, ...]
    state: DebtState
    next_url: str
    time_zone: str
    result_kind: str = ""
    result: str = ""
    problem: str = ""


def view_of(row: DebtRow) -> DebtView:
    """Return a debt as the queue shows it."""
    last = None if row.last_refund_state is None else RefundState(row.last_refund_state)
    return DebtView(
        row=row,
        reason=REASONS[DebtReason(row.reason)],
        last_refund="" if last is None else LAST_REFUND[last],
        failed=last is RefundState.FAILED,
    )
