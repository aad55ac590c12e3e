"""The one settle: return page, webhook, reconciler and admin all end here (docs/money.md, promises 4, 6, 7 and 10).

Ask (no transaction) → record what the provider says (commit) → fulfil under the order's lock (commit). Whatever is
repeated changes nothing; whatever is interrupted is taken up by the next call.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from cart.orders.queries import lines_of
from cart.payments.ask import ask_provider
from cart.wiring import PaymentContext
from shared.contracts.dtos import Checkout, CheckoutStatus, PaymentDTO
from shared.contracts.errors import GatewayError, GatewayNotFound
from shared.contracts.journal import JournalThing
from shared.contracts.states import CLOSED_PAYMENT_STATES, OrderState, PaymentState
from shared.db.locks import take_question
from shared.db.uow import unit_of_work
from shared.models import Payment
from shared.services.journal import PROVIDER, act_as, record

from .attempts import Attempt, locked_attempt, read_payment, schedule_late_look, schedule_next_look
from .fulfil import fulfil_payment
from .late_transaction import keep_transaction, transaction_of

SECRET_MEMBERS = frozenset({"card", "customer", "personal_details", "payment_instrument", "token", "mandate"})
RE_READ_AFTER = timedelta(minutes=1)
"""When a closed checkout is read once more: money may have met its closing (docs/sumup.md § 4)."""
NEVER_ARRIVED_AFTER = timedelta(minutes=2)
"""How long after an attempt was written down a checkout that the provider does not know counts as never made.

Longer than our own timeouts together with the provider's; and nobody ever got its address.
"""
ASK_EVERY = timedelta(seconds=3)
"""How often the provider is asked about one payment for people who look: a call costs, a reload does not."""
CANNOT_BE_PAID = "the checkout can no longer be paid"
OPEN_STATUSES = (CheckoutStatus.PENDING, CheckoutStatus.FAILED)
_log = structlog.get_logger("maypole.settle")


@dataclass(frozen=True, slots=True)
class Seen:
    """How a payment stands, and what the provider has just said of it (None: it was not asked, or knows nothing)."""

    state: PaymentState
    status: CheckoutStatus | None = None


async def settle(context: PaymentContext, payment_id: int) -> PaymentState:
    """Bring a payment up to what the provider says of it, and its order with it; return the payment's state.

    Safe to repeat and to run at the same time as itself. A provider that cannot be asked changes nothing: the state
    stays what it was and the reconciler asks again. Raises NotFound.
    """
    try:
        return (await settle_or_raise(context, payment_id)).state
    except GatewayError as error:
        _log.warning("provider_not_asked", payment_id=payment_id, error=type(error).__name__)
        return (await read_payment(context, payment_id)).state


async def settle_for_a_look(context: PaymentContext, payment: PaymentDTO) -> Seen:
    """Do as ``settle_or_raise`` for whoever has the return page's address, at most once in ``ASK_EVERY`` a payment.

    Between two questions the state stays what it was, and what a recorded payment paid for is given all the same.
    Safe to repeat. Raises GatewayError.
    """
    async with unit_of_work(context.database) as uow:
        may_ask = await take_question(uow.session, payment.id, now=context.clock(), every=ASK_EVERY)
        await uow.commit()
    if may_ask:
        return await settle_or_raise(context, payment.id)
    # Read anew: whoever asked just now may have written the answer down by this time.
    now = await read_payment(context, payment.id)
    if now.state == PaymentState.PAID:
        await fulfil(context, now.id)
    return Seen(now.state)


async def settle_or_raise(context: PaymentContext, payment_id: int) -> Seen:
    """Do as ``settle``, but raise GatewayError where the provider cannot be asked.

    For whoever tells a person how a payment stands: a state that was not asked for is no proof of "not paid". One that
    is paid is asked about once more only where its transaction is not known: without it nothing can be refunded.
    """
    payment, status = await read_payment(context, payment_id), None
    if payment.state == PaymentState.PAID:
        await fulfil(context, payment_id)  # first: the provider may be out of reach
        await _ask_for_transaction(context, payment)
    elif payment.state != PaymentState.REVIEW:
        checkout = await _ask(context, payment)
        payment = await record_status(context, payment_id, checkout)
        status = None if checkout is None else checkout.status
        if checkout is not None and status in OPEN_STATUSES and payment.state in CLOSED_PAYMENT_STATES:
            await _close_orphan(context, payment, checkout)
        if payment.state == PaymentState.PAID:
            await fulfil(context, payment_id)
    return Seen(payment.state, status)


async def _ask(context: PaymentContext, payment: PaymentDTO) -> Checkout | None:
    """Ask the provider; an attempt that is closed is asked about a few times and no more, even if it is not known."""
    try:
        return await ask_provider(context, payment)
    except GatewayNotFound:
        if payment.state in CLOSED_PAYMENT_STATES:
            await record_status(context, payment.id, None)
        raise


async def _ask_for_transaction(context: PaymentContext, payment: PaymentDTO) -> None:
    """Ask which transaction a paid payment is, where the provider has not said so."""
    if payment.transaction_id is not None:
        return
    transaction = transaction_of(await _ask(context, payment))
    if transaction is not None:
        await keep_transaction(context, payment.id, transaction)


async def _close_orphan(context: PaymentContext, payment: PaymentDTO, checkout: Checkout) -> None:
    """Deactivate a checkout whose attempt was given up before its answer came: nobody is to pay it.

    Money that meets this is found by the next look, like any that comes late.
    """
    _log.warning("orphan_checkout", payment_id=payment.id, checkout_id=checkout.id)
    gateway = await context.gateways.of(payment.merchant_code, payment.provider)
    await gateway.cancel(checkout.id)


async def fulfil(context: PaymentContext, payment_id: int) -> None:
    """Give what a recorded payment paid for, in a commit of its own. Safe to repeat."""
    async with locked_attempt(context, payment_id) as attempt:
        if attempt.payment.state != PaymentState.PAID:
            return
        await fulfil_payment(attempt.session, context, attempt.order, attempt.payment)
        await attempt.uow.commit()


async def record_status(context: PaymentContext, payment_id: int, checkout: Checkout | None) -> PaymentDTO:
    """Write down what the provider says of a payment (None: it knows no such checkout), and commit. Safe to repeat."""
    async with locked_attempt(context, payment_id) as attempt:
        before = attempt.payment.state
        await _apply(context, attempt, checkout)
        if attempt.payment.state != before:
            await _write_journal(attempt, before)
        await attempt.uow.commit()
    return await read_payment(context, payment_id)


async def _apply(context: PaymentContext, attempt: Attempt, checkout: Checkout | None) -> None:
    """Change the locked payment, and release its order where that is proven to be safe."""
    payment, now = attempt.payment, context.clock()
    if payment.state in (PaymentState.PAID, PaymentState.REVIEW) or is_settled_elsewhere(payment):
        return
    if checkout is None:
        await _apply_unknown(context, attempt, now)
        return
    mismatch = find_mismatch(payment, checkout)
    if mismatch is not None:
        await _apply_mismatch(context, attempt, checkout, mismatch)
    elif checkout.status is CheckoutStatus.PAID:
        _mark_paid(context, payment, checkout)
    elif checkout.status is CheckoutStatus.EXPIRED:
        await _close(context, attempt, checkout)
    else:
        _adopt(payment, checkout)
        _look_again(attempt, now)
        if not attempt.is_payable:
            payment.next_check_at = now + RE_READ_AFTER  # until nobody can pay it any more


async def _apply_unknown(context: PaymentContext, attempt: Attempt, now: datetime) -> None:
    """Give an attempt up that the provider does not know, once enough time has gone by to be sure; else look again."""
    payment = attempt.payment
    given_up = now >= payment.created_at + NEVER_ARRIVED_AFTER
    if attempt.is_payable and payment.checkout_id is None and given_up:
        wanted, late = payment.state == PaymentState.CLOSING, now >= attempt.order.expires_at
        payment.state = PaymentState.CANCELLED
        state = OrderState.EXPIRED if late else OrderState.CANCELLED if wanted else OrderState.FAILED
        await release_order(context, attempt, state)
    _look_again(attempt, now)


async def _apply_mismatch(context: PaymentContext, attempt: Attempt, checkout: Checkout, mismatch: str) -> None:
    """Deal with a checkout that is not what we asked for: paid, a person has to look at it; else it is to be closed."""
    payment = attempt.payment
    if checkout.status is CheckoutStatus.PAID:
        _put_to_review(payment, checkout, mismatch)
        return
    _log.error("checkout_mismatch", payment_id=payment.id, mismatch=mismatch)
    if checkout.status is CheckoutStatus.EXPIRED and "reference" not in mismatch:
        await _close(context, attempt, checkout)
        return
    if attempt.is_payable:
        payment.state = PaymentState.CLOSING
    _look_again(attempt, context.clock())


def _look_again(attempt: Attempt, now: datetime) -> None:
    """Schedule the next look at a payment that is still unpaid."""
    if attempt.is_payable:
        schedule_next_look(attempt.payment, now)
    else:
        schedule_late_look(attempt.payment, now)


def is_settled_elsewhere(payment: Payment) -> bool:
    """Tell whether a person has looked at this payment and closed it: the provider has nothing new to say of it."""
    return payment.state == PaymentState.CANCELLED and payment.review_reason is not None


def find_mismatch(payment: Payment | PaymentDTO, checkout: Checkout) -> str | None:
    """Name what of a checkout is not what we asked for (promise 4), or None."""
    differences = [
        name
        for name, ours, theirs in (
            ("reference", payment.checkout_reference, checkout.reference),
            ("merchant", payment.merchant_code, checkout.merchant_code),
            ("currency", payment.currency, checkout.currency),
            ("amount", payment.amount, checkout.amount),
            ("id", payment.checkout_id or checkout.id, checkout.id),
        )
        if ours != theirs
    ]
    return ", ".join(differences) or None


def _adopt(payment: Payment, checkout: Checkout) -> None:
    """Take over the checkout of an attempt whose answer was lost."""
    if payment.checkout_id is None:
        payment.checkout_id, payment.hosted_url = checkout.id, checkout.hosted_url
    if payment.state in (PaymentState.CREATED, PaymentState.UNKNOWN) and payment.hosted_url is not None:
        payment.state = PaymentState.OPEN


def _keep_answer(payment: Payment, checkout: Checkout) -> None:
    """Keep what the provider said, without what is secret or personal."""
    payment.checkout_id = payment.checkout_id or checkout.id
    payment.transaction_id, payment.transaction_code = checkout.transaction_id, checkout.transaction_code
    payment.answer = {
        name: value if isinstance(value, bool | int) else str(value)
        for name, value in checkout.raw.items()
        if name not in SECRET_MEMBERS and value is not None and not isinstance(value, dict | list)
    }


def _put_to_review(payment: Payment, checkout: Checkout, mismatch: str) -> None:
    """Set a payment aside for a person, who is shown what was paid: a mismatch is never paid."""
    _keep_answer(payment, checkout)
    payment.answer = (payment.answer or {}) | {
        "amount": str(checkout.amount),
        "currency": checkout.currency,
        "merchant_code": checkout.merchant_code,
        "checkout_reference": checkout.reference,
    }
    payment.state, payment.review_reason, payment.next_check_at = PaymentState.REVIEW, mismatch, None
    _log.error("payment_mismatch", payment_id=payment.id, mismatch=mismatch)


def _mark_paid(context: PaymentContext, payment: Payment, checkout: Checkout) -> None:
    """Write down that the money has arrived."""
    _keep_answer(payment, checkout)
    payment.state, payment.paid_at, payment.next_check_at = PaymentState.PAID, context.clock(), None


async def _close(context: PaymentContext, attempt: Attempt, checkout: Checkout) -> None:
    """Close an attempt that the provider says is EXPIRED, and release its order: the one proof that releases seats."""
    payment, order, now = attempt.payment, attempt.order, context.clock()
    if not attempt.is_payable:
        schedule_late_look(payment, now)
        return
    _keep_answer(payment, checkout)
    payment.state, payment.next_check_at = PaymentState.EXPIRED, now + RE_READ_AFTER
    await release_order(context, attempt, OrderState.EXPIRED if now >= order.expires_at else OrderState.CANCELLED)


async def release_order(context: PaymentContext, attempt: Attempt, state: OrderState) -> None:
    """Put everything of an unpaid order back into the cart. The caller has proof that it can't be paid any more."""
    order = attempt.order
    if order.state != OrderState.PENDING:
        return
    await act_as(attempt.session, PROVIDER, CANNOT_BE_PAID)
    for sellable, lines in context.sellables.with_lines(await lines_of(attempt.session, order.id)):
        await sellable.release(attempt.session, order.id, order.owner, lines)
    order.state, order.released_at = state, context.clock()
    await record(
        attempt.session,
        thing=JournalThing.ORDER,
        thing_id=order.id,
        order_id=order.id,
        event=state,
        actor=PROVIDER,
        why=CANNOT_BE_PAID,
        data={"from": OrderState.PENDING, "to": state},
    )


async def _write_journal(attempt: Attempt, before: str) -> None:
    """Tell of a payment's change."""
    payment = attempt.payment
    await record(
        attempt.session,
        thing=JournalThing.PAYMENT,
        thing_id=payment.id,
        order_id=attempt.order.id,
        event=payment.state,
        actor=PROVIDER,
        why=payment.review_reason or "",
        data={"from": before, "to": payment.state, "transaction": payment.transaction_code},
    )
