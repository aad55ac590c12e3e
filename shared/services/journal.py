"""The journal: who, when, what and why, in the same transaction as the change (docs/money.md, promise 13).

Orders, payments, debts and refunds tell of themselves by ``record``; tickets, bookings and stock by a trigger, which
takes who and why from ``act_as``.
"""

from __future__ import annotations

from enum import StrEnum

from sqlalchemy import func, insert, select, true
from sqlalchemy.ext.asyncio import AsyncSession
from structlog.contextvars import get_contextvars

from shared.contracts.journal import JournalThing
from shared.models import JournalEntry

SYSTEM = "system"
WORKER = "worker"
PROVIDER = "provider"


def user_actor(user_id: int) -> str:
    """Name a person as an actor, by id: a name or address could not be forgotten later."""
    return f"user:{user_id}"


async def act_as(session: AsyncSession, actor: str, why: str = "") -> None:
    """Say who changes tickets, bookings and stock from here to the end of the caller's transaction, and why."""
    # set_config with true ends with the transaction: the next user of the connection is not named in its place.
    said = {"maypole.actor": actor, "maypole.why": why, "maypole.request_id": get_contextvars().get("request_id") or ""}
    await session.execute(select(*(func.set_config(name, value, true()) for name, value in said.items())))


async def record(
    session: AsyncSession,
    *,
    thing: JournalThing,
    thing_id: int,
    event: StrEnum,
    actor: str,
    order_id: int | None = None,
    why: str = "",
    data: dict[str, object] | None = None,
) -> None:
    """Add one line. ``event`` is the thing's new state, or a ``JournalEvent``.

    ``data`` holds ids, states and amounts (as text), never names or addresses. What the session has not written yet is
    written first: the journal tells only of what the database has taken.
    """
    # First the change, then the line: a refused change raises here and leaves no line behind.
    await session.flush()
    await session.execute(
        insert(JournalEntry).values(
            thing=thing,
            thing_id=thing_id,
            order_id=order_id,
            event=event,
            actor=actor,
            why=why,
            data=data,
            # The same id as in the request's log lines, so that one leads to the other.
            request_id=get_contextvars().get("request_id"),
        )
    )
