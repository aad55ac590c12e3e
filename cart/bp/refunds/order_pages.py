"""What the pages show that refund money of one order: the choice, what will happen, and what did."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import ClassVar
from uuid import UUID

from cart.debts.listing import DebtRow
from cart.refunds.refundable import RefundableLine, RefundableOrder, Share
from shared.contracts.dtos import ZERO
from shared.contracts.errors import ShopError
from shared.contracts.states import REFUND_IN_FLIGHT, DebtState, RefundState
from shared.web.forms import FormPage

from .forms import RefundForm
from .pages import DebtView, view_of


@dataclass(frozen=True, slots=True, kw_only=True)
class ChoicePage(FormPage):
    """The form: lines, an amount, and whether seats, times and stock come back."""

    CONTROLS: ClassVar[Mapping[str, str]] = {"lines": "lines", "amount": "f-amount"}

    order: RefundableOrder
    form: RefundForm


@dataclass(frozen=True, slots=True)
class PreviewPage:
    """What will happen, before it does."""

    order: RefundableOrder
    shares: tuple[Share, ...]
    form: RefundForm
    key: UUID
    cancellable: frozenset[int]
    """The lines whose tickets, bookings or stock can be cancelled now."""

    @property
    def amount(self) -> Decimal:
        """What goes back, all together."""
        return sum((share.amount for share in self.shares), ZERO)

    @property
    def stays(self) -> Decimal:
        """What is kept of the payment afterwards."""
        return self.order.left - self.amount

    @property
    def cancelled(self) -> tuple[RefundableLine, ...]:
        """The lines whose seats, times or stock others can have again."""
        return tuple(line for line in self._concerned if self.form.cancel and line.id in self.cancellable)

    @property
    def kept(self) -> tuple[RefundableLine, ...]:
        """The lines of which the buyer keeps what they bought."""
        return tuple(line for line in self._concerned if not self.form.cancel and line.id in self.cancellable)

    @property
    def unchanged(self) -> tuple[RefundableLine, ...]:
        """The chosen lines that the buyer has nothing of any more, or has used: cancelling changes nothing of them."""
        return tuple(line for line in self._concerned if self.form.line_ids and line.id not in self.cancellable)

    @property
    def _concerned(self) -> tuple[RefundableLine, ...]:
        """The lines that it is for; all of them where it is for none in particular."""
        chosen = self.form.line_ids
        return tuple(line for line in self.order.lines if not chosen or line.id in chosen)

    @property
    def fields(self) -> dict[str, str]:
        """What the last button sends."""
        return self.form.fields | {"key": str(self.key), "shown": f"{self.amount:.2f}"}


@dataclass(frozen=True, slots=True)
class OutcomeView:
    """What became of one share."""

    debt: DebtView
    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class OutcomePage:
    """What did happen."""

    order_id: int
    order_number: str
    buyer_email: str
    outcomes: tuple[OutcomeView, ...]
    amount: Decimal
    gone_back: Decimal

    @property
    def is_done(self) -> bool:
        """Whether all of it went back."""
        return self.gone_back == self.amount

    @property
    def has_failed(self) -> bool:
        """Whether anything of it was refused, or is left to a person."""
        return any(outcome.kind == "bad" for outcome in self.outcomes)


def build_choice_page(order: RefundableOrder, form: RefundForm, refusal: ShopError | None = None) -> ChoicePage:
    """Put the form together, after a refusal with what was chosen and typed."""
    return ChoicePage(order=order, form=form, refusal=refusal)


def build_outcome_page(debts: Sequence[DebtRow], *, in_hand: Collection[int]) -> OutcomePage:
    """Put the result together; there is one debt at least. ``in_hand``: those that a job will still refund."""
    return OutcomePage(
        order_id=debts[0].order_id,
        order_number=debts[0].order_number,
        buyer_email=debts[0].buyer_email,
        outcomes=tuple(_outcome(debt, is_in_hand=debt.id in in_hand) for debt in debts),
        amount=sum((debt.amount for debt in debts), ZERO),
        gone_back=sum((debt.amount for debt in debts if debt.state is DebtState.SETTLED), ZERO),
    )


def _outcome(debt: DebtRow, *, is_in_hand: bool) -> OutcomeView:
    """Say what became of one share."""
    view, last = view_of(debt), debt.last_refund_state
    if debt.state is DebtState.SETTLED:
        return OutcomeView(view, "good", "It is on its way to the buyer.")
    if last is RefundState.FAILED:
        return OutcomeView(view, "bad", f"It did not go through, and stands in the queue. {debt.last_refund_reason}")
    if last in REFUND_IN_FLIGHT:
        return OutcomeView(view, "info", "It is not known yet whether it went through. We are looking it up.")
    if not is_in_hand:
        return OutcomeView(view, "bad", "It was not sent, and stands in the queue: please refund it there.")
    return OutcomeView(view, "info", "It follows by itself, after another refund of the same payment.")
