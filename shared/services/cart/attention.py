"""Money that waits for a person, bounded by page: debts, payments set aside, and what only the provider knew.

A debt for a line belongs to the page that sold it. What is about a whole payment belongs to all of its order's pages,
so that nobody decides on another page's money.
"""

from __future__ import annotations

from sqlalchemy import ColumnElement, and_, false, func, or_, select, true
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute, aliased
from sqlalchemy.sql.expression import ScalarSelect, Select

from shared.contracts.access import PageScope
from shared.contracts.states import DebtState, PaymentState
from shared.models import Debt, OrderLine, Payment, ProviderFinding

MOST_COUNTED = 100
"""More of one kind are not counted: the header says "99+"."""


def order_within(scope: PageScope, order_id: InstrumentedAttribute[int]) -> ColumnElement[bool]:
    """Bound a query by orders of which every line was sold by a page of the scope."""
    if scope.everywhere or scope.is_empty:
        return true() if scope.everywhere else false()
    line = aliased(OrderLine)
    # NOT IN is not true of NULL: a line of no page would count as one of the scope's.
    elsewhere = or_(line.page_post_id.is_(None), line.page_post_id.not_in(scope.page_ids))
    return ~select(line.id).where(line.order_id == order_id, elsewhere).exists()


def debt_within(scope: PageScope) -> ColumnElement[bool]:
    """Bound a query of debts by the pages of a scope."""
    if scope.everywhere or scope.is_empty:
        return true() if scope.everywhere else false()
    line = aliased(OrderLine)
    of_line = select(line.id).where(line.id == Debt.order_line_id, line.page_post_id.in_(scope.page_ids)).exists()
    return or_(of_line, and_(Debt.order_line_id.is_(None), order_within(scope, Debt.order_id)))


def finding_within(scope: PageScope) -> ColumnElement[bool]:
    """Bound a query of findings by the pages of a scope; those about no payment of ours are seen everywhere alone."""
    if scope.everywhere:
        return true()
    payment = aliased(Payment)
    ours = select(payment.id).where(payment.id == ProviderFinding.payment_id, order_within(scope, payment.order_id))
    return ours.exists()


async def count_attention(session: AsyncSession, scope: PageScope) -> int:
    """Count what waits for a person within a scope, of each kind up to ``MOST_COUNTED``, in one query."""
    waiting = (select(Debt.id).where(Debt.state == DebtState.OWED, debt_within(scope)), *_to_look_at(scope))
    debts, payments, findings = (_bounded_count(statement) for statement in waiting)
    return await session.scalar(select(debts + payments + findings)) or 0


async def count_to_look_at(session: AsyncSession, scope: PageScope) -> int:
    """Count what of that is no debt: payments in review and findings within a scope, in one query."""
    payments, findings = (_bounded_count(statement) for statement in _to_look_at(scope))
    return await session.scalar(select(payments + findings)) or 0


def _to_look_at(scope: PageScope) -> tuple[Select[int], Select[int]]:
    """Select the payments in review, and the findings, that wait for a person within a scope."""
    return (
        select(Payment.id).where(Payment.state == PaymentState.REVIEW, order_within(scope, Payment.order_id)),
        select(ProviderFinding.id).where(ProviderFinding.resolved_at.is_(None), finding_within(scope)),
    )


def _bounded_count(statement: Select[int]) -> ScalarSelect[int]:
    """Count rows, but no more than are of interest."""
    return select(func.count()).select_from(statement.limit(MOST_COUNTED).subquery()).scalar_subquery()
