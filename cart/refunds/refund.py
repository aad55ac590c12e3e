"""Refund money, once (docs/money.md, promise 11): intend (commit) → call → settle (commit).

The provider knows no key by which a repeated refund could be told from a second one (docs/sumup.md § 7). So what it
shows as refunded is read before the call, one refund of a payment is in flight at a time, and after an unclear answer
the transaction is read, never asked again.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

import structlog
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from cart.debts.settled import settle_debt
from cart.wiring import PaymentContext
from shared.contracts.access import EVERYWHERE, PageScope
from shared.contracts.dtos import RefundAnswer, RefundOutcome, Transaction
from shared.contracts.errors import Conflict, GatewayError, NotFound, ShopError, Unavailable
from shared.contracts.journal import JournalThing
from shared.contracts.states import REFUND_GONE_BACK, REFUND_IN_FLIGHT, DebtState, PaymentState, RefundState
from shared.db.locks import lock_order, lock_payment, lock_refund
from shared.db.refusals import violates
from shared.db.uow import unit_of_work
from shared.models import Debt, Payment, Refund
from shared.services.cart.attention import debt_within
from shared.services.journal import PROVIDER, SYSTEM, WORKER, record, user_actor

NOT_OWED = "This debt is settled already."
CANNOT_ASK = "The payment provider cannot be reached right now. Nothing was sent; please try again in a few minutes."
UNDER_WAY_THERE = "SumUp shows a refund of this payment that is still under way. Nothing was sent; please wait for it."
BEHIND_THERE = "SumUp does not show all yet that went back of this payment. Nothing was sent; please try again later."
MOVED_THERE = (
    "SumUp shows money of this payment that went back without us. Nothing was sent. Open the order and press"
    " “Ask SumUp now”, so that it is counted; then refund what is still owed, or settle the debt by hand."
)
NEVER_SENT = "It was never sent: the site was stopped before. Try again."
NO_RECORD = "The provider has no record of it. Try again."
QUIET_TIME = timedelta(minutes=10)
"""How long an unclear refund must stay invisible at the provider before it counts as never made."""
LOOK_AGAIN = timedelta(seconds=30)
SENT_WITHIN = timedelta(minutes=2)
"""How long the reading before a refund is sent may take, with its tries: before that nobody says that it never was."""
_log = structlog.get_logger("maypole.refund")


class RefundUnderWay(Conflict):
    """Another refund of the same payment is in flight: its result has to be waited for."""

    code = "refund_under_way"
    text = "A refund of this payment is under way. Wait for its result before you start another."


async def refund_debt(
    context: PaymentContext, *, debt_id: int, actor_user_id: int | None, scope: PageScope = EVERYWHERE
) -> RefundState:
    """Pay a debt of a scope back through the provider, and say how that stands; None: nobody asked, it is automatic.

    ``failed`` leaves the debt owed, with the reason; ``sent`` and ``unknown`` are looked up by the worker.
    Raises NotFound, Conflict where it is settled, RefundUnderWay, and Unavailable where nothing was sent. Not safe to
    repeat once it has failed: that is a new refund, which is what its caller then wants.
    """
    # Five steps, each committed: wherever the process is stopped, the next look knows whether money may have moved.
    payment = await _payment_of(context, debt_id, scope)
    refund_id, amount = await _intend(context, debt_id, actor_user_id)
    await _mark_sent(context, refund_id, await _refunded_so_far(context, payment, refund_id))
    answer = await _call(context, payment, amount)
    await _write_answer(context, refund_id, answer)
    return await settle_refund(context, refund_id)


async def _payment_of(context: PaymentContext, debt_id: int, scope: PageScope) -> Payment:
    """Return the payment that a debt is to be paid back from."""
    async with unit_of_work(context.database) as uow:
        payment = await uow.session.scalar(
            select(Payment).join(Debt, Debt.payment_id == Payment.id).where(Debt.id == debt_id, debt_within(scope))
        )
    if payment is None:
        raise NotFound
    if payment.transaction_id is None:
        raise Conflict("The provider has not told us the transaction of this payment yet. Please try again later.")
    return payment


async def _refunded_so_far(context: PaymentContext, payment: Payment, refund_id: int) -> Decimal:
    """Return what has gone back of a payment, once the provider's record agrees, and our refund keeps others away.

    Read before that, it could be out of date: a refund made in between would then be taken for ours. Raises Unavailable
    where the provider can't be asked, RefundUnderWay where its record is behind the times or moves just now, and
    Conflict where money has moved without us; the refund has ended then, and nothing is sent.
    """
    transaction = await _transaction(context, payment)
    # After the provider was asked: what of ours ended meanwhile must not look like somebody else's.
    known = await _known(context, payment)
    refusal = _refusal(transaction, known)
    if refusal is None:
        return known.refunded
    async with unit_of_work(context.database) as uow:
        refund, order_id = await _locked_refund(uow.session, refund_id)
        # The worker may have given it up already.
        if refund.state == RefundState.REQUESTED:
            await _fail(uow.session, refund, order_id, str(refusal), context.clock(), actor=SYSTEM)
        await uow.commit()
    raise refusal


@dataclass(frozen=True, slots=True)
class _Known:
    """What we know to have gone back of a payment: by refunds, and to the buyer's bank."""

    refunded: Decimal
    charged_back: Decimal


async def _known(context: PaymentContext, payment: Payment) -> _Known:
    statement = select(
        func.coalesce(func.sum(Refund.amount).filter(~Refund.chargeback), 0),
        func.coalesce(func.sum(Refund.amount).filter(Refund.chargeback), 0),
    ).where(Refund.payment_id == payment.id, Refund.state.in_(REFUND_GONE_BACK))
    async with unit_of_work(context.database) as uow:
        refunded, charged_back = (await uow.session.execute(statement)).one()
    return _Known(refunded, charged_back)


def _refusal(transaction: Transaction | None, known: _Known) -> ShopError | None:
    """Say why nothing may be sent, by the provider's record of a payment; None: it may be."""
    if transaction is None:
        return Unavailable(CANNOT_ASK)
    # One is promised and not done: which of the two a later reading shows could not be told.
    if transaction.refunded != transaction.refunded_so_far:
        return RefundUnderWay(UNDER_WAY_THERE)
    # Less than we know of: the record is behind, and a difference would be read off it wrongly.
    if transaction.refunded_so_far < known.refunded or transaction.charged_back < known.charged_back:
        return RefundUnderWay(BEHIND_THERE)
    if transaction.refunded_so_far > known.refunded or transaction.charged_back > known.charged_back:
        return Conflict(MOVED_THERE)
    return None


async def _transaction(context: PaymentContext, payment: Payment) -> Transaction | None:
    """Read the provider's record of a payment; None where it can't be had now."""
    if payment.transaction_id is None:
        return None
    try:
        gateway = await context.gateways.of(payment.merchant_code, payment.provider)
        return await gateway.transaction(payment.transaction_id, payment.merchant_code)
    except GatewayError as error:
        _log.warning("transaction_not_read", payment_id=payment.id, error=type(error).__name__)
        return None


async def _intend(context: PaymentContext, debt_id: int, actor_user_id: int | None) -> tuple[int, Decimal]:
    """Write the refund down and commit it, so that it counts against what is left before anybody is called."""
    try:
        async with unit_of_work(context.database) as uow:
            # Under the locks, so that of two presses one finds the debt settled or its refund in flight.
            debt = await _locked_debt(uow.session, debt_id)
            refund = Refund(
                debt_id=debt.id,
                payment_id=debt.payment_id,
                amount=debt.amount,
                currency=debt.currency,
                requested_by=actor_user_id,
                created_at=context.clock(),
                next_check_at=context.clock() + LOOK_AGAIN,
            )
            uow.session.add(refund)
            await uow.session.flush()  # the guards speak here: one in flight, never more than was paid
            actor = WORKER if actor_user_id is None else user_actor(actor_user_id)
            await _note(uow.session, refund, debt.order_id, RefundState.REQUESTED, actor)
            await uow.commit()
            return refund.id, refund.amount
    except IntegrityError as error:
        # The database decides, not a look before: two workers can look at the same time.
        if violates(error, "uq_refunds_one_in_flight"):
            raise RefundUnderWay from error
        if violates(error, "refunded_within_amount"):
            raise Conflict("This would refund more than was paid.") from error
        raise


async def _locked_debt(session: AsyncSession, debt_id: int) -> Debt:
    """Lock a debt's order and payment, and return the debt, still owed and with nothing under way."""
    debt = await session.get(Debt, debt_id)
    if debt is None:
        raise NotFound
    await lock_order(session, debt.order_id)
    payment = await lock_payment(session, debt.payment_id)
    await session.refresh(debt)
    if debt.state != DebtState.OWED:
        raise Conflict(NOT_OWED)
    # A payment in review is for a person to judge first.
    if payment is None or payment.state != PaymentState.PAID:
        raise Conflict("This payment has not arrived, so nothing can be refunded.")
    return debt


async def _mark_sent(context: PaymentContext, refund_id: int, before: Decimal) -> None:
    """Commit that the call is about to be made: from here on its outcome counts as open.

    Raises Conflict where the worker has given the refund up meanwhile: then nothing may be sent.
    """
    async with unit_of_work(context.database) as uow:
        refund, order_id = await _locked_refund(uow.session, refund_id)
        if refund.state != RefundState.REQUESTED:
            raise Conflict("This took too long, and nothing was sent. Please try again.")
        # What had gone back before is kept: only beside it the record says whether this one went through.
        refund.state, refund.sent_at, refund.refunded_before = RefundState.SENT, context.clock(), before
        await _note(uow.session, refund, order_id, RefundState.SENT, SYSTEM)
        await uow.commit()


async def _call(context: PaymentContext, payment: Payment, amount: Decimal) -> RefundAnswer:
    """Ask for the refund, once."""
    if payment.transaction_id is None:
        raise NotFound
    try:
        gateway = await context.gateways.of(payment.merchant_code, payment.provider)
        return await gateway.refund(payment.transaction_id, payment.merchant_code, amount)
    except GatewayError as error:
        _log.warning("refund_unclear", payment_id=payment.id, error=type(error).__name__)
        # Sent perhaps: a refund is not safe to repeat at SumUp (docs/sumup.md), so it is looked up instead.
        return RefundAnswer(RefundOutcome.UNKNOWN)


async def _write_answer(context: PaymentContext, refund_id: int, answer: RefundAnswer) -> None:
    """Write down what the provider said: a refusal ends the refund, a lost answer leaves it open."""
    async with unit_of_work(context.database) as uow:
        refund, order_id = await _locked_refund(uow.session, refund_id)
        # The worker was quicker, and has read the record meanwhile.
        if refund.state != RefundState.SENT:
            return
        if answer.outcome is RefundOutcome.REJECTED:
            await _fail(uow.session, refund, order_id, _words_of(answer), context.clock(), actor=PROVIDER)
        elif answer.outcome is RefundOutcome.UNKNOWN:
            refund.state = RefundState.UNKNOWN
            await _note(uow.session, refund, order_id, RefundState.UNKNOWN, PROVIDER)
        await uow.commit()


async def settle_refund(context: PaymentContext, refund_id: int) -> RefundState:
    """Bring a refund up to what the provider's record shows. Safe to repeat; changes nothing once it is decided."""
    async with unit_of_work(context.database) as uow:
        refund = await uow.session.get_one(Refund, refund_id)
        payment = await uow.session.get_one(Payment, refund.payment_id)
    if refund.state not in REFUND_IN_FLIGHT:
        return refund.state
    # Between the two units of work: nothing is locked while the provider is asked.
    transaction = await _transaction(context, payment)
    async with unit_of_work(context.database) as uow:
        refund, order_id = await _locked_refund(uow.session, refund_id)
        await _decide(context, uow.session, refund, order_id, transaction)
        state = refund.state
        await uow.commit()
    return state


async def _decide(
    context: PaymentContext, session: AsyncSession, refund: Refund, order_id: int, transaction: Transaction | None
) -> None:
    """Decide a locked refund by the provider's record: there, on its way, or (after a quiet time) never made."""
    now = context.clock()
    if refund.state not in REFUND_IN_FLIGHT:
        return
    if refund.state == RefundState.REQUESTED:
        # Never marked as sent, and too old to be on its way: nobody was called.
        if now - refund.created_at > SENT_WITHIN:
            await _fail(session, refund, order_id, NEVER_SENT, now, actor=SYSTEM)
        else:
            refund.next_check_at = now + LOOK_AGAIN
        return
    # Each look waits a little longer; a refund may take the provider hours.
    refund.next_check_at = now + min(LOOK_AGAIN * (refund.checks + 1), QUIET_TIME)
    if transaction is None:
        return
    # Sums, not ids: SumUp's record does not say which request made a refund.
    wanted = (refund.refunded_before or Decimal(0)) + refund.amount
    if transaction.refunded_so_far >= wanted:
        await _succeed(context, session, refund, order_id)
    # Only after a quiet time: a record that is behind would have us send the money twice.
    elif transaction.refunded < wanted and now - (refund.sent_at or refund.created_at) > QUIET_TIME:
        await _fail(session, refund, order_id, NO_RECORD, now, actor=PROVIDER)


async def _succeed(context: PaymentContext, session: AsyncSession, refund: Refund, order_id: int) -> None:
    """Write down that the money went back, and settle the debt."""
    refund.state, refund.finished_at, refund.next_check_at = RefundState.SUCCEEDED, context.clock(), None
    await _note(session, refund, order_id, RefundState.SUCCEEDED, PROVIDER)
    if refund.debt_id is not None:
        await settle_debt(context, session, refund.debt_id)


def _words_of(answer: RefundAnswer) -> str:
    return f"SumUp says: {answer.reason or answer.code}"


async def _fail(
    session: AsyncSession, refund: Refund, order_id: int, reason: str, now: datetime, *, actor: str
) -> None:
    """Write down that nothing went back, why, and who said so: the provider or we; the debt stays owed."""
    refund.state, refund.reason, refund.finished_at, refund.next_check_at = RefundState.FAILED, reason, now, None
    await _note(session, refund, order_id, RefundState.FAILED, actor)


async def _locked_refund(session: AsyncSession, refund_id: int) -> tuple[Refund, int]:
    """Lock a refund after its order and payment, and return it with the order's id."""
    statement = (
        select(Payment.order_id, Payment.id).join(Refund, Refund.payment_id == Payment.id).where(Refund.id == refund_id)
    )
    row = (await session.execute(statement)).one_or_none()
    if row is None:
        raise NotFound
    await lock_order(session, row.order_id)
    await lock_payment(session, row.id)
    refund = await lock_refund(session, refund_id)
    if refund is None:
        raise NotFound
    return refund, row.order_id


async def _note(session: AsyncSession, refund: Refund, order_id: int, event: RefundState, actor: str) -> None:
    await record(
        session,
        thing=JournalThing.REFUND,
        thing_id=refund.id,
        order_id=order_id,
        event=event,
        actor=actor,
        why=refund.reason,
        data={"amount": str(refund.amount), "debt": refund.debt_id, "payment": refund.payment_id},
    )
