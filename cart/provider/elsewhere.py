"""Money of one of our payments that moved without us: refunds in the dashboard, and what the buyer's bank took back.

The provider's events bear no mark of ours. So as many of each amount as we have refunded count as ours, and the
rest are somebody else's; while a refund of ours is under way nothing is decided.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from cart.debts.settled import mark_order, settle_debt
from cart.payments.attempts import Attempt, locked_attempt
from cart.wiring import PaymentContext
from shared.contracts.dtos import Movement, MovementStatus, Transaction
from shared.contracts.journal import JournalThing
from shared.contracts.states import REFUND_IN_FLIGHT, DebtState, FindingKind, PaymentState, RefundState
from shared.models import Debt, Refund
from shared.services.journal import PROVIDER, record

from .findings import note_finding

SEEN_AFTER = timedelta(hours=1)
"""How long after it succeeded a refund of ours must be in the provider's record: a read may be behind the times."""


@dataclass(frozen=True, slots=True)
class MovedElsewhere:
    """How many findings are new, and whether something could not be decided yet."""

    found: int = 0
    undecided: bool = False


async def compare(context: PaymentContext, payment_id: int, transaction: Transaction) -> MovedElsewhere:
    """Hold a payment of ours against the provider's record of it, and write down what moved without us.

    A refund made elsewhere settles the debts that it pays, so that nobody pays them again. Safe to repeat.
    """
    async with locked_attempt(context, payment_id) as attempt:
        refunds = list(await attempt.session.scalars(select(Refund).where(Refund.payment_id == payment_id)))
        # One of ours is open: its money would be taken for somebody else's.
        if any(refund.state in REFUND_IN_FLIGHT for refund in refunds):
            return MovedElsewhere(undecided=True)
        found = await _differences(context, attempt, transaction, refunds)
        for movement, chargeback in _strangers(transaction, refunds):
            found += await _note_movement(context, attempt, transaction, movement, chargeback=chargeback)
        await attempt.uow.commit()
    return MovedElsewhere(found)


def _strangers(transaction: Transaction, refunds: Iterable[Refund]) -> list[tuple[Movement, bool]]:
    """Return the movements that are none of ours and not written down yet, each with whether it is a chargeback."""
    known = {refund.provider_event for refund in refunds}
    ours = _ours(refunds)
    strangers: list[tuple[Movement, bool]] = []
    for movement in _done(transaction.refunds):
        if movement.id in known:
            continue
        # Matched by sum: the record does not say who asked for a refund.
        if ours[movement.amount]:
            ours[movement.amount] -= 1
        else:
            strangers.append((movement, False))
    strangers += [(movement, True) for movement in _done(transaction.chargebacks) if movement.id not in known]
    return strangers


def _ours(refunds: Iterable[Refund]) -> Counter[Decimal]:
    """Count what we refunded ourselves, by amount."""
    return Counter(refund.amount for refund in refunds if refund.state == RefundState.SUCCEEDED)


def _done(movements: Iterable[Movement]) -> list[Movement]:
    """Leave out what came to nothing, or is on its way: that changes again, and is seen then."""
    return [movement for movement in movements if movement.status is MovementStatus.DONE]


async def _differences(
    context: PaymentContext, attempt: Attempt, transaction: Transaction, refunds: Sequence[Refund]
) -> int:
    """Note what of a paid payment is not as we have it: its sum, that it was taken at all, or a refund of ours."""
    payment = attempt.payment
    if payment.state != PaymentState.PAID:
        return 0  # a person looks at it already
    differences = []
    # Also a transaction that is not captured any more: then no money was taken at all.
    if (transaction.amount, transaction.currency) != (payment.amount, payment.currency) or not transaction.captured:
        differences.append((transaction.amount, ""))
    differences += _missing(context, transaction, refunds)
    found = 0
    for amount, event in differences:
        found += await note_finding(
            attempt.session,
            payment.merchant_code,
            transaction,
            FindingKind.DIFFERENCE,
            amount,
            provider_event=event,
            payment_id=payment.id,
            happened_at=context.clock(),
        )
    return found


def _missing(context: PaymentContext, transaction: Transaction, refunds: Iterable[Refund]) -> list[tuple[Decimal, str]]:
    """Return the sums of refunds of ours that the provider's record ought to show and does not, numbered by sum."""
    settled_long_ago = [
        refund for refund in refunds if refund.finished_at and context.clock() - refund.finished_at > SEEN_AFTER
    ]
    # By sum and how often: two refunds of one sum need two entries.
    missing = _ours(settled_long_ago) - Counter(movement.amount for movement in _done(transaction.refunds))
    return [(amount, f"missing {number + 1}") for amount, times in missing.items() for number in range(times)]


async def _note_movement(
    context: PaymentContext, attempt: Attempt, transaction: Transaction, movement: Movement, *, chargeback: bool
) -> int:
    """Write down a movement that was not ours; tell how many findings are new."""
    payment = attempt.payment
    for debt_id, amount in await _parts(attempt, movement.amount):
        refund = Refund(
            debt_id=debt_id,
            payment_id=payment.id,
            amount=amount,
            currency=payment.currency,
            state=RefundState.EXTERNAL,
            chargeback=chargeback,
            provider_event=movement.id,
            finished_at=context.clock(),
        )
        attempt.session.add(refund)
        await attempt.session.flush()  # its id goes into the journal
        await _tell(attempt.session, refund, attempt.order.id)
        if debt_id is not None:
            await settle_debt(context, attempt.session, debt_id)
    # Also where no debt was paid: money that left makes the order (partly) refunded.
    await mark_order(attempt.session, attempt.order.id)
    return await note_finding(
        attempt.session,
        payment.merchant_code,
        transaction,
        FindingKind.CHARGEBACK if chargeback else FindingKind.EXTERNAL_REFUND,
        movement.amount,
        provider_event=movement.id,
        payment_id=payment.id,
        happened_at=context.clock(),
    )


async def _parts(attempt: Attempt, amount: Decimal) -> list[tuple[int | None, Decimal]]:
    """Divide a sum among the debts that it pays; the rest is of none. Nothing where the rest does not fit.

    What pays a debt in part is for a person: we cannot say which half of a ticket was meant.
    """
    session, payment = attempt.session, attempt.payment
    await session.refresh(payment)  # its sums are kept by triggers
    statement = select(Debt).where(Debt.payment_id == payment.id, Debt.state == DebtState.OWED).order_by(Debt.id)
    parts = divide(amount, {debt.id: debt.amount for debt in await session.scalars(statement)})
    of_no_debt = sum((part for debt_id, part in parts if debt_id is None), Decimal(0))
    # The guards of the database would refuse it; a finding for a person says why instead.
    fits = payment.refunded + amount <= payment.amount and payment.owed + of_no_debt <= payment.amount
    return parts if fits and payment.state == PaymentState.PAID else []


def divide(amount: Decimal, debts: dict[int, Decimal]) -> list[tuple[int | None, Decimal]]:
    """Divide a sum: to the first debt of exactly this sum, else to whole debts in their order, the rest to none."""
    # A refund of exactly what a debt is about was almost surely meant for it.
    exact = next((debt_id for debt_id, owed in debts.items() if owed == amount), None)
    if exact is not None:
        return [(exact, amount)]
    parts: list[tuple[int | None, Decimal]] = []
    for debt_id, owed in debts.items():
        if owed <= amount:
            parts.append((debt_id, owed))
            amount -= owed
    return [*parts, (None, amount)] if amount else parts


async def _tell(session: AsyncSession, refund: Refund, order_id: int) -> None:
    """Tell of a refund that was made elsewhere."""
    await record(
        session,
        thing=JournalThing.REFUND,
        thing_id=refund.id,
        order_id=order_id,
        event=refund.state,
        actor=PROVIDER,
        data={
            "amount": str(refund.amount),
            "debt": refund.debt_id,
            "payment": refund.payment_id,
            "chargeback": refund.chargeback,
        },
    )
