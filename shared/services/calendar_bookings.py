"""Bookings in a cart and in an order: the pattern that tickets follow."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import ColumnElement, false, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from shared.contracts.states import DebtReason, EntryKind, EntryState
from shared.models import Calendar, CalendarEntry


def of_owner(user_id: int | None, session_id: str | None) -> ColumnElement[bool]:
    """Bound a query by a cart's owner; nobody owns nothing."""
    if user_id is not None:
        return CalendarEntry.user_id == user_id
    return false() if session_id is None else CalendarEntry.session_id == UUID(session_id)


async def claim_bookings(
    session: AsyncSession, order_id: int, owner: ColumnElement[bool], page_post_id: int | None
) -> None:
    """Move a cart's pending bookings to ordered, in this order."""
    statement = update(CalendarEntry).where(
        owner, CalendarEntry.kind == EntryKind.BOOKING, CalendarEntry.state == EntryState.PENDING
    )
    if page_post_id is not None:
        calendars = select(Calendar.id).where(Calendar.container_type == "page", Calendar.container_id == page_post_id)
        statement = statement.where(CalendarEntry.calendar_id.in_(calendars))
    await session.execute(
        statement.values(state=EntryState.ORDERED, order_id=order_id).execution_options(synchronize_session=False)
    )


async def move_bookings(session: AsyncSession, order_id: int, *, old: EntryState, new: EntryState) -> None:
    """Move an order's bookings from one state to another; back in the cart they belong to no order."""
    kept = None if new == EntryState.PENDING else order_id
    await session.execute(
        update(CalendarEntry)
        .where(CalendarEntry.order_id == order_id, CalendarEntry.state == old)
        .values(state=new, order_id=kept)
        .execution_options(synchronize_session=False)
    )


async def retake_bookings(session: AsyncSession, order_id: int, entry_ids: Sequence[int]) -> dict[int, DebtReason]:
    """Take again the bookings that are still in the cart, and return the others. Safe to repeat."""
    if not entry_ids:
        return {}
    await session.execute(
        update(CalendarEntry)
        .where(CalendarEntry.id.in_(entry_ids), CalendarEntry.state == EntryState.PENDING)
        .where(CalendarEntry.order_id.is_(None))
        .values(state=EntryState.ORDERED, order_id=order_id)
        .execution_options(synchronize_session=False)
    )
    await move_bookings(session, order_id, old=EntryState.ORDERED, new=EntryState.CONFIRMED)
    taken = set(await session.scalars(select(CalendarEntry.id).where(CalendarEntry.order_id == order_id)))
    return {entry_id: DebtReason.SOLD_OUT for entry_id in entry_ids if entry_id not in taken}
