"""What the refund queue shows."""

from __future__ import annotations

from dataclasses import dataclass

from cart.bp.notes import NotePage
from cart.bp.orders.pages import what_of
from cart.debts.listing import DebtRow
from cart.refunds.batch import Batch, Progress
from shared.contracts.states import DebtReason, DebtState, RefundState

REASONS: dict[DebtReason, str] = {
    DebtReason.SOLD_OUT: "Sold out: the payment came after the seats had gone to others",
    DebtReason.PAID_TWICE: "Paid twice: this order was paid again, or the same things in another one",
    DebtReason.ORDER_CLOSED: "Paid after the order was closed",
    DebtReason.CANCELLED_BY_ORGANISER: "Cancelled by the organiser",
    DebtReason.DECLINED: "The booking was declined",
    DebtReason.GOODWILL: "Refunded by an admin",
    DebtReason.OVERPAID: "Overpaid: more arrived than the order cost",
    DebtReason.MISMATCH: "Another amount arrived than we had asked for",
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
SAID: dict[str, tuple[str, str]] = {
    "by-hand": ("good", "It is noted as paid back, and that you said so."),
}
"""What is said after other changes."""


@dataclass(frozen=True, slots=True)
class DebtView:
    """One debt, in words."""

    row: DebtRow
    what: str
    reason: str
    last_refund: str
    failed: bool
    settled: str
    """How it was settled, in words; empty while it is owed."""


@dataclass(frozen=True, slots=True)
class RefundsPage:
    """A page of the queue, oldest first."""

    debts: tuple[DebtView, ...]
    state: DebtState
    next_url: str
    time_zone: str
    at_once: int
    """How many could be refunded at once; nobody is asked about fewer than two."""
    to_look_at: int
    """How much else waits for a person: payments in review, and what only the provider's record shows."""
    result_kind: str = ""
    result: str = ""
    problem: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ByHandPage(NotePage):
    """The form that notes a debt as paid back outside the provider."""

    debt: DebtView


@dataclass(frozen=True, slots=True)
class AtOncePage:
    """The question whether all of it is to go back."""

    batch: Batch
    problem: str = ""


@dataclass(frozen=True, slots=True)
class ProgressPage:
    """How far the worker has come with it."""

    progress: Progress
    poll_url: str
    queue_url: str


def view_of(row: DebtRow) -> DebtView:
    """Return a debt as the queue shows it."""
    last = row.last_refund_state
    return DebtView(
        row=row,
        what=row.line_title or what_of(row.reason),
        reason=REASONS[row.reason],
        last_refund="" if last is None else LAST_REFUND[last],
        failed=last is RefundState.FAILED,
        settled=_settled(row),
    )


def _settled(row: DebtRow) -> str:
    """Say how a debt was settled."""
    if row.state is not DebtState.SETTLED:
        return ""
    return "Paid back by hand" if row.by_hand else "Refunded"
