"""Payments that are not what we asked for: what a person may decide on them (docs/money.md, promise 4).

They are accepted where enough arrived in the right currency, refunded as a whole, or were settled elsewhere. What
arrived is asked for once more before it is written down.
"""

from __future__ import annotations

from decimal import Decimal
from uuid import uuid4

import structlog
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from cart.debts.owed import owe
from cart.payments.ask import ask_provider
from cart.payments.attempts import Attempt, locked_attempt, read_payment
from cart.payments.fulfil import fulfil_payment
from cart.payments.settle import find_mismatch, release_order
from cart.refunds.by_hand import read_note
from cart.refunds.mails import queue_refund_mail
from cart.refunds.refundable import Share
from cart.wiring import PaymentContext
from shared.contracts.access import PageScope
from shared.contracts.dtos import Checkout, CheckoutStatus, PaymentDTO
from shared.contracts.errors import Conflict, GatewayError, NotFound, Unavailable
from shared.contracts.journal import JournalThing
from shared.contracts.states import PAID_ORDER_STATES, PAYABLE_PAYMENT_STATES, DebtReason, OrderState, PaymentState
from shared.db.uow import unit_of_work
from shared.models import OrderNote, Payment
from shared.services.cart.attention import order_within
from shared.services.journal import record, user_actor

DECIDED = "Somebody has decided on this payment already. Nothing was changed."
NOT_SO = "What the provider says of this payment is not what was shown. Nothing was changed; please look again."
TOO_LITTLE = "Less arrived than the order costs, so it cannot be accepted."
CANNOT_ASK = "The payment provider cannot be reached right now. Nothing was changed; please try again in a few minutes."
_log = structlog.get_logger("maypole.review")


async def accept_payment(
    context: PaymentContext, payment_id: int, *, shown: Decimal, actor_user_id: int, scope: PageScope
) -> None:
    """Take a payment in review as paid with the amount that was shown, and give what it is for; the rest is owed back.

    Raises NotFound, Unavailable, and Conflict where it is decided already, or is not as it was shown.
    """
    await _check_again(context, payment_id, shown, scope)
    actor = user_actor(actor_user_id)
    async with locked_attempt(context, payment_id) as attempt:
        order, payment = attempt.order, attempt.payment
        if shown < order.total:
            raise Conflict(TOO_LITTLE)
        is_first = order.state not in PAID_ORDER_STATES
        await _take_as_paid(context, attempt, shown, actor, why="accepted")
        await fulfil_payment(attempt.session, context, order, payment)
        if is_first and shown > order.total:
            surplus = shown - order.total
            await owe(attempt.session, payment, surplus, DebtReason.OVERPAID, line_id=None, actor=actor)
        await attempt.uow.commit()


async def refund_payment(
    context: PaymentContext, payment_id: int, *, shown: Decimal, actor_user_id: int, scope: PageScope
) -> None:
    """Owe all of a payment in review back, and release its order if that is still unpaid.

    Raises as ``accept_payment`` does.
    """
    await _check_again(context, payment_id, shown, scope)
    actor = user_actor(actor_user_id)
    async with locked_attempt(context, payment_id) as attempt:
        await _take_as_paid(context, attempt, shown, actor, why="refunded")
        attempt.payment.fulfilled_at = context.clock()  # nothing is given for it
        await _released(context, attempt)
        key = uuid4()
        await owe(
            attempt.session,
            attempt.payment,
            shown,
            DebtReason.MISMATCH,
            line_id=None,
            actor=actor,
            request_key=key,
        )
        await queue_refund_mail(context, attempt.session, attempt.order, (Share(None, shown),), key=str(key))
        await attempt.uow.commit()


async def settle_payment_elsewhere(
    context: PaymentContext, payment_id: int, *, note: str, actor_user_id: int, scope: PageScope
) -> None:
    """Close a payment in review by somebody's word of what became of it, and release its order if that is unpaid.

    Raises NotFound, BadInput where it does not say how, and Conflict where it is decided already.
    """
    said = read_note(note, "Say what became of the money, such as: paid back in the provider's dashboard.")
    await _find(context, payment_id, scope)
    async with locked_attempt(context, payment_id) as attempt:
        _require_review(attempt.payment)
        attempt.payment.state, attempt.payment.next_check_at = PaymentState.CANCELLED, None
        await _tell(attempt, user_actor(actor_user_id), why="settled elsewhere")
        attempt.session.add(OrderNote(order_id=attempt.order.id, author_id=actor_user_id, body=said))
        await _released(context, attempt)
        await attempt.session.flush()  # the session does not flush by itself
        await attempt.uow.commit()


async def _find(context: PaymentContext, payment_id: int, scope: PageScope) -> None:
    """Raise NotFound where the scope sees no such payment."""
    async with unit_of_work(context.database) as uow:
        seen = select(Payment.id).where(Payment.id == payment_id, order_within(scope, Payment.order_id))
        if await uow.session.scalar(seen) is None:
            raise NotFound


async def _check_again(context: PaymentContext, payment_id: int, shown: Decimal, scope: PageScope) -> None:
    """Ask the provider whether so much was paid, and that nothing but the amount is wrong; no transaction is open."""
    await _find(context, payment_id, scope)
    payment = await read_payment(context, payment_id)
    if payment.state is not PaymentState.REVIEW:
        raise Conflict(DECIDED)
    try:
        checkout = await ask_provider(context, payment)
    except GatewayError as error:
        _log.warning("provider_not_asked", payment_id=payment_id, error=type(error).__name__)
        raise Unavailable(CANNOT_ASK) from error
    if checkout is None or not _is_as_shown(payment, checkout, shown):
        raise Conflict(NOT_SO)


def _is_as_shown(payment: PaymentDTO, checkout: Checkout, amount: Decimal) -> bool:
    """Tell whether a checkout was paid with an amount, and nothing but the amount is not what we asked for."""
    is_paid = checkout.status is CheckoutStatus.PAID and checkout.amount == amount
    return is_paid and find_mismatch(payment, checkout) in (None, "amount")


def _require_review(payment: Payment) -> None:
    """Raise Conflict where a locked payment is decided already."""
    if payment.state != PaymentState.REVIEW:
        raise Conflict(DECIDED)


async def _take_as_paid(context: PaymentContext, attempt: Attempt, paid: Decimal, actor: str, *, why: str) -> None:
    """Write down that a payment in review has arrived, with what really did."""
    _require_review(attempt.payment)
    attempt.payment.amount, attempt.payment.state = paid, PaymentState.PAID
    attempt.payment.paid_at, attempt.payment.next_check_at = context.clock(), None
    await _tell(attempt, actor, why=why)


async def _tell(attempt: Attempt, actor: str, *, why: str) -> None:
    """Tell of what was decided."""
    payment = attempt.payment
    await record(
        attempt.session,
        thing=JournalThing.PAYMENT,
        thing_id=payment.id,
        order_id=attempt.order.id,
        event=payment.state,
        actor=actor,
        why=why,
        data={"from": PaymentState.REVIEW, "to": payment.state, "amount": str(payment.amount)},
    )


async def _released(context: PaymentContext, attempt: Attempt) -> None:
    """Put an unpaid order back into the cart: its checkout was paid, so nobody can pay it any more.

    One that has another attempt which can be paid is left to that.
    """
    if not await _is_payable(attempt.session, attempt.order.id):
        await release_order(context, attempt, OrderState.CANCELLED)


async def _is_payable(session: AsyncSession, order_id: int) -> bool:
    """Tell whether an order has an attempt that can still take money."""
    payable = select(Payment.id).where(Payment.order_id == order_id, Payment.state.in_(PAYABLE_PAYMENT_STATES))
    return await session.scalar(payable.limit(1)) is not None
