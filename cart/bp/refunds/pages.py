"""What the refund queue shows."""

from __future__ import annotations

from dataclasses import dataclass

from cart.bp.notes import NotePage
from cart.bp.orders.pages import what_of
from cart.debts.listing import DebtRow
from cart.refunds.batch import Batch, Progress
from shared.contracts.states import DebtState, RefundState
from shared.labels import DEBT_REASONS, REFUND_WORDS

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
        reason=DEBT_REASONS[row.reason].queue,
        last_refund="" if last is None else REFUND_WORDS[last].last,
        failed=last is RefundState.FAILED,
        settled=_settled(row),
    )


def _settled(row: DebtRow) -> str:
    """Say how a debt was settled."""
    if row.state is not DebtState.SETTLED:
        return ""
    return "Paid back by hand" if row.by_hand else "Refunded"
