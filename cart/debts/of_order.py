"""What is owed, or was refunded, to the buyer of one order."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from cart.orders.buyer import Buyer
from shared.contracts.states import DebtReason, DebtState
from shared.models import Debt, Order, OrderLine


@dataclass(frozen=True, slots=True)
class OwedLine:
    """One debt as its buyer sees it; without a title it is about a whole payment."""

    title: str | None
    detail: str
    amount: Decimal
    reason: DebtReason
    state: DebtState


async def debts_of_order(session: AsyncSession, order_id: int, buyer: Buyer) -> list[OwedLine]:
    """Return what is or was owed for one of the buyer's orders, oldest first."""
    rows = await session.execute(
        select(Debt.amount, Debt.reason, Debt.state, OrderLine.title, OrderLine.detail)
        .join(Order, Order.id == Debt.order_id)
        # Outer: a debt about a whole payment has no line.
        .outerjoin(OrderLine, OrderLine.id == Debt.order_line_id)
        .where(Debt.order_id == order_id, buyer.owns())
        .order_by(Debt.id)
    )
    return [OwedLine(row.title, row.detail or "", row.amount, row.reason, row.state) for row in rows]
