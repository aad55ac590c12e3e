"""What is owed, to whom and why: a read for those who refund money, bounded by their pages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import ColumnElement, Select, func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased, joinedload, selectinload

from shared.contracts.access import PageScope
from shared.contracts.errors import NotFound
from shared.contracts.states import REFUND_IN_FLIGHT, DebtReason, DebtState, RefundState
from shared.models import Debt, Order, Refund, User
from shared.services.cart.attention import debt_within


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
    waits_for_other: bool
    """Whether another refund of the same payment is in flight, which has to be decided first."""
    failures: int
    """How many refunds of it did not go through."""
    settled_at: datetime | None
    by_hand: bool
    note: str
    settled_by: str
    """Who said that it was paid back by hand."""


async def list_debts(
    session: AsyncSession,
    scope: PageScope,
    *,
    state: DebtState = DebtState.OWED,
    after: int | None = None,
    limit: int = 50,
) -> list[DebtRow]:
    """Return a scope's debts in a state, oldest first, after the key ``after``; two queries, however many there are."""
    statement = _debts(scope, Debt.state == state).order_by(Debt.id).limit(limit)
    # The id rises with the time: as a key it is as good, and shorter.
    return await _rows(session, statement if after is None else statement.where(Debt.id > after))


async def find_debt(session: AsyncSession, scope: PageScope, debt_id: int) -> DebtRow:
    """Return one debt of a scope. Raises NotFound."""
    found = await _rows(session, _debts(scope, Debt.id == debt_id))
    if not found:
        raise NotFound
    return found[0]


async def debts_of_request(session: AsyncSession, scope: PageScope, order_id: int, key: UUID) -> list[DebtRow]:
    """Return the debts of a scope that one press of a button made, in the order in which it did."""
    pressed = (Debt.order_id == order_id) & (Debt.request_key == key)
    return await _rows(session, _debts(scope, pressed).order_by(Debt.id))


def _debts(scope: PageScope, which: ColumnElement[bool]) -> Select[Debt, str, str, bool]:
    """Select debts of a scope with their buyer, who settled them by hand, and whether their payment is busy."""
    settler = aliased(User)
    return (
        select(Debt, func.coalesce(User.email, Order.guest_email), settler.email, payment_is_busy())
        .join(Debt.order)
        .outerjoin(User, User.id == Order.user_id)
        .outerjoin(settler, settler.id == Debt.settled_by)
        # A scope is part of the query: staff of one page never read the debts of another.
        .where(which, debt_within(scope))
        .options(joinedload(Debt.order), joinedload(Debt.order_line), selectinload(Debt.refunds))
    )


def payment_is_busy() -> ColumnElement[bool]:
    """Say of a debt that a refund of its payment is in flight: its own, or another."""
    refund = aliased(Refund)
    return select(refund.id).where(refund.payment_id == Debt.payment_id, refund.state.in_(REFUND_IN_FLIGHT)).exists()


async def _rows(session: AsyncSession, statement: Select[Debt, str, str, bool]) -> list[DebtRow]:
    """Read debts as they are now."""
    found = await session.execute(statement.execution_options(populate_existing=True))
    return [_row(debt, email, settler or "", busy=busy) for debt, email, settler, busy in found]


def _row(debt: Debt, email: str, settler: str, *, busy: bool) -> DebtRow:
    # The relation is ordered by id, so that the last one is the newest.
    last = debt.refunds[-1] if debt.refunds else None
    in_flight = last is not None and last.state in REFUND_IN_FLIGHT
    return DebtRow(
        id=debt.id,
        order_id=debt.order_id,
        order_number=debt.order.number,
        buyer_email=email,
        amount=debt.amount,
        currency=debt.currency,
        reason=debt.reason,
        line_title=None if debt.order_line is None else debt.order_line.title,
        created_at=debt.created_at,
        state=debt.state,
        last_refund_state=None if last is None else last.state,
        last_refund_reason="" if last is None else last.reason,
        # The database allows one refund in flight a payment; the button is not offered where it would be refused.
        can_refund=debt.state == DebtState.OWED and not busy,
        waits_for_other=debt.state == DebtState.OWED and busy and not in_flight,
        failures=_failures(debt.refunds),
        settled_at=debt.settled_at,
        by_hand=debt.by_hand,
        note=debt.note,
        settled_by=settler,
    )


def _failures(refunds: Sequence[Refund]) -> int:
    return sum(refund.state == RefundState.FAILED for refund in refunds)
