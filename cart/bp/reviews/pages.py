"""What the pages show about payments in review and findings."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from cart.bp.notes import NotePage
from cart.bp.reviews.services import FindingRow, ReviewRow
from shared.contracts.dtos import ZERO
from shared.contracts.states import PAID_ORDER_STATES, FindingKind, OrderState

DIFFERS: dict[str, str] = {
    "amount": "another amount",
    "currency": "another currency",
    "merchant": "another account",
    "reference": "another reference",
    "id": "another checkout",
}
"""What of a payment is not as we asked for."""

FOUND: dict[FindingKind, tuple[str, str]] = {
    FindingKind.FOREIGN_PAYMENT: (
        "A payment that none of our orders asked for",
        "It came into the account in another way: at the counter, or from another shop.",
    ),
    FindingKind.EXTERNAL_REFUND: (
        "A refund made in the provider's dashboard",
        "Look whether the buyer is owed anything else.",
    ),
    FindingKind.CHARGEBACK: (
        "The buyer's bank took the money back",
        "It can be contested with the provider, within the time that it names.",
    ),
    FindingKind.DIFFERENCE: (
        "The provider's record differs from ours",
        "Compare both, and ask the provider where they cannot be brought together.",
    ),
}

COUNTED = "It is counted as refunded."
NOT_COUNTED = (
    "It is not counted as refunded: it pays no debt as a whole, or its payment is not held as paid."
    " If the buyer is still owed money, note the debt as paid back by hand, or refund that much less."
)
MOVED_BACK = (FindingKind.EXTERNAL_REFUND, FindingKind.CHARGEBACK)
"""Findings about money that went back."""

RESULTS: dict[str, str] = {
    "accepted": "The payment is accepted and the order is paid.",
    "given-back": "The payment stands in the refund queue, and the buyer is told.",
    "elsewhere": "The payment is closed, with your note at its order.",
    "closed": "It is closed, with your note.",
}
"""What is said after a decision."""


@dataclass(frozen=True, slots=True)
class ReviewView:
    """A payment in review, in words."""

    row: ReviewRow
    differs: str


@dataclass(frozen=True, slots=True)
class FindingView:
    """A finding, in words."""

    row: FindingRow
    what: str
    advice: str


@dataclass(frozen=True, slots=True)
class ReviewsPage:
    """What needs a person's judgement, oldest first."""

    reviews: tuple[ReviewView, ...]
    findings: tuple[FindingView, ...]
    has_more: bool
    """Whether there is more than is shown: it comes up as the first ones are decided."""
    time_zone: str
    result: str = ""
    state: str = "review"

    @property
    def to_look_at(self) -> str:
        """How much there is."""
        return f"{len(self.reviews) + len(self.findings)}{'+' if self.has_more else ''}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewPage(NotePage):
    """One payment in review, and the decisions that are right for it."""

    view: ReviewView

    @property
    def surplus(self) -> Decimal:
        """What arrived beyond the order's total."""
        return max((self.view.row.told.amount or ZERO) - self.view.row.total, ZERO)

    @property
    def is_paid_already(self) -> bool:
        """Whether the order was paid by another payment meanwhile: then all of this one is on top."""
        return self.view.row.order_state in PAID_ORDER_STATES

    @property
    def holds(self) -> bool:
        """Whether the order still waits, and holds what was ordered."""
        return self.view.row.order_state is OrderState.PENDING


@dataclass(frozen=True, slots=True, kw_only=True)
class FindingPage(NotePage):
    """One finding, and the form that closes it."""

    view: FindingView


def view_of_review(row: ReviewRow) -> ReviewView:
    """Return a payment in words."""
    return ReviewView(row, ", ".join(DIFFERS.get(name, name) for name in row.differs))


def view_of_finding(row: FindingRow) -> FindingView:
    """Return a finding in words."""
    what, advice = FOUND[row.kind]
    if row.kind in MOVED_BACK:
        advice = f"{COUNTED if row.is_counted else NOT_COUNTED} {advice}"
    return FindingView(row, what, advice)
