"""The list of orders, newest first, a stretch at a time (keyset paging by id)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from cart.wiring import PaymentContext
from shared.contracts.access import PageScope
from shared.contracts.dtos import ZERO, PageDTO
from shared.contracts.states import REFUND_GONE_BACK, DebtState, OrderState
from shared.models import Debt, Order, OrderLine, Payment, Refund, User

from .scope import debts_in, lines_in, refunds_in
from .search import OrderFilter, bounds


@dataclass(frozen=True, slots=True)
class OrderRow:
    """One order in a list. Amounts are of the lines that the reader may see, in ``currency``."""

    id: int
    number: str
    state: OrderState
    created_at: datetime
    paid_at: datetime | None
    name: str
    email: str
    total: Decimal
    owed: Decimal
    refunded: Decimal
    currency: str
    codes: str
    """The provider's codes of its payments, with spaces between them."""


async def list_orders(
    session: AsyncSession,
    wanted: OrderFilter,
    scope: PageScope,
    *,
    now: datetime,
    before: int | None = None,
    limit: int = 50,
) -> list[OrderRow]:
    """Return what is wanted, newest first, older than the key ``before``; one query, however much it is."""
    statement = (
        select(
            Order.id,
            Order.number,
            Order.state,
            Order.created_at,
            Order.paid_at,
            func.coalesce(User.name, "").label("name"),
            func.coalesce(User.email, Order.guest_email).label("email"),
            # Sums of what the reader may see: staff of one page learn nothing of the other pages' takings.
            _total(scope).label("total"),
            _owed(scope).label("owed"),
            _refunded(scope).label("refunded"),
            Order.currency,
            _codes().label("codes"),
        )
        .outerjoin(User, User.id == Order.user_id)
        .where(*bounds(wanted, scope, now))
        .order_by(Order.id.desc())
        .limit(limit)
    )
    if before is not None:
        statement = statement.where(Order.id < before)
    # Rows, not objects: a list needs a dozen columns of each, and no lines or payments.
    rows = (await session.execute(statement)).mappings()
    return [OrderRow(**row) for row in rows]


async def pages_in(session: AsyncSession, context: PaymentContext, scope: PageScope) -> list[PageDTO]:
    """Return the pages whose orders somebody may see, by title."""
    pages = await context.services.blog.pages(session, drafts=True)
    # Drafts too: a page that was taken down still has its orders.
    return [page for page in pages if scope.everywhere or page.id in scope.page_ids]


def _total(scope: PageScope) -> ColumnElement[Decimal]:
    """Sum what the lines of an order cost that may be seen."""
    lines = select(func.coalesce(func.sum(OrderLine.total), ZERO))
    return lines.where(OrderLine.order_id == Order.id, lines_in(scope)).scalar_subquery()


def _owed(scope: PageScope) -> ColumnElement[Decimal]:
    """Sum what is owed to the buyer of an order."""
    debts = select(func.coalesce(func.sum(Debt.amount), ZERO))
    return debts.where(Debt.order_id == Order.id, Debt.state == DebtState.OWED, debts_in(scope)).scalar_subquery()


def _refunded(scope: PageScope) -> ColumnElement[Decimal]:
    """Sum what was refunded to the buyer of an order through the provider."""
    return (
        select(func.coalesce(func.sum(Refund.amount), ZERO))
        .join(Payment, Payment.id == Refund.payment_id)
        .outerjoin(Debt, Debt.id == Refund.debt_id)
        .where(Payment.order_id == Order.id, Refund.state.in_(REFUND_GONE_BACK))
        .where(refunds_in(scope))
        .scalar_subquery()
    )


def _codes() -> ColumnElement[str]:
    """Join the provider's codes of an order's payments, oldest first."""
    ordered = func.aggregate_strings(Payment.transaction_code, " ")
    return select(func.coalesce(ordered, "")).where(Payment.order_id == Order.id).scalar_subquery()
