"""What a shopper reads who comes back from the payment: "paid", "checking" or "not paid", and never the wrong one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from cart.bp.orders.pages import CHECKING_STATES, OrderPage
from shared.contracts.dtos import CheckoutStatus
from shared.contracts.states import PAID_ORDER_STATES, OrderState, PaymentState


class ReturnOutcome(StrEnum):
    """The one thing that the return page says."""

    PAID = "paid"
    CHECKING = "checking"
    NOT_PAID = "not_paid"


@dataclass(frozen=True, slots=True)
class ReturnPage:
    """The return page. ``order`` is there for its owner alone: a stranger with the address sees just the verdict."""

    verdict: ReturnOutcome
    poll_url: str
    order: OrderPage | None
    seats_until: datetime | None
    """Until when the seats are held for another try; None where they are held no more."""
    in_review: bool
    """Whether a person has to look at the payment: waiting on the page is no use."""
    is_open: bool
    """Whether the provider has simply not reported a payment: it may be on its way, or nobody has paid."""
    time_zone: str
    is_guest: bool = False
    """Whether the order was made without an account: then its link is in its buyer's mail, and nowhere else."""


def judge(
    payment: PaymentState, order: OrderState | None, *, status: CheckoutStatus | None = None, in_time: bool = True
) -> ReturnOutcome:
    """Decide what to say of a payment, given its order where the reader may know of it.

    An order counts as paid once its things are given, whichever attempt paid it; anything in doubt is "checking".
    ``status`` is what the provider has just said: only a payment that it calls failed is surely not paid, since right
    after paying it may still say "pending" (docs/sumup.md § 4). Past the deadline an open checkout may still have taken
    money until it is fenced (docs/money.md, promise 8).
    """
    # First: whichever attempt paid it, the buyer has what they wanted.
    if order in PAID_ORDER_STATES:
        return ReturnOutcome.PAID
    if payment is PaymentState.PAID:
        # Paid and not given yet: the next look fulfils it. A stranger is told no more than that it was paid.
        return ReturnOutcome.PAID if order is None else ReturnOutcome.CHECKING
    if payment in CHECKING_STATES:
        return ReturnOutcome.CHECKING
    if payment is PaymentState.OPEN and (status is not CheckoutStatus.FAILED or not in_time):
        return ReturnOutcome.CHECKING
    return ReturnOutcome.NOT_PAID


def state_now(settled: PaymentState, newest: PaymentState | None) -> PaymentState:
    """Return the payment state that counts: that of the order's newest attempt, unless the settled one is in doubt.

    A shopper may come back by the address of an attempt that is over, while a newer one is being checked.
    """
    # What was just asked beats what is stored of another attempt.
    if newest is None or settled is PaymentState.PAID or settled in CHECKING_STATES:
        return settled
    return newest
