"""What the pages about all orders show."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import ClassVar

from cart.bp.admin_orders.services import (
    AskedOutcome,
    DebtFact,
    LineFact,
    OrderHistory,
    OrderRow,
    PaymentFact,
    RefundFact,
    Trouble,
)
from shared.contracts.dtos import ZERO, OrderDTO, PageDTO
from shared.contracts.errors import ShopError
from shared.contracts.states import PAID_ORDER_STATES, OrderState, PaymentState
from shared.labels import DEBT_REASONS, DEBT_TAGS, PAYMENT_TAGS, REFUND_WORDS, RELEASED, STAFF_ORDER_TAGS, Tag
from shared.web.forms import FormPage

from .forms import FilterForm
from .timeline import Happening, timeline_of
from .words import TROUBLES


@dataclass(frozen=True, slots=True)
class OrderView:
    """An order in the list."""

    row: OrderRow
    state: Tag
    troubles: tuple[Tag, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class OrdersPage(FormPage):
    """A stretch of the list, newest first, and the form that says which orders are wanted."""

    CONTROLS: ClassVar[Mapping[str, str]] = {name: f"f-{name}" for name in ("q", "page", "state", "from", "to")}

    form: FilterForm
    orders: tuple[OrderView, ...]
    pages: tuple[tuple[str, str], ...]
    """The pages that may be chosen: each with its id and its title."""
    states: tuple[tuple[str, str], ...]
    time_zone: str
    next_url: str = ""
    export_url: str = ""


def views_of(rows: Sequence[OrderRow], troubles: Mapping[int, tuple[Trouble, ...]]) -> tuple[OrderView, ...]:
    """Return orders as the list shows them."""
    return tuple(
        OrderView(row, STAFF_ORDER_TAGS[row.state], tuple(TROUBLES[trouble] for trouble in troubles.get(row.id, ())))
        for row in rows
    )


def build_orders_page(
    form: FilterForm,
    pages: Sequence[PageDTO],
    *,
    time_zone: str,
    orders: tuple[OrderView, ...] = (),
    next_url: str = "",
    export_url: str = "",
    refusal: ShopError | None = None,
) -> OrdersPage:
    """Put the list's page together."""
    return OrdersPage(
        form=form,
        orders=orders,
        pages=(("", "Any page"), *((str(page.id), page.title) for page in pages)),
        states=(("", "Any state"), *((state.value, words) for state, (words, _) in STAFF_ORDER_TAGS.items())),
        time_zone=time_zone,
        next_url=next_url,
        export_url=export_url,
        refusal=refusal,
    )


@dataclass(frozen=True, slots=True)
class OrderLineView:
    """A line of an order, with how it stands."""

    id: int
    quantity: int
    title: str
    detail: str
    total: Decimal
    state: Tag
    code: str
    """A ticket's code; empty: it has none."""
    can_cancel: bool
    now: str = ""
    """What has changed of a ticket's event, or a booking, since it was ordered; empty: nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderHistoryPage(FormPage):
    """One order with all that became of it, and what may be done."""

    CONTROLS: ClassVar[Mapping[str, str]] = {"body": "f-body"}

    history: OrderHistory
    state: Tag
    troubles: tuple[Tag, ...]
    lines: tuple[OrderLineView, ...]
    total: Decimal
    """What the lines cost that are shown."""
    payments: tuple[tuple[PaymentFact, Tag], ...]
    debts: tuple[tuple[DebtFact, str, Tag], ...]
    refunds: tuple[tuple[RefundFact, Tag], ...]
    timeline: tuple[Happening, ...]
    time_zone: str
    can_cancel: bool
    can_give_up: bool
    can_ask: bool
    can_decide: bool
    """Whether whoever looks may decide about a payment in review."""
    refund_url: str
    """Where money is refunded; empty: not by whoever looks."""
    result: Tag = ("", "")
    note: str = ""
    """A note that was typed and refused."""

    @property
    def note_problem(self) -> str:
        """What is wrong with the note."""
        return self.problem_at("body")

    @property
    def problem(self) -> str:
        """Why something else was refused."""
        return "" if self.refusal is None or self.note_problem else str(self.refusal)


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelPage(FormPage):
    """The choice of what is to be cancelled, or (``chosen``) the question whether these lines are."""

    CONTROLS: ClassVar[Mapping[str, str]] = {"line": "lines"}

    order: OrderDTO
    buyer_email: str
    lines: tuple[OrderLineView, ...]
    chosen: tuple[OrderLineView, ...]
    is_gone: bool = False
    """Whether something was chosen, and nothing of it can be cancelled (any more)."""

    @property
    def total(self) -> Decimal:
        """What was paid for the chosen lines, and is not refunded by this."""
        return sum((line.total for line in self.chosen), ZERO)


@dataclass(frozen=True, slots=True)
class GiveUpPage:
    """The question whether an unpaid order is given up."""

    order: OrderDTO
    buyer_email: str
    lines: tuple[OrderLineView, ...]


RESULTS: dict[str, Tag] = {
    "cancelled": ("It is cancelled, and the buyer is told by mail. No money was refunded.", "good"),
    "nothing-cancelled": ("Nothing was changed: it was cancelled already, or used.", "info"),
    "released": ("The order is given up: what it held is back in its buyer's cart.", "good"),
    "paid": ("The order turned out to be paid. It was not given up.", "info"),
    "checking": (
        "SumUp could not confirm yet that nobody can pay any more. What is held stays held until then.",
        "warning",
    ),
    "noted": ("The note is kept.", "good"),
    "noted-already": ("This note stands there already.", "info"),
    f"asked-{AskedOutcome.CHANGED}": ("SumUp knew more than we did: the order is up to date now.", "good"),
    f"asked-{AskedOutcome.SAME}": ("SumUp says the same as before. Nothing has changed.", "info"),
    f"asked-{AskedOutcome.NOT_KNOWN}": (
        "Not known yet: SumUp has no answer so far. We go on asking by ourselves.",
        "warning",
    ),
    f"asked-{AskedOutcome.NOT_REACHED}": (
        "SumUp cannot be reached right now, so nothing more is known. Nothing was changed.",
        "warning",
    ),
    f"asked-{AskedOutcome.IN_REVIEW}": (
        "There is nothing to ask: the payment has arrived, and waits for somebody to decide what becomes of it.",
        "warning",
    ),
    f"asked-{AskedOutcome.NOTHING}": ("There is nothing to ask: every payment and refund is decided.", "info"),
}
"""What is said after an action, and the kind of the notice."""


def line_views(history: OrderHistory) -> tuple[OrderLineView, ...]:
    """Return an order's lines as its page shows them."""
    return tuple(_line_view(fact) for fact in history.lines)


def _line_view(fact: LineFact) -> OrderLineView:
    line, given = fact.line, fact.given
    return OrderLineView(
        id=line.id,
        quantity=line.quantity,
        title=line.title,
        detail=line.detail,
        total=line.total,
        # A released line names nothing any more: what it held is somebody else's by now.
        state=RELEASED if given is None else given.state,
        code="" if given is None else given.code,
        can_cancel=given is not None and given.is_cancellable,
        now="" if given is None else given.now,
    )


def build_history_page(
    history: OrderHistory,
    *,
    troubles: Sequence[Trouble],
    time_zone: str,
    refund_url: str = "",
    may_cancel: bool = False,
    result: str = "",
    refusal: ShopError | None = None,
    note: str = "",
) -> OrderHistoryPage:
    """Put an order's page together."""
    lines, state = line_views(history), history.order.state
    return OrderHistoryPage(
        history=history,
        state=STAFF_ORDER_TAGS[state],
        troubles=tuple(TROUBLES[trouble] for trouble in troubles),
        lines=lines,
        total=sum((line.total for line in lines), ZERO),
        payments=tuple((payment, PAYMENT_TAGS[payment.state]) for payment in history.payments),
        debts=tuple((debt, DEBT_REASONS[debt.reason].staff, DEBT_TAGS[debt.state]) for debt in history.debts),
        refunds=tuple((refund, REFUND_WORDS[refund.state].tag) for refund in history.refunds),
        timeline=timeline_of(history),
        time_zone=time_zone,
        can_cancel=may_cancel and state in PAID_ORDER_STATES and any(line.can_cancel for line in lines),
        can_give_up=may_cancel and _can_be_given_up(history),
        can_ask=bool(history.payments),
        # Money in review is the whole order's: staff who see a part of it must not decide.
        can_decide=may_cancel and not history.hidden_lines,
        # Nothing came in for an order that is not paid.
        refund_url=refund_url if state in PAID_ORDER_STATES else "",
        result=RESULTS.get(result, ("", "")),
        note=note,
        refusal=refusal,
    )


def _can_be_given_up(history: OrderHistory) -> bool:
    """Tell whether an order is unpaid, seen as a whole, and has no payment that a person has to decide about first."""
    in_review = any(payment.state is PaymentState.REVIEW for payment in history.payments)
    return history.order.state is OrderState.PENDING and not history.hidden_lines and not in_review
