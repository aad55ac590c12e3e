"""What follows once a debt is paid: the debt, its ticket and its order."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from sqlalchemy import func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from cart.orders.queries import line_to_dto
from cart.wiring import PaymentContext
from shared.contracts.journal import JournalThing
from shared.contracts.states import (
    ON_TOP_REASONS,
    PAID_ORDER_STATES,
    REFUND_GONE_BACK,
    DebtState,
    OrderState,
)
from shared.models import Debt, Order, OrderLine, Payment, Refund
from shared.services.journal import SYSTEM, record, user_actor


@dataclass(frozen=True, slots=True)
class ByHand:
    """A person's word that the money went back outside the provider, and how."""

    user_id: int
    note: str


async def settle_debt(
    context: PaymentContext, session: AsyncSession, debt_id: int, *, by_hand: ByHand | None = None
) -> None:
    """Settle a debt whose money went back, in the caller's transaction, which has locked its order. Safe to repeat."""
    debt = await session.get_one(Debt, debt_id, populate_existing=True)
    # The first way that money went back stands, and its note with it.
    if debt.state == DebtState.SETTLED:
        return
    debt.state, debt.settled_at = DebtState.SETTLED, context.clock()
    if by_hand is not None:
        debt.by_hand, debt.settled_by, debt.note = True, by_hand.user_id, by_hand.note
    await record(
        session,
        thing=JournalThing.DEBT,
        thing_id=debt.id,
        order_id=debt.order_id,
        event=debt.state,
        actor=SYSTEM if by_hand is None else user_actor(by_hand.user_id),
        why="" if by_hand is None else "by hand",  # the note may name people: it stays with the debt
        data={"amount": str(debt.amount), "payment": debt.payment_id, "by_hand": debt.by_hand},
    )
    # Only now, not when the debt was made: until the money is back the thing reads "money owed to you".
    if debt.order_line_id is not None:
        await _mark_thing(context, session, debt.order_id, debt.order_line_id)
    await mark_order(session, debt.order_id)


async def _mark_thing(context: PaymentContext, session: AsyncSession, order_id: int, line_id: int) -> None:
    line = line_to_dto(await session.get_one(OrderLine, line_id))
    await context.sellables.of(line.kind).mark_refunded(session, order_id, line)


async def mark_order(session: AsyncSession, order_id: int) -> None:
    """Mark a locked order as refunded, in part or in whole, by the money that came in and went back. Safe to repeat.

    What came on top of its price, and goes back for that reason, is no part of it.
    """
    order = await session.get_one(Order, order_id, populate_existing=True)
    # An overpaid amount was never the order's price: sending it back does not make the order "refunded".
    on_top = Debt.order_line_id.is_(None) & Debt.reason.in_(ON_TOP_REASONS)
    paid = select(func.sum(Payment.amount)).where(Payment.order_id == order_id, Payment.fulfilled_at.is_not(None))
    more = select(func.sum(Debt.amount)).where(Debt.order_id == order_id, on_top)
    by_hand = select(func.sum(Debt.amount)).where(Debt.order_id == order_id, Debt.by_hand, ~on_top)
    back = (
        select(func.sum(Refund.amount))
        .join(Payment, Payment.id == Refund.payment_id)
        # Outer: what was refunded in the provider's dashboard has no debt of ours.
        .outerjoin(Debt, Debt.id == Refund.debt_id)
        .where(Payment.order_id == order_id, Refund.state.in_(REFUND_GONE_BACK), or_(Debt.id.is_(None), ~on_top))
    )
    # One statement for all four sums, so that they are of one moment.
    came, *gone = (func.coalesce(each.scalar_subquery(), 0) for each in (paid, more, by_hand, back))
    kept: Decimal = (await session.execute(select(came - sum(gone)))).scalar_one()
    state = _state_by_money(order.total, kept)
    if order.state in PAID_ORDER_STATES and order.state != state:
        before, order.state = order.state, state
        data: dict[str, object] = {"from": before, "to": state}
        await record(
            session,
            thing=JournalThing.ORDER,
            thing_id=order_id,
            order_id=order_id,
            event=state,
            actor=SYSTEM,
            data=data,
        )


def _state_by_money(total: Decimal, kept: Decimal) -> OrderState:
    """Return the state of a paid order by what we kept of its money; a second payment refunded leaves it paid."""
    # At least: a second payment that has not gone back yet is more than the price.
    if kept >= total:
        return OrderState.PAID
    return OrderState.REFUNDED if kept <= 0 else OrderState.PARTIALLY_REFUNDED
