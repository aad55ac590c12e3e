"""Which orders need a person, and why."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from enum import StrEnum

from sqlalchemy import ColumnElement, Select, SQLColumnExpression, literal, or_, select, union_all
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from shared.contracts.access import PageScope
from shared.contracts.states import DebtState, PaymentState, RefundState
from shared.models import Debt, Mail, Order, Payment, Refund

from .mails import keys_of, order_ids_of_given_up
from .scope import debts_in, refunds_in


class Trouble(StrEnum):
    """Why an order needs a person."""

    OWED = "owed"
    REVIEW = "review"
    UNCLEAR = "unclear"
    REFUND_FAILED = "refund_failed"
    REFUND_UNKNOWN = "refund_unknown"
    MAIL = "mail"


UNCLEAR = (PaymentState.UNKNOWN, PaymentState.CLOSING)
"""Payments of which nobody knows whether they can still take money: trouble once their time is over."""


def is_in_trouble(scope: PageScope, now: datetime) -> ColumnElement[bool]:
    """Bound a query of orders to those that need a person.

    The ids come from what is in trouble, which is little, and not from looking at each order.
    """
    # UNION ALL: sorting out doubles would cost more than asking for an id twice.
    found = union_all(*_about_money(scope, now)).subquery()
    mails = order_ids_of_given_up().subquery()
    return or_(Order.id.in_(select(found.c.order_id)), Order.id.in_(select(mails.c.order_id)))


async def troubles_of(
    session: AsyncSession, order_ids: Collection[int], scope: PageScope, now: datetime
) -> dict[int, tuple[Trouble, ...]]:
    """Return why these orders need a person; one query. The caller has bounded the orders."""
    if not order_ids:
        return {}
    # Mails know no order: they are found by the keys that mails about these orders may have.
    keys = keys_of(order_ids).subquery()
    given_up = (
        select(keys.c.order_id, literal(Trouble.MAIL.value))
        .join(Mail, Mail.key == keys.c.key)
        .where(Mail.given_up_at.is_not(None))
    )
    rows = await session.execute(union_all(*_about_money(scope, now, order_ids), given_up))
    found: dict[int, set[str]] = {}
    for order_id, kind in rows:
        found.setdefault(order_id, set()).add(kind)
    # In the enum's order, so that the worst stands first, whichever way the rows came.
    return {order_id: tuple(kind for kind in Trouble if kind in kinds) for order_id, kinds in found.items()}


def _about_money(scope: PageScope, now: datetime, order_ids: Collection[int] | None = None) -> list[Select[int, str]]:
    """Select orders (of those given, if any are) in trouble about money, each with what it is."""
    owed = _select(Trouble.OWED, Debt.order_id, order_ids).where(Debt.state == DebtState.OWED, debts_in(scope))
    review = _select(Trouble.REVIEW, Payment.order_id, order_ids).where(Payment.state == PaymentState.REVIEW)
    unclear = _select(Trouble.UNCLEAR, Payment.order_id, order_ids).where(
        Payment.state.in_(UNCLEAR), Payment.valid_until <= now
    )
    failed = _refunds(Trouble.REFUND_FAILED, scope, order_ids).where(
        Refund.state == RefundState.FAILED, ~_tried_again()
    )
    unknown = _refunds(Trouble.REFUND_UNKNOWN, scope, order_ids).where(Refund.state == RefundState.UNKNOWN)
    return [owed, review, unclear, failed, unknown]


def _select(
    trouble: Trouble, order_id: SQLColumnExpression[int], order_ids: Collection[int] | None
) -> Select[int, str]:
    statement: Select[int, str] = select(order_id.label("order_id"), literal(trouble.value).label("trouble"))
    return statement if order_ids is None else statement.where(order_id.in_(order_ids))


def _refunds(trouble: Trouble, scope: PageScope, order_ids: Collection[int] | None) -> Select[int, str]:
    return (
        _select(trouble, Payment.order_id, order_ids)
        .select_from(Refund)
        .join(Payment, Payment.id == Refund.payment_id)
        .outerjoin(Debt, Debt.id == Refund.debt_id)
        .where(refunds_in(scope))
    )


def _tried_again() -> ColumnElement[bool]:
    """Tell of a refund whether another one was made after it, or its debt was settled by hand."""
    later = aliased(Refund)
    # A failure that was tried again says nothing about today: the newest try speaks.
    again = select(later.id).where(later.debt_id == Refund.debt_id, later.id > Refund.id).exists()
    return again | Debt.by_hand.is_(True)
