"""What may be done to an order besides refunding money. Each opens its own units of work; all are safe to repeat."""

from __future__ import annotations

from collections.abc import Collection
from enum import StrEnum

import structlog
from sqlalchemy import Select, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from cart.orders.cancel import cancel_lines
from cart.payments.attempts import read_payment
from cart.payments.fence import PutBackOutcome, fence_order
from cart.payments.settle import settle_or_raise
from cart.provider.elsewhere import compare
from cart.refunds.refund import settle_refund
from cart.wiring import PaymentContext
from shared.contracts.access import PageScope
from shared.contracts.errors import Conflict, GatewayError, NotFound
from shared.contracts.states import (
    REFUND_IN_FLIGHT,
    OrderState,
    PaymentState,
)
from shared.db.locks import lock_order
from shared.db.uow import unit_of_work
from shared.models import Order, OrderLine, OrderNote, Payment, Refund
from shared.services.journal import user_actor

from .scope import lines_in, orders_in

UNCLEAR = (PaymentState.CREATED, PaymentState.UNKNOWN, PaymentState.CLOSING)
"""Payments of which nobody can say yet whether they are paid or can still be."""
WITHOUT_A_REFUND = "cancelled without a refund"
OF_SEVERAL_PAGES = "This order is of other pages too, which are not yours: nobody but an admin may give it up."
IN_REVIEW = "Money came that is not what was asked for. Decide about it first: in Refunds, under To look at."
_log = structlog.get_logger("maypole.admin_orders")


class AskedOutcome(StrEnum):
    """What came out when the provider was asked: of several things, the first of these that is true of one."""

    CHANGED = "changed"
    NOT_REACHED = "not_reached"
    NOT_KNOWN = "not_known"
    SAME = "same"
    IN_REVIEW = "in_review"
    NOTHING = "nothing"


async def cancel_order_lines(
    context: PaymentContext, *, order_id: int, line_ids: Collection[int], scope: PageScope, actor_user_id: int
) -> int:
    """Cancel lines of a paid order without refunding money; return how many were cancelled by this call.

    Raises NotFound for lines that somebody may not see, and Conflict where the order is not paid.
    """
    async with unit_of_work(context.database) as uow:
        # Before the lock: who may not see the order must not make it wait either.
        await _require_lines(uow.session, order_id, line_ids, scope)
        order = await lock_order(uow.session, order_id)
        if order is None:
            raise NotFound
        actor = user_actor(actor_user_id)
        done = await cancel_lines(uow.session, context, order, line_ids, actor=actor, why=WITHOUT_A_REFUND)
        await uow.commit()
    return len(done)


async def _require_lines(session: AsyncSession, order_id: int, line_ids: Collection[int], scope: PageScope) -> None:
    """Raise NotFound unless all of these are lines of the order that somebody may see."""
    statement = select(func.count()).where(OrderLine.order_id == order_id, OrderLine.id.in_(line_ids), lines_in(scope))
    # By number: one line of another order is enough to refuse all.
    if not line_ids or await session.scalar(statement) != len(set(line_ids)):
        raise NotFound


async def give_up_order(
    context: PaymentContext, *, order_id: int, scope: PageScope, actor_user_id: int
) -> PutBackOutcome:
    """Fence an unpaid order, so that nobody can pay it any more, and release what it holds; say how it stands then.

    What it holds goes back into its buyer's cart. Raises NotFound, and Conflict where it is of other pages too, or
    a payment of it has to be decided on by a person.
    """
    async with unit_of_work(context.database) as uow:
        await _state_of(uow.session, order_id, scope)
        await _require_whole(uow.session, order_id, scope)
        # Before the provider is told to close anything.
        await _require_decided(uow.session, order_id)
    # Outside any transaction: it calls the provider, and opens its own.
    outcome = await fence_order(context, order_id, actor=user_actor(actor_user_id))
    async with unit_of_work(context.database) as uow:
        await _require_decided(uow.session, order_id)  # the provider may just have told of a wrong payment
    return outcome


async def _state_of(session: AsyncSession, order_id: int, scope: PageScope) -> str:
    """Return the state of an order that somebody may see. Raises NotFound."""
    state = await session.scalar(select(Order.state).where(Order.id == order_id, orders_in(scope)))
    if state is None:
        raise NotFound
    return state


async def _require_whole(session: AsyncSession, order_id: int, scope: PageScope) -> None:
    """Raise Conflict where an order has lines that somebody may not see."""
    pages = await session.scalars(select(OrderLine.page_post_id).where(OrderLine.order_id == order_id))
    if not scope.covers(pages.all()):
        raise Conflict(OF_SEVERAL_PAGES)


async def _require_decided(session: AsyncSession, order_id: int) -> None:
    """Raise Conflict where an order is unpaid and a payment of it is in review: money came, and a person decides."""
    undecided = (
        select(Payment.id)
        .join(Order, Order.id == Payment.order_id)
        .where(Order.id == order_id, Order.state == OrderState.PENDING, Payment.state == PaymentState.REVIEW)
    )
    if await session.scalar(undecided.limit(1)) is not None:
        raise Conflict(IN_REVIEW)


async def ask_provider(context: PaymentContext, *, order_id: int, scope: PageScope) -> AskedOutcome:
    """Bring an order's payments and refunds up to what the provider says of them now. Raises NotFound."""
    async with unit_of_work(context.database) as uow:
        await _state_of(uow.session, order_id, scope)
        payments = (await uow.session.execute(_payments_to_ask(order_id))).all()
        refunds = (await uow.session.execute(_refunds_to_ask(order_id))).all()
        paid = list(await uow.session.scalars(_paid(order_id)))
        if not payments and not refunds and not paid:
            in_review = await uow.session.scalar(_in_review(order_id))
            return AskedOutcome.NOTHING if in_review is None else AskedOutcome.IN_REVIEW
    # Payments before refunds: a payment that has just arrived may have had some of its money sent back.
    answers = [await _ask_about_payment(context, payment_id, state) for payment_id, state in payments]
    answers += [await _ask_about_refund(context, refund_id, state) for refund_id, state in refunds]
    answers += [await _ask_about_movements(context, payment_id) for payment_id in paid]
    # The enum's order is the order of importance.
    return next(answer for answer in AskedOutcome if answer in answers)


async def _ask_about_payment(context: PaymentContext, payment_id: int, before: str) -> AskedOutcome:
    """Settle a payment, and say what came out."""
    try:
        state = (await settle_or_raise(context, payment_id)).state
    except GatewayError as error:
        _log.warning("provider_not_asked", payment_id=payment_id, error=type(error).__name__)
        return AskedOutcome.NOT_REACHED
    # Its state cannot change any more; what was missing is its transaction, or its order's things.
    if before == PaymentState.PAID:  # one that was only recorded is fulfilled now
        return await _answer_about_paid(context, payment_id)
    if state != before:
        return AskedOutcome.CHANGED
    return AskedOutcome.NOT_KNOWN if state in UNCLEAR else AskedOutcome.SAME


async def _answer_about_paid(context: PaymentContext, payment_id: int) -> AskedOutcome:
    """Say of a payment that is paid whether the provider has told its transaction, which a refund needs."""
    async with unit_of_work(context.database) as uow:
        known = await uow.session.scalar(select(Payment.transaction_id).where(Payment.id == payment_id))
    return AskedOutcome.NOT_KNOWN if known is None else AskedOutcome.CHANGED


async def _ask_about_refund(context: PaymentContext, refund_id: int, before: str) -> AskedOutcome:
    """Settle a refund, and say what came out."""
    state = await settle_refund(context, refund_id)
    return (
        AskedOutcome.NOT_KNOWN
        if state in REFUND_IN_FLIGHT
        else AskedOutcome.CHANGED
        if state != before
        else AskedOutcome.SAME
    )


async def _ask_about_movements(context: PaymentContext, payment_id: int) -> AskedOutcome:
    """Hold a payment that has arrived against the provider's record of it: money may have gone back without us."""
    payment = await read_payment(context, payment_id)
    try:
        gateway = await context.gateways.of(payment.merchant_code, payment.provider)
        transaction = await gateway.transaction(str(payment.transaction_id), payment.merchant_code)
    except GatewayError as error:
        _log.warning("provider_not_asked", payment_id=payment_id, error=type(error).__name__)
        return AskedOutcome.NOT_REACHED
    if transaction is None:
        return AskedOutcome.SAME
    compared = await compare(context, payment_id, transaction)
    return (
        AskedOutcome.NOT_KNOWN if compared.undecided else AskedOutcome.CHANGED if compared.found else AskedOutcome.SAME
    )


def _paid(order_id: int) -> Select[int]:
    """Select the payments of an order that have arrived, and whose record at the provider has a name."""
    mine = (Payment.order_id == order_id, Payment.state == PaymentState.PAID, Payment.transaction_id.is_not(None))
    return select(Payment.id).where(*mine).order_by(Payment.id)


def _in_review(order_id: int) -> Select[int]:
    """Select a payment of an order that a person has to decide on."""
    return select(Payment.id).where(Payment.order_id == order_id, Payment.state == PaymentState.REVIEW).limit(1)


def _payments_to_ask(order_id: int) -> Select[int, str]:
    """Select the payments of an order that are not decided for good: money may come late to one that is closed."""
    undecided = or_(
        Payment.state.not_in((PaymentState.PAID, PaymentState.REVIEW)),
        # Paid, but not fulfilled, or without the transaction that a refund needs.
        (Payment.state == PaymentState.PAID) & or_(Payment.fulfilled_at.is_(None), Payment.transaction_id.is_(None)),
    )
    return select(Payment.id, Payment.state).where(Payment.order_id == order_id, undecided).order_by(Payment.id)


def _refunds_to_ask(order_id: int) -> Select[int, str]:
    """Select the refunds of an order whose outcome is open."""
    return (
        select(Refund.id, Refund.state)
        .join(Payment, Payment.id == Refund.payment_id)
        .where(Payment.order_id == order_id, Refund.state.in_(REFUND_IN_FLIGHT))
        .order_by(Refund.id)
    )


async def add_note(context: PaymentContext, *, order_id: int, body: str, scope: PageScope, author_id: int) -> bool:
    """Note something about an order; False where it is what the same person noted last. Raises NotFound."""
    async with unit_of_work(context.database) as uow:
        await _state_of(uow.session, order_id, scope)
        await lock_order(uow.session, order_id)  # of two presses of one button the second sees the first
        newest = select(OrderNote.body, OrderNote.author_id).where(OrderNote.order_id == order_id)
        last = (await uow.session.execute(newest.order_by(OrderNote.id.desc()).limit(1))).one_or_none()
        if last is not None and tuple(last) == (body, author_id):
            return False
        uow.session.add(OrderNote(order_id=order_id, author_id=author_id, body=body))
        await uow.session.flush()  # the session does not flush by itself
        await uow.commit()
    return True
