"""What is owed, to whom and why: a read for admins."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import joinedload, selectinload

from shared.contracts.states import REFUND_IN_FLIGHT, DebtReason, DebtState, RefundState
from shared.models import Debt, Order, User


@dataclass(frozen=True, slots=True)
class DebtRow:
    """One debt with the last attempt to pay it. Amounts are in ``currency``."""

    id: int
    order_id: int
    order_number: str
    buyer_email: str
    amount: Decimal
    currency: str
    reason: DebtReason
    line_title: str | None
    created_at: datetime
    state: DebtState
    last_refund_state: RefundState | None
    last_refund_reason: str
    can_refund: bool


async def list_debts(
    session: AsyncSession, *, state: DebtState = DebtState.OWED, after: int | None = None, limit: int = 50
) -> list[DebtRow]:
    """Return debts in a state, oldest first, after the key ``after``. For admins only."""
    statement = (
        select(Debt, func.coalesce(User.email, Order.guest_email))
        .join(Debt.order)
        .outerjoin(User, User.id == Order.user_id)
        .where(Debt.state == state)
        .options(joinedload(Debt.order), joinedload(Debt.order_line), selectinload(Debt.refunds))
        .order_by(Debt.id)
        .limit(limit)
    )
    if after is not None:
        statement = statement.where(Debt.id > after)
    return [_row(debt, email) for debt, email in await session.execute(statement)]


def _row(debt: Debt, email: str) -> DebtRow:
    """Map a debt."""
    last = debt.refunds[-1] if debt.refunds else None
    return DebtRow(
        id=debt.id,
        order_id=debt.order_id,
        order_number=debt.order.number,
        buyer_email=email,
        amount=debt.amount,
        currency=debt.currency,
        reason=DebtReason(debt.reason),
        line_title=None if debt.order_line is None else debt.order_line.title,
        created_at=debt.created_at,
        state=DebtState(debt.state),
        last_refund_state=None if last is None else RefundState(last.state),
        last_refund_reason="" if last is None else last.reason,
        can_refund=debt.state == DebtState.OWED and (last is None or last.state not in REFUND_IN_FLIGHT),
    )
