"""Money that came in for an order, and went back."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from shared.contracts.states import REFUND_GONE_BACK, DebtState, PaymentState
from shared.models import Debt, Order, Payment, Refund

from .buyer import Buyer


@dataclass(frozen=True, slots=True)
class ReceiptMovement:
    """A payment, or (``is_refund``) money that went back. ``code`` is the provider's, for people, or empty."""

    at: datetime
    amount: Decimal
    code: str
    is_refund: bool
    by_hand: bool = False
    """Whether it went back another way than to the card."""


async def money_of_order(session: AsyncSession, order_id: int, buyer: Buyer) -> list[ReceiptMovement]:
    """Return what came in for one of the buyer's orders and went back, oldest first."""
    # Somebody else's order gives NULL, which nothing equals: no rows, rather than an error to tell orders by.
    mine = select(Order.id).where(Order.id == order_id, buyer.owns()).scalar_subquery()
    # All of them: a second payment that went back is on the receipt as well.
    paid = await session.scalars(select(Payment).where(Payment.order_id == mine, Payment.state == PaymentState.PAID))
    back = await session.execute(
        select(Refund.finished_at, Refund.created_at, Refund.amount, Payment.transaction_code)
        .join(Payment, Payment.id == Refund.payment_id)
        .where(Payment.order_id == mine, Refund.state.in_(REFUND_GONE_BACK))
    )
    money = [
        ReceiptMovement(
            payment.paid_at or payment.created_at, payment.amount, payment.transaction_code or "", is_refund=False
        )
        for payment in paid
    ]
    money += [
        ReceiptMovement(row.finished_at or row.created_at, row.amount, row.transaction_code or "", is_refund=True)
        for row in back
    ]
    by_hand = await session.scalars(
        select(Debt).where(Debt.order_id == mine, Debt.by_hand, Debt.state == DebtState.SETTLED)
    )
    money += [
        ReceiptMovement(debt.settled_at or debt.created_at, debt.amount, "", is_refund=True, by_hand=True)
        for debt in by_hand
    ]
    return sorted(money, key=lambda each: each.at)
