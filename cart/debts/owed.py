"""Money that becomes owed: the one way in which a debt comes about."""

from __future__ import annotations

from decimal import Decimal
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from shared.contracts.journal import JournalThing
from shared.contracts.states import DebtReason, DebtState
from shared.models import Debt, OrderLine, Payment
from shared.services.journal import SYSTEM, record


async def owe(
    session: AsyncSession,
    payment: Payment,
    amount: Decimal,
    reason: DebtReason,
    *,
    line_id: int | None,
    actor: str = SYSTEM,
    request_key: UUID | None = None,
) -> int | None:
    """Write a debt down, in the caller's transaction, which has locked the order; return it, if it is new.

    There is one for a line of a payment, and one without a line: about the whole payment, or what is on top. Of those
    that somebody decided on (``request_key`` names the press of the button) there is one for each press.
    """
    row = insert(Debt).values(
        order_id=payment.order_id,
        payment_id=payment.id,
        order_line_id=line_id,
        amount=amount,
        currency=payment.currency,
        reason=reason,
        request_key=request_key,
    )
    # The unique keys decide what is the same debt: whoever comes second writes nothing.
    debt_id = await session.scalar(row.on_conflict_do_nothing().returning(Debt.id))
    if debt_id is not None:
        await record(
            session,
            thing=JournalThing.DEBT,
            thing_id=debt_id,
            order_id=payment.order_id,
            event=DebtState.OWED,
            actor=actor,
            why=reason,
            data={"amount": str(amount), "payment": payment.id, "line": line_id},
        )
    return debt_id


async def left_of_line(session: AsyncSession, payment: Payment, line: OrderLine) -> Decimal:
    """Return what can still be owed of a line: its price, less what is owed of it, and no more than is left of all.

    The caller has locked the order and read the payment anew.
    """
    owed = await session.scalar(select(func.sum(Debt.amount)).where(Debt.order_line_id == line.id))
    # Also no more than the payment has left: amounts without a line may have been owed before.
    return min(line.total - (owed or Decimal(0)), payment.amount - payment.owed)
