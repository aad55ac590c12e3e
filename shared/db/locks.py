"""The only module that locks rows, in the one order of docs/locking.md.

cart owner → orders → payments → refunds → entries → ticket types → (whole rooms) slots → variants, each by id. All are
``FOR NO KEY UPDATE``: a plain ``FOR UPDATE`` on an entry would block every insert that refers to it. Every wait
ends at the connection's ``lock_timeout``.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import Select, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from shared.contracts.owner import CartOwner
from shared.models import (
    Calendar,
    CalendarEntry,
    LoginSession,
    Order,
    Payment,
    ProductVariant,
    Refund,
    Slot,
    TicketType,
    User,
)

T = TypeVar("T", Order, Payment, Refund, CalendarEntry, TicketType, Calendar, Slot, ProductVariant)


S = TypeVar("S", bound=Select[Any])


def locking(statement: S) -> S:
    """Let a statement lock the rows that it reads, and wait for those that somebody else has locked."""
    # ``key_share`` is FOR NO KEY UPDATE: PostgreSQL lets rows that refer to this one be inserted meanwhile.
    return statement.with_for_update(key_share=True)


def locking_idle(statement: S) -> S:
    """Let a statement lock the rows that it reads, and pass over those that somebody else has locked."""
    return statement.with_for_update(key_share=True, skip_locked=True)


def _locked(statement: Select[T]) -> Select[T]:
    # The identity map would hand out the row as it was read before the wait, and decisions would rest on that.
    return locking(statement).execution_options(populate_existing=True)


async def _by_id(session: AsyncSession, model: type[T], ids: Collection[int]) -> list[T]:
    if not ids:
        return []
    # Lowest id first: two who want the same rows in another order would wait for each other for ever.
    rows = await session.scalars(_locked(select(model).where(model.id.in_(sorted(ids))).order_by(model.id)))
    return list(rows)


async def lock_cart_owner(session: AsyncSession, owner: CartOwner) -> None:
    """Lock whoever owns a cart, so that one cart is checked out once at a time."""
    if owner.user_id is not None:
        await session.execute(locking(select(User.id).where(User.id == owner.user_id)))
    elif owner.session_id is not None:
        await session.execute(locking(select(LoginSession.id).where(LoginSession.id == owner.session_id)))


async def lock_name(session: AsyncSession, name: str) -> None:
    """Lock what is no row of ours: a guest's address and network (after all rows), or a job that is to wait once."""
    await session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(name, 0))))


async def lock_joining(session: AsyncSession, *, session_id: UUID, user_id: int) -> None:
    """Lock an anonymous cart and the account that it joins, in this order."""
    # The session first, then the user: the one order for both, in which everybody takes them.
    await lock_cart_owner(session, CartOwner.of_session(session_id))
    await lock_cart_owner(session, CartOwner.of_user(user_id))


async def lock_idle_owners(session: AsyncSession, owners: Collection[CartOwner]) -> set[CartOwner]:
    """Lock those of some carts' owners whom nobody else has locked at this moment; return them."""
    user_ids = {owner.user_id for owner in owners if owner.user_id is not None}
    session_ids = {owner.session_id for owner in owners if owner.session_id is not None}
    users = select(User.id).where(User.id.in_(user_ids)).order_by(User.id)
    sessions = select(LoginSession.id).where(LoginSession.id.in_(session_ids)).order_by(LoginSession.id)
    idle = {CartOwner.of_session(row) for row in await session.scalars(locking_idle(sessions))}
    return idle | {CartOwner.of_user(row) for row in await session.scalars(locking_idle(users))}


async def lock_order(session: AsyncSession, order_id: int) -> Order | None:
    """Lock one order and return it as it is now."""
    rows = await _by_id(session, Order, [order_id])
    return rows[0] if rows else None


async def lock_payment(session: AsyncSession, payment_id: int) -> Payment | None:
    """Lock one payment and return it as it is now; its order is locked before, where both are wanted."""
    rows = await _by_id(session, Payment, [payment_id])
    return rows[0] if rows else None


async def lock_refund(session: AsyncSession, refund_id: int) -> Refund | None:
    """Lock one refund and return it as it is now; its order and payment are locked before."""
    rows = await _by_id(session, Refund, [refund_id])
    return rows[0] if rows else None


async def lock_entries(session: AsyncSession, ids: Collection[int]) -> list[CalendarEntry]:
    """Lock calendar entries: what becomes scarcer."""
    return await _by_id(session, CalendarEntry, ids)


async def lock_ticket_types(session: AsyncSession, ids: Collection[int]) -> list[TicketType]:
    """Lock ticket types, after their entries. A type's seats are its own and its entry's."""
    return await _by_id(session, TicketType, ids)


async def lock_calendars(session: AsyncSession, ids: Collection[int]) -> list[Calendar]:
    """Lock calendars whose room is let as a whole, before their slots: only there do times of other lengths meet."""
    return await _by_id(session, Calendar, ids)


async def lock_slots(session: AsyncSession, ids: Collection[int]) -> list[Slot]:
    """Lock slots, after everything that holds seats."""
    return await _by_id(session, Slot, ids)


async def lock_variants(session: AsyncSession, ids: Collection[int]) -> list[ProductVariant]:
    """Lock products' variants: last of all."""
    return await _by_id(session, ProductVariant, ids)


async def take_question(session: AsyncSession, payment_id: int, *, now: datetime, every: timedelta) -> bool:
    """Take the one question about a payment that may be asked in a stretch of time; False: it was asked already.

    Waits while somebody settles the payment, so that its state is read as it is then. The caller commits before it
    asks.
    """
    quiet = or_(Payment.asked_at.is_(None), Payment.asked_at <= now - every)
    # One statement decides: of many who look at once one asks.
    taken = update(Payment).where(Payment.id == payment_id, quiet).values(asked_at=now).returning(Payment.id)
    return await session.scalar(taken.execution_options(synchronize_session=False)) is not None


async def take_due(
    session: AsyncSession, model: type[Payment | Refund], *, now: datetime, lease: timedelta, limit: int
) -> list[int]:
    """Take rows that are due a look, so that no other worker takes them for the length of ``lease``; return their ids.

    Rows that somebody else has locked are passed over. The caller commits before it does anything with them.
    """
    due = locking_idle(select(model.id).where(model.next_check_at <= now).order_by(model.next_check_at).limit(limit))
    taken = (
        update(model)
        .where(model.id.in_(due))
        # Moved ahead before the work: a worker that is killed in it loses the row only until the lease is over.
        .values(next_check_at=now + lease, checks=model.checks + 1)
        .returning(model.id)
        # Ids alone are wanted; the rows are read anew, under their own locks, by whoever handles them.
        .execution_options(synchronize_session=False)
    )
    return list(await session.scalars(taken))
