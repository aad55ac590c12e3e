"""Many debts at once: counted and added up before, then refunded by the worker, one after the other.

What is to be refunded is a list of debts, so whatever becomes owed meanwhile is not touched. A debt that was tried
since the batch began is not tried again: a job may run twice, and a refusal is for a person to look at.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Self

import structlog
from sqlalchemy import ColumnElement, Select, and_, exists, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from cart.wiring import PaymentContext
from shared.contracts.access import PageScope
from shared.contracts.errors import Conflict, ShopError, Unavailable
from shared.contracts.states import REFUND_IN_FLIGHT, DebtState, RefundState
from shared.db.uow import unit_of_work
from shared.jobs.queue import REFUND_DEBTS, enqueue, ids_in_queue
from shared.models import Debt, Refund
from shared.services.cart.attention import debt_within

from .refund import RefundUnderWay, refund_debt

MOST_AT_ONCE = 200
WAITS = (*(timedelta(minutes=minutes) for minutes in (1, 2, 5, 15)), *[timedelta(hours=1)] * 24)
"""How long a job waits between its looks for what has to wait for another refund of its payment, or for the provider.

A refund whose answer was lost is decided after minutes, and one that the provider has accepted may take hours.
"""
CHANGED = "What is owed has changed since you looked. Nothing was sent; please look at the new sum."
_log = structlog.get_logger("maypole.refund")


@dataclass(frozen=True, slots=True)
class Batch:
    """The oldest debts that can be refunded now: how many, how much, and up to which one."""

    count: int
    amount: Decimal
    last_id: int


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a batch has come."""

    gone_back: int
    failed: int
    under_way: int
    to_come: int
    left: int
    """What no job will look at any more: it waits for a person."""

    @property
    def total(self) -> int:
        """How many debts it is about."""
        return self.gone_back + self.failed + self.under_way + self.to_come + self.left

    @property
    def is_done(self) -> bool:
        """Whether there is nothing to wait for."""
        return not self.under_way and not self.to_come


@dataclass(frozen=True, slots=True)
class RefundJob:
    """Debts that somebody wants refunded, each unless it was tried after ``since``; ``looks``: in vain so far."""

    debt_ids: tuple[int, ...]
    actor_user_id: int
    since: datetime
    looks: int = 0

    def payload(self) -> dict[str, object]:
        """Return it as the queue keeps it."""
        return {
            "debt_ids": list(self.debt_ids),
            "user_id": self.actor_user_id,
            "since": self.since.isoformat(),
            "looks": self.looks,
        }

    @classmethod
    def read(cls, payload: Mapping[str, Any]) -> Self:
        """Return a job as the queue has kept it; one that an older release has left begins its looks anew."""
        since = datetime.fromisoformat(payload["since"])
        return cls(tuple(payload["debt_ids"]), payload["user_id"], since, payload.get("looks", 0))


async def find_batch(session: AsyncSession, scope: PageScope) -> Batch:
    """Return what a scope's refunds at once would be about; one query."""
    oldest = _refundable(scope).order_by(Debt.id).limit(MOST_AT_ONCE).subquery()
    row = (await session.execute(select(func.count(), func.sum(oldest.c.amount), func.max(oldest.c.id)))).one()
    return Batch(row[0], row[1] or Decimal(0), row[2] or 0)


async def start_batch(context: PaymentContext, *, shown: Batch, scope: PageScope, actor_user_id: int) -> datetime:
    """Have the worker refund exactly what was shown, and return when that began.

    Raises Conflict where what is owed has changed since.
    """
    since = context.clock()
    async with unit_of_work(context.database) as uow:
        wanted = _refundable(scope).where(Debt.id <= shown.last_id).order_by(Debt.id).limit(MOST_AT_ONCE)
        debts = (await uow.session.execute(wanted)).all()
        # Count, sum and last one: what the admin pressed for must be what is sent, to the cent.
        if Batch(len(debts), sum((debt.amount for debt in debts), Decimal(0)), shown.last_id) != shown:
            raise Conflict(CHANGED)
        # The ids are kept, not the question: what is owed by the time that the worker looks was not agreed to.
        job = RefundJob(tuple(debt.id for debt in debts), actor_user_id, since)
        await enqueue_refunds(uow.session, job)
        await uow.commit()
    _log.info("refunds_at_once", debts=len(job.debt_ids), user_id=actor_user_id)
    return since


async def enqueue_refunds(session: AsyncSession, job: RefundJob, *, after: timedelta | None = None) -> None:
    """Have the worker do a job once the caller's transaction is committed, and ``after`` has passed."""
    await enqueue(session, REFUND_DEBTS, job.payload(), after=after)


async def run_refunds(context: PaymentContext, job: RefundJob) -> None:
    """Do the job: refund each debt, and look again later for those that have to wait. Safe to repeat.

    After a look that brought nothing on the next one waits longer; after a day of them the rest stays in the queue.
    """
    waiting = await refund_each(context, job)
    # Any progress starts the waits anew: the provider answers again.
    looks = 0 if len(waiting) < len(job.debt_ids) else job.looks + 1
    if not waiting or looks >= len(WAITS):
        return
    async with unit_of_work(context.database) as uow:
        again = replace(job, debt_ids=tuple(waiting), looks=looks)
        await enqueue_refunds(uow.session, again, after=WAITS[looks])
        await uow.commit()


async def refund_each(context: PaymentContext, job: RefundJob) -> list[int]:
    """Refund debts one after the other; return those that have to wait.

    They wait for another refund of their payment, for what went wrong unforeseen to come right (a lock that was not
    had in time, a database that restarts), or all that are left for a provider who cannot be asked.
    """
    waiting: list[int] = []
    for number, debt_id in enumerate(job.debt_ids):
        try:
            await _refund_once(context, debt_id, job)
        # One refund in flight a payment: two debts of one payment go one after the other.
        except RefundUnderWay:
            waiting.append(debt_id)
        # The provider is away: asking for each of the rest would only wait as many times.
        except Unavailable:
            return [*waiting, *job.debt_ids[number + 1 :]]
        except ShopError as refusal:
            _log.info("refund_not_made", debt_id=debt_id, code=refusal.code)
        except Exception:  # noqa: BLE001 - the edge of the job: one that fails does not end it for the others
            _log.exception("refund_failed", debt_id=debt_id)
            waiting.append(debt_id)
    return waiting


async def _refund_once(context: PaymentContext, debt_id: int, job: RefundJob) -> None:
    """Refund a debt, unless it was tried since the job began."""
    # A job that was interrupted runs again; what it has sent before must not be sent as a new refund.
    if not await _was_tried(context, debt_id, job.since):
        await refund_debt(context, debt_id=debt_id, actor_user_id=job.actor_user_id)


async def find_progress(session: AsyncSession, scope: PageScope, *, last_id: int, since: datetime) -> Progress:
    """Return how far a batch of a scope has come; one query."""
    failed = _has_refund(Refund.state == RefundState.FAILED, Refund.created_at >= since)
    under_way = _has_refund(Refund.state.in_(REFUND_IN_FLIGHT))
    owed, in_hand = Debt.state == DebtState.OWED, Debt.id.in_(ids_in_queue(REFUND_DEBTS, "debt_ids"))
    counts = (
        func.count().filter(~owed),
        func.count().filter(owed, failed, ~under_way),
        func.count().filter(owed, under_way),
        func.count().filter(owed, ~failed, ~under_way, in_hand),
        func.count().filter(owed, ~failed, ~under_way, ~in_hand),
    )
    # Debts that were settled before the batch began have an id below its last one too.
    touched = or_(owed, Debt.settled_at >= since)
    row = (await session.execute(select(*counts).where(Debt.id <= last_id, touched, debt_within(scope)))).one()
    return Progress(*row)


async def debts_in_hand(session: AsyncSession, debt_ids: Collection[int]) -> frozenset[int]:
    """Return those of some debts that a job will refund, now or later. For admins only."""
    in_hand = ids_in_queue(REFUND_DEBTS, "debt_ids")
    return frozenset(await session.scalars(select(Debt.id).where(Debt.id.in_(debt_ids), Debt.id.in_(in_hand))))


def _refundable(scope: PageScope) -> Select[int, Decimal]:
    """Select what is owed in a scope and has no refund under way."""
    return select(Debt.id, Debt.amount).where(
        # Only hint: what decides is the unique index on refunds in flight.
        Debt.state == DebtState.OWED,
        ~_has_refund(Refund.state.in_(REFUND_IN_FLIGHT)),
        debt_within(scope),
    )


def _has_refund(*which: ColumnElement[bool]) -> ColumnElement[bool]:
    return exists().where(and_(Refund.debt_id == Debt.id, *which))


async def _was_tried(context: PaymentContext, debt_id: int, since: datetime) -> bool:
    async with unit_of_work(context.database) as uow:
        tried = select(Refund.id).where(Refund.debt_id == debt_id, Refund.created_at >= since).limit(1)
        return await uow.session.scalar(tried) is not None
