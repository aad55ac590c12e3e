"""Debts that were paid back outside the provider: a person says so, once, and how."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from cart.debts.settled import ByHand, settle_debt
from cart.wiring import PaymentContext
from shared.contracts.access import PageScope
from shared.contracts.errors import BadInput, Conflict, NotFound
from shared.contracts.states import REFUND_IN_FLIGHT, DebtState
from shared.db.locks import lock_order, lock_payment
from shared.db.uow import unit_of_work
from shared.models import Debt, Refund
from shared.services.cart.attention import debt_within

from .refund import NOT_OWED, RefundUnderWay

LONGEST_NOTE = 500


async def settle_by_hand(
    context: PaymentContext, *, debt_id: int, note: str, actor_user_id: int, scope: PageScope
) -> None:
    """Settle a debt of a scope by somebody's word that the money went back. The same word twice counts once.

    Raises NotFound, BadInput where it does not say how, Conflict where it is settled already, and RefundUnderWay.
    """
    said = ByHand(actor_user_id, read_note(note, "Say how it was paid back, such as: bank transfer on 3 May."))
    async with unit_of_work(context.database) as uow:
        debt = await _locked_debt(uow.session, debt_id, scope)
        if debt.state == DebtState.OWED:
            await _refuse_in_flight(uow.session, debt.id)
            await settle_debt(context, uow.session, debt.id, by_hand=said)
            await uow.commit()
        # The same word again is a double click; another one would be lost if it were taken silently.
        elif not debt.by_hand or ByHand(debt.settled_by or 0, debt.note) != said:
            raise Conflict(NOT_OWED)


def read_note(typed: str, missing: str) -> str:
    """Return what was written down; raises BadInput where it is nothing (saying ``missing``) or too long."""
    note = "\n".join(line.strip() for line in typed.strip().splitlines())
    if not note:
        raise BadInput(missing, field="note")
    # PostgreSQL stores no NUL in a text.
    if len(note) > LONGEST_NOTE or "\0" in note:
        raise BadInput(f"Please keep it to {LONGEST_NOTE} characters of plain text.", field="note")
    return note


async def _locked_debt(session: AsyncSession, debt_id: int, scope: PageScope) -> Debt:
    """Lock a debt's order and payment, and return the debt as it is now. Raises NotFound."""
    debt = await session.scalar(select(Debt).where(Debt.id == debt_id, debt_within(scope)))
    if debt is None:
        raise NotFound
    # In the order of locks, and before the debt is read again: settling may be going on.
    await lock_order(session, debt.order_id)
    await lock_payment(session, debt.payment_id)
    await session.refresh(debt)
    return debt


async def _refuse_in_flight(session: AsyncSession, debt_id: int) -> None:
    """Raise RefundUnderWay where the provider may be refunding this very debt."""
    in_flight = select(Refund.id).where(Refund.debt_id == debt_id, Refund.state.in_(REFUND_IN_FLIGHT))
    if await session.scalar(in_flight) is not None:
        raise RefundUnderWay("A refund of this is under way. Wait for its result before you say that it is paid back.")
