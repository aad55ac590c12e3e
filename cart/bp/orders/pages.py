"""What the order pages show: states in words, lines put together, and which way on is open."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from cart.debts.of_order import OwedLine
from cart.orders.open_orders import OpenOrder
from cart.sellables.registry import GivenThings
from shared.contracts.dtos import ZERO, AllocationDTO, EntryDTO, OrderDTO, OrderLineDTO, SellerDTO, TicketDTO
from shared.contracts.states import (
    CHOSEN_DEBT_REASONS,
    ON_TOP_REASONS,
    PAID_ORDER_STATES,
    DebtReason,
    DebtState,
    OrderState,
    PaymentState,
    TicketState,
)
from shared.contracts.vat import VatLine, vat_by_rate
from shared.labels import DEBT_REASONS, FREE_ORDER, ORDER_TAGS, begun_text

OF_A_PART = (DebtReason.GOODWILL, DebtReason.CANCELLED_BY_ORGANISER, DebtReason.OVERPAID)
"""Reasons of debts that are about a part of a payment, where they are about no line."""

CHECKING_STATES = frozenset({PaymentState.CREATED, PaymentState.UNKNOWN, PaymentState.CLOSING, PaymentState.REVIEW})
"""Payments of which nobody may say "paid" or "not paid" yet, and beside which nothing else may be paid."""


@dataclass(frozen=True, slots=True)
class LineSummary:
    """Equal lines of an order together: two adults are one row."""

    quantity: int
    title: str
    detail: str
    unit_price: Decimal
    total: Decimal
    vat_rate: Decimal = ZERO


@dataclass(frozen=True, slots=True)
class OwedView:
    """Money that the buyer gets back, or got, and why."""

    what: str
    why: str
    amount: Decimal
    settled: bool
    decided: bool
    """Whether somebody decided to refund it; else it is for what could not be given, or was too much."""
    on_top: bool
    """Whether it is for what was paid beyond the order's price: all that was ordered is theirs."""
    of_a_line: bool


@dataclass(frozen=True, slots=True)
class OrderListPage:
    """A page of somebody's orders, newest first."""

    orders: tuple[tuple[OrderDTO, str, str], ...]
    """Each order with its state in words and the kind of its tag."""
    next_url: str
    time_zone: str


@dataclass(frozen=True, slots=True)
class OrderLinks:
    """Where an order is shown, and what can be done with it: a guest's addresses have the order's token in them."""

    path: str

    @property
    def pay(self) -> str:
        """Where the browser is sent to the payment."""
        return f"{self.path}pay/"

    @property
    def put_back(self) -> str:
        """Where the order is given up."""
        return f"{self.path}put-back/"

    @property
    def receipt(self) -> str:
        """Where the receipt is."""
        return f"{self.path}receipt/"


@dataclass(frozen=True, slots=True)
class OrderPage:
    """One order of the person who looks at it."""

    order: OrderDTO
    links: OrderLinks
    state_text: str
    state_kind: str
    lines: tuple[LineSummary, ...]
    given: GivenThings
    sellers: tuple[SellerDTO, ...]
    vat: tuple[VatLine, ...]
    owed: tuple[OwedView, ...]
    """What was paid for and could not be given, or was paid twice."""
    time_zone: str
    payment_state: PaymentState | None = None
    """The state of its newest payment; None: there was none."""
    time_left: int = 0
    """Whole minutes in which it can still be paid; 0: none."""
    can_pay: bool = False
    can_put_back: bool = False
    checking: bool = False
    problem: str = ""
    email: str = ""
    begun: str = ""
    """Which of its events have begun, in words; empty: none, or it waits for no payment."""

    @property
    def tickets(self) -> list[TicketDTO]:
        """Its tickets."""
        return self.given.things(TicketDTO)

    @property
    def entries(self) -> list[EntryDTO]:
        """Its bookings."""
        return self.given.things(EntryDTO)

    @property
    def products(self) -> list[AllocationDTO]:
        """Its products."""
        return self.given.things(AllocationDTO)

    @property
    def is_paid(self) -> bool:
        """Whether its money has arrived."""
        return self.order.state in PAID_ORDER_STATES

    @property
    def lost(self) -> tuple[OwedView, ...]:
        """What could not be given of its lines; a kindness takes nothing away."""
        return tuple(debt for debt in self.owed if debt.of_a_line and not debt.decided)

    @property
    def gives_nothing(self) -> bool:
        """Whether it is paid, and nothing of it could be given."""
        # A free order has lost nothing, though 0.00 is all of its price.
        return self.is_paid and ZERO < self.order.total <= sum(debt.amount for debt in self.lost)

    @property
    def in_review(self) -> bool:
        """Whether a person has to look at its payment: waiting is no use."""
        return self.checking and self.payment_state is PaymentState.REVIEW

    @property
    def is_guest(self) -> bool:
        """Whether it was bought without an account."""
        return self.order.user_id is None

    @property
    def collects(self) -> tuple[SellerDTO, ...]:
        """The sellers whose products are to be collected; nobody collects what is not paid."""
        if not self.is_paid:
            return ()
        return self.given.collected_from(self.order.lines, self.sellers)

    @property
    def shows_tickets(self) -> tuple[TicketDTO, ...]:
        """The tickets that get the buyer in, or did."""
        return tuple(t for t in self.tickets if t.code is not None and t.state is not TicketState.OVERSOLD)


def words_of(order: OrderDTO) -> tuple[str, str]:
    """Return an order's state in words, and the kind of tag that it gets."""
    free = order.state is OrderState.PAID and not order.total
    return FREE_ORDER if free else ORDER_TAGS[order.state]


def summarise(lines: tuple[OrderLineDTO, ...]) -> tuple[LineSummary, ...]:
    """Put equal lines together, in the order in which they first appear."""
    together: dict[tuple[str, str, Decimal, Decimal], tuple[int, Decimal]] = {}
    for line in lines:
        # With price and rate: two lines of one name that cost different sums stay apart.
        key = (line.title, line.detail, line.unit_price, line.vat_rate)
        quantity, total = together.get(key, (0, ZERO))
        together[key] = (quantity + line.quantity, total + line.total)
    return tuple(
        LineSummary(quantity=quantity, title=title, detail=detail, unit_price=price, total=total, vat_rate=vat_rate)
        for (title, detail, price, vat_rate), (quantity, total) in together.items()
    )


def _owed_view(line: OwedLine) -> OwedView:
    return OwedView(
        what=what_of(line.reason) if line.title is None else ", ".join(filter(None, (line.title, line.detail))),
        why=DEBT_REASONS[line.reason].buyer,
        amount=line.amount,
        settled=line.state is DebtState.SETTLED,
        decided=line.reason in CHOSEN_DEBT_REASONS,
        on_top=line.title is None and line.reason in ON_TOP_REASONS,
        of_a_line=line.title is not None,
    )


def what_of(reason: DebtReason) -> str:
    """Name what a debt is about that is about no line: for some reasons it is never the whole payment."""
    return "A part of the payment" if reason in OF_A_PART else "The whole payment"


def is_checking(unpaid: OpenOrder | None) -> bool:
    """Tell whether an unpaid order's payment is in doubt: then nothing may be paid beside it.

    One that is recorded as paid, and not given yet, is on its way to being so.
    """
    return unpaid is not None and unpaid.payment_state in (*CHECKING_STATES, PaymentState.PAID)


def build_order_page(
    order: OrderDTO,
    given: GivenThings,
    *,
    links: OrderLinks,
    sellers: list[SellerDTO],
    owed: list[OwedLine],
    unpaid: OpenOrder | None,
    payment_state: PaymentState | None,
    now: datetime,
    time_zone: str,
    email: str = "",
    problem: str = "",
) -> OrderPage:
    """Put an order's page together; ``unpaid`` is the same order as one that waits for its payment, if it does."""
    text, kind = words_of(order)
    checking = is_checking(unpaid)
    in_time = unpaid is not None and order.expires_at > now
    return OrderPage(
        order=order,
        links=links,
        state_text="Being checked" if checking else text,
        state_kind="info" if checking else kind,
        lines=summarise(order.lines),
        given=given,
        sellers=tuple(sellers),
        vat=vat_by_rate((line.vat_rate, line.total) for line in order.lines),
        owed=tuple(_owed_view(line) for line in owed),
        time_zone=time_zone,
        payment_state=payment_state,
        # Rounded down: a minute too few keeps a promise, one too many breaks it.
        time_left=max(0, unpaid.seconds_left // 60) if unpaid is not None else 0,
        can_pay=in_time and not checking,
        # Also past its time: putting it back fences it first.
        can_put_back=unpaid is not None and not checking,
        checking=checking or (unpaid is not None and not in_time),
        problem=problem,
        email=email,
        begun=begun_text(unpaid.begun) if unpaid is not None else "",
    )
