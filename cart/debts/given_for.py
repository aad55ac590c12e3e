"""Which of an order's payments its things were given for."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from shared.contracts.states import WHOLE_PAYMENT_REASONS, PaymentState
from shared.models import Debt, Payment


async def payment_given_for(session: AsyncSession, order_id: int) -> Payment | None:
    """Return the payment that an order was given for; None where there is none.

    One on top of it is owed back as a whole, or will be.
    """
    whole = select(Debt.id).where(
        Debt.payment_id == Payment.id, Debt.order_line_id.is_(None), Debt.reason.in_(WHOLE_PAYMENT_REASONS)
    )
    statement = select(Payment).where(
        Payment.order_id == order_id,
        Payment.state == PaymentState.PAID,
        Payment.fulfilled_at.is_not(None),
        # A payment that is owed back as a whole paid for nothing.
        ~whole.exists(),
    )
    return (await session.scalars(statement.execution_options(populate_existing=True))).one_or_none()
