"""What is owed to the buyers of pages that want it so goes back by itself: tried three times, then a person looks."""

from __future__ import annotations

from datetime import datetime, timedelta

import structlog
from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from cart.debts.listing import payment_is_busy
from cart.wiring import PaymentContext
from shared.contracts.errors import ShopError
from shared.contracts.states import CHOSEN_DEBT_REASONS, DebtState, RefundState
from shared.db.uow import unit_of_work
from shared.models import Debt, OrderLine, PageConfig, Payment, Refund

from .refund import refund_debt

WAITS = (timedelta(minutes=15), timedelta(hours=4))
"""How long after the first refusal, and after the second, it is tried again; after the third it stays in the queue."""
BATCH = 20
_log = structlog.get_logger("maypole.refund")


async def refund_automatically(context: PaymentContext) -> None:
    """Refund what is due, oldest first. Safe to repeat, and to run in several workers at the same time."""
    async with unit_of_work(context.database) as uow:
        due = await _due(uow.session, context.clock())
    for debt_id in due:
        try:
            await refund_debt(context, debt_id=debt_id, actor_user_id=None)
        except ShopError as refusal:
            _log.info("refund_not_made", debt_id=debt_id, code=refusal.code)
        except Exception:  # noqa: BLE001 - the edge of the sweep: one that fails does not keep the others waiting
            _log.exception("refund_failed", debt_id=debt_id)


async def _due(session: AsyncSession, now: datetime) -> list[int]:
    """Return debts that go back by themselves and are due a try; none whose payment has a refund under way.

    What somebody refunded (it has the key of a press) is refunded then and there, and never by this.
    """
    refunded_so_far = and_(Debt.request_key.is_not(None), Debt.reason.in_(CHOSEN_DEBT_REASONS))
    statement = (
        select(Debt.id)
        .join(Debt.payment)
        # Without its transaction a payment cannot be refunded yet: it is asked for elsewhere.
        .where(Debt.state == DebtState.OWED, ~refunded_so_far, Payment.transaction_id.is_not(None))
        .where(_page_wants_it(), ~payment_is_busy(), _has_waited(now))
        .order_by(Debt.id)
        .limit(BATCH)
    )
    return list(await session.scalars(statement))


def _page_wants_it() -> ColumnElement[bool]:
    """Say that every page whose money it is wants it so: the line's, or all of the order's."""
    line, config = aliased(OrderLine), aliased(PageConfig)
    wants = (
        select(config.id)
        .where(config.container_type == "page", config.container_id == line.page_post_id)
        .where(config.refund_automatically)
    )
    # A debt of the whole payment is every page's money: each of them has to want it.
    concerned = or_(line.id == Debt.order_line_id, and_(Debt.order_line_id.is_(None), line.order_id == Debt.order_id))
    # "No line whose page does not want it": a page without settings has not said yes.
    return ~select(line.id).where(concerned, ~wants.exists()).exists()


def _has_waited(now: datetime) -> ColumnElement[bool]:
    """Say that a debt was never tried, or was refused so long ago that it is tried again."""
    failed = Refund.state == RefundState.FAILED
    refused = select(func.count()).where(Refund.debt_id == Debt.id, failed).scalar_subquery()
    last = select(func.max(Refund.finished_at)).where(Refund.debt_id == Debt.id, failed).scalar_subquery()
    # Beyond the last wait nothing matches: the debt stays in the queue for a person.
    again = [and_(refused == number, last <= now - wait) for number, wait in enumerate(WAITS, start=1)]
    return or_(refused == 0, *again)
