"""Forgetting: what is kept about a person goes, the books stay (docs/privacy.md)."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ColumnElement, Delete, Update, case, delete, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from shared.contracts.errors import Conflict
from shared.contracts.states import DebtState, OrderState
from shared.models import (
    CartItem,
    CartNotice,
    Debt,
    KnownBrowser,
    LoginSession,
    Mail,
    Order,
    SignInLink,
    User,
    UserRole,
)

NOBODY_AT = "forgotten.invalid"
"""The domain of addresses that are nobody's: no mail can ever be sent there (RFC 2606)."""


async def forget_person(session: AsyncSession, email: str, *, now: datetime) -> tuple[int, int]:
    """Make an address and its account anonymous, in the caller's transaction; return how many orders and mails it had.

    Raises Conflict while an order of theirs is unpaid, or money is owed to them. Safe to repeat: the second time there
    is nobody.
    """
    user_id = await session.scalar(select(User.id).where(User.email == email))
    theirs = (
        Order.guest_email == email if user_id is None else or_(Order.guest_email == email, Order.user_id == user_id)
    )
    await _refuse_open(session, theirs)
    orders = await session.scalar(select(func.count()).select_from(Order).where(theirs)) or 0
    # As guests: an order keeps a buyer, who is nobody that could be written to.
    nobody = func.concat("order-", Order.id, f"@{NOBODY_AT}")
    await _run(session, update(Order).where(Order.guest_email == email).values(guest_email=nobody, network=""))
    mails = (await session.scalars(_emptied(Mail.recipient == email, now).returning(Mail.id))).all()
    await _run(session, delete(SignInLink).where(SignInLink.email == email))
    if user_id is not None:
        await _forget_account(session, user_id)
    return orders, len(mails)


async def empty_old_mails(session: AsyncSession, *, older_than: datetime, now: datetime, limit: int = 500) -> int:
    """Take from mails that were sent or given up long ago whom they went to and what they said. Safe to repeat."""
    done = func.coalesce(Mail.sent_at, Mail.given_up_at) < older_than
    old = select(Mail.id).where(done, Mail.recipient != "").order_by(Mail.id).limit(limit)
    return len((await session.scalars(_emptied(Mail.id.in_(old), now).returning(Mail.id))).all())


async def empty_networks(session: AsyncSession, *, older_than: datetime) -> None:
    """Take from orders which network they came from, once that counts for nothing any more. Safe to repeat."""
    old = update(Order).where(Order.network != "", Order.created_at < older_than)
    await _run(session, old.values(network=""))


def _emptied(which: ColumnElement[bool], now: datetime) -> Update:
    # One that waits still is given up: there is nobody to send it to.
    waits = Mail.sent_at.is_(None) & Mail.given_up_at.is_(None)
    nothing = dict.fromkeys(("recipient", "reply_to", "subject", "text", "html", "last_error"), "")
    emptied = update(Mail).where(which).values(given_up_at=case((waits, now), else_=Mail.given_up_at), **nothing)
    return emptied.execution_options(synchronize_session=False)


async def _refuse_open(session: AsyncSession, theirs: ColumnElement[bool]) -> None:
    unpaid = select(Order.id).where(theirs, Order.state == OrderState.PENDING)
    if await session.scalar(unpaid.limit(1)) is not None:
        raise Conflict("An order of theirs waits for its payment. Please try again once it is paid or has lapsed.")
    owed = select(Debt.id).join(Order, Order.id == Debt.order_id).where(theirs, Debt.state == DebtState.OWED)
    if await session.scalar(owed.limit(1)) is not None:
        raise Conflict("Money is owed to them still. Please settle it first: afterwards nobody could tell them.")


async def _forget_account(session: AsyncSession, user_id: int) -> None:
    """Leave of an account its number alone, which orders and journals name."""
    mine = (
        (UserRole, UserRole.user_id == user_id),
        (LoginSession, LoginSession.user_id == user_id),
        (KnownBrowser, KnownBrowser.user_id == user_id),
        (CartItem, CartItem.user_id == user_id),
        (CartNotice, CartNotice.user_id == user_id),
    )
    for model, which in mine:
        await _run(session, delete(model).where(which))
    nobody = f"user-{user_id}@{NOBODY_AT}"
    await _run(session, update(User).where(User.id == user_id).values(email=nobody, name=""))


async def _run(session: AsyncSession, statement: Update | Delete) -> None:
    await session.execute(statement.execution_options(synchronize_session=False))
