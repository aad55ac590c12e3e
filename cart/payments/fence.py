"""Fence before release (docs/money.md, promise 8).

Seats of an unpaid order are released only after its checkout was deactivated at the provider and then read as EXPIRED.
Until that is proven the attempt is ``closing``: it can no longer be paid through us, and it keeps its seats.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum

import structlog
from sqlalchemy import ColumnElement, false, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from cart.orders.buyer import Buyer
from cart.wiring import PaymentContext
from shared.contracts.dtos import CancelOutcome
from shared.contracts.errors import GatewayError, LineProblem, NotFound
from shared.contracts.journal import JournalThing
from shared.contracts.states import PAID_ORDER_STATES, PAYABLE_PAYMENT_STATES, OrderState, PaymentState
from shared.db.uow import unit_of_work
from shared.models import Order, Payment
from shared.services.journal import SYSTEM, record

from .attempts import locked_attempt, read_payment, schedule_next_look
from .settle import settle, settle_or_raise

_log = structlog.get_logger("maypole.fence")


class PutBackOutcome(StrEnum):
    """What became of an order that its buyer wants to put back into the cart."""

    RELEASED = "released"
    PAID = "paid"
    CHECKING = "checking"


async def put_back(context: PaymentContext, buyer: Buyer, *, order_id: int) -> PutBackOutcome:
    """Fence one of the buyer's unpaid orders and put its lines back into the cart. Safe to repeat. Raises NotFound."""
    async with unit_of_work(context.database) as uow:
        # In a transaction of its own, closed before the provider is called.
        mine = select(Order.id).where(Order.id == order_id, buyer.owns())
        if await uow.session.scalar(mine) is None:
            raise NotFound
    return await fence_order(context, order_id, actor=buyer.actor)


async def fence_order(context: PaymentContext, order_id: int, *, actor: str) -> PutBackOutcome:
    """Fence what an order can be paid by; say how it stands then. Safe to repeat. The caller has bounded the order."""
    async with unit_of_work(context.database) as uow:
        # A paid one as well: its order may wait to be fulfilled, which fencing makes up for.
        payable = select(Payment.id).where(
            Payment.order_id == order_id, Payment.state.in_((*PAYABLE_PAYMENT_STATES, PaymentState.PAID))
        )
        payment_id = await uow.session.scalar(payable.order_by(Payment.id.desc()).limit(1))
    # An order without a payment was free, or its attempt was given up: nobody can pay it.
    if payment_id is not None:
        await fence(context, payment_id, actor=actor)
    async with unit_of_work(context.database) as uow:
        state = await uow.session.scalar(select(Order.state).where(Order.id == order_id))
    if state in PAID_ORDER_STATES:
        return PutBackOutcome.PAID
    return PutBackOutcome.CHECKING if state == OrderState.PENDING else PutBackOutcome.RELEASED


async def fence(context: PaymentContext, payment_id: int, *, actor: str = SYSTEM) -> PaymentState:
    """Deactivate an attempt at the provider and settle it; return its state. Safe to repeat.

    ``closing`` means that the provider could not be asked, or has not confirmed: seats are kept, and the reconciler
    goes on.
    """
    # Closed or paid already: what the provider says decides.
    if not await _start_closing(context, payment_id, actor):
        return await settle(context, payment_id)
    payment = await read_payment(context, payment_id)
    try:
        # Not known still: nothing to cancel, and no proof either. The seats stay held until it is found or given up.
        if payment.checkout_id is None:
            await settle_or_raise(context, payment_id)  # an attempt whose answer was lost is looked up
            payment = await read_payment(context, payment_id)
        if payment.checkout_id is None:
            return payment.state
        gateway = await context.gateways.of(payment.merchant_code, payment.provider)
        outcome = await gateway.cancel(payment.checkout_id)
    except GatewayError as error:  # one that does not know a checkout which it has given us is no proof either
        _log.warning("fence_waits", payment_id=payment_id, error=type(error).__name__)
        return PaymentState.CLOSING
    # The buyer was quicker: settling confirms the order that somebody wanted to release.
    if outcome is CancelOutcome.ALREADY_PAID:
        _log.info("fence_found_paid", payment_id=payment_id)
    return await settle(context, payment_id)


async def _start_closing(context: PaymentContext, payment_id: int, actor: str) -> bool:
    """Block paying again, in a commit of its own. False where there is nothing to close."""
    async with locked_attempt(context, payment_id) as attempt:
        # The provider is not told to close what it has reported as paid.
        if not attempt.is_payable:
            return False
        if attempt.payment.state != PaymentState.CLOSING:
            # Committed before the call: from here on nobody is sent to the payment page again.
            attempt.payment.state, attempt.payment.checks = PaymentState.CLOSING, 0
            await record(
                attempt.session,
                thing=JournalThing.PAYMENT,
                thing_id=payment_id,
                order_id=attempt.order.id,
                event=PaymentState.CLOSING,
                actor=actor,
            )
        schedule_next_look(attempt.payment, context.clock())
        await attempt.uow.commit()
    return True


async def fence_overdue(context: PaymentContext, problems: Sequence[LineProblem], *, limit: int = 3) -> bool:
    """Fence a few overdue orders that hold what a cart wants; tell whether any of them released.

    A checkout that finds nothing left calls this, outside any transaction, so that seats, slots and stock come back
    without a worker too.
    """
    async with unit_of_work(context.database) as uow:
        overdue = (
            select(Payment.id)
            .join(Payment.order)
            # Only past their deadline: nobody's seats are taken while they still may pay.
            .where(Order.state == OrderState.PENDING, Order.expires_at <= context.clock())
            .where(Payment.state.in_(PAYABLE_PAYMENT_STATES))
            .where(await _holds_any(context, uow.session, problems))
            .order_by(Order.expires_at)
            .limit(limit)
        )
        payment_ids = list(await uow.session.scalars(overdue))
    # One after the other, and few: a shopper waits for this.
    states = [await fence(context, payment_id) for payment_id in payment_ids]
    return any(state in (PaymentState.EXPIRED, PaymentState.CANCELLED) for state in states)


async def _holds_any(
    context: PaymentContext, session: AsyncSession, problems: Sequence[LineProblem]
) -> ColumnElement[bool]:
    """Bound a query to orders that hold what some lines want: seats of the event, the time, the variant."""
    # So that no problems bound the query to nothing, not to everything.
    holding: list[ColumnElement[bool]] = [false()]
    for sellable in context.sellables:
        ids = {problem.key[1] for problem in problems if problem.key[0] == sellable.kind}
        if ids:
            holding.append(await sellable.holders(session, ids))
    return or_(*holding)
