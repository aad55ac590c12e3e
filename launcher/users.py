"""``maypole user``: people, made and given roles by whoever runs the installation."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime

from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import selectinload

from shared.contracts.contact import email_of
from shared.contracts.errors import Conflict
from shared.contracts.journal import SecurityEvent
from shared.contracts.states import Role
from shared.db.engine import Database
from shared.db.uow import unit_of_work
from shared.mail.security import tell_of_role
from shared.models import LoginSession, Post, User, UserRole
from shared.services import identity
from shared.services.forgetting import forget_person
from shared.services.security import note_security
from shared.services.sessions import end_all_sessions
from shared.settings import Settings

from .failures import CommandError


async def create_user(settings: Settings, url: str, email: str, name: str) -> str:
    """Make the account unless it exists; return what to say."""
    async with _work(settings, url) as session:
        made = await _ensure_user(session, email, name)
    return f"{made.email} has an account (number {made.id}); they sign in with a link sent to that address"


async def set_admin(settings: Settings, url: str, email: str, *, revoke: bool) -> str:
    """Give or take the role of an admin everywhere; return what to say. Safe to repeat."""
    async with _work(settings, url) as session:
        user = await _find_user(session, email) if revoke else await _ensure_user(session, email, "")
        await _change_role(session, settings, user, Role.ADMIN, page=None, revoke=revoke)
        return f"{user.email} is {'no longer an admin' if revoke else 'an admin'}"


async def set_role(settings: Settings, url: str, email: str, role: Role, *, page: str | None, revoke: bool) -> str:
    """Give or take a role, on the page with this slug or (None) everywhere; return what to say. Safe to repeat."""
    async with _work(settings, url) as session:
        user = await _ensure_user(session, email, "")
        await _change_role(session, settings, user, role, page=page, revoke=revoke)
        return f"{user.email} {'no longer has' if revoke else 'has'} the role {role} {_place(page)}"


async def _change_role(
    session: AsyncSession, settings: Settings, user: User, role: Role, *, page: str | None, revoke: bool
) -> None:
    """Give or take a role, write it down and tell of it; what is so already is no event."""
    page_post_id = None if page is None else await _page_id(session, page)
    change = identity.revoke_role if revoke else identity.grant_role
    if not await change(session, user.id, role, page_post_id=page_post_id):
        return
    event = SecurityEvent.ROLE_TAKEN if revoke else SecurityEvent.ROLE_GIVEN
    await note_security(session, event, user_id=user.id, data={"role": role, "page": page_post_id})
    await tell_of_role(session, settings, user.email, role=role, page=page, taken=revoke)


def _place(page: str | None) -> str:
    """Say where a role holds."""
    return "everywhere" if page is None else f"on {page}"


async def list_users(settings: Settings, url: str) -> str:
    """Return who has a role or is locked: address, roles, and how many browsers are signed in."""
    async with _work(settings, url) as session:
        sessions = select(func.count()).where(LoginSession.user_id == User.id).scalar_subquery()
        has_role = select(UserRole.id).where(UserRole.user_id == User.id).exists()
        statement = select(User, sessions).where(has_role | User.locked_at.is_not(None)).order_by(User.email)
        rows = (await session.execute(statement.options(selectinload(User.roles)))).all()
    return "\n".join(_line_of(user, count) for user, count in rows) or "Nobody has a role."


def _line_of(user: User, sessions: int) -> str:
    where = (
        f"{each.role}{'' if each.page_post_id is None else f' on page {each.page_post_id}'}" for each in user.roles
    )
    locked = ", locked" if user.locked_at is not None else ""
    return f"{user.email}: {', '.join(sorted(where)) or 'no role'}{locked}; signed in on {sessions}"


async def sign_user_out(settings: Settings, url: str, email: str) -> str:
    """Sign a person out on all devices, and end their open links; return what to say. Safe to repeat."""
    async with _work(settings, url) as session:
        user = await _find_user(session, email)
        ended = await end_all_sessions(session, user.id, now=datetime.now(UTC))
        await note_security(session, SecurityEvent.SIGNED_OUT_EVERYWHERE, user_id=user.id)
    return f"{user.email} is signed out everywhere ({ended} sessions ended)"


async def lock_user(settings: Settings, url: str, email: str, *, unlock: bool) -> str:
    """Let nobody in with an account any more, and end its sessions; or let them in again. Safe to repeat."""
    async with _work(settings, url) as session:
        user = await _find_user(session, email)
        now = datetime.now(UTC)
        # Locked first: a link that is pressed at this moment finds it so.
        await session.execute(update(User).where(User.id == user.id).values(locked_at=None if unlock else now))
        await note_security(session, SecurityEvent.UNLOCKED if unlock else SecurityEvent.LOCKED, user_id=user.id)
        if not unlock:
            await end_all_sessions(session, user.id, now=now)
    return f"{user.email} is {'no longer locked' if unlock else 'locked, and signed out everywhere'}"


async def forget_user(settings: Settings, url: str, email: str) -> str:
    """Make a person's address, account and mails anonymous; return what to say. Refuses while money is open."""
    address = clean_address(email)
    try:
        async with _work(settings, url) as session:
            orders, mails = await forget_person(session, address, now=datetime.now(UTC))
    except Conflict as refusal:
        raise CommandError(str(refusal)) from refusal
    return f"{address} is forgotten: {orders} orders are nobody's by name, and {mails} mails are empty"


async def _find_user(session: AsyncSession, email: str) -> User:
    user = await session.scalar(select(User).where(User.email == clean_address(email)))
    if user is None:
        raise CommandError(f"nobody has the address {email}")
    return user


async def _page_id(session: AsyncSession, slug: str) -> int:
    page_post_id = await session.scalar(select(Post.id).where(Post.slug == slug, Post.is_page))
    if page_post_id is None:
        raise CommandError(f"there is no page {slug}")
    return page_post_id


def clean_address(email: str) -> str:
    """Return the address as it is kept, or raise ``CommandError``."""
    address = email_of(email)
    if address is None:
        raise CommandError(f"{email!r} is no e-mail address")
    return address


async def _ensure_user(session: AsyncSession, email: str, name: str) -> User:
    address = clean_address(email)
    # No look before: two commands at once for one address would both find nobody, and one would fail.
    await session.execute(insert(User).values(email=address, name=name).on_conflict_do_nothing())
    return (await session.scalars(select(User).where(User.email == address))).one()


@asynccontextmanager
async def _work(settings: Settings, url: str) -> AsyncIterator[AsyncSession]:
    database = Database(url, pool_size=1, settings=settings)
    try:
        async with unit_of_work(database) as uow:
            yield uow.session
            await uow.commit()
    finally:
        await database.dispose()
