"""``maypole user``: people, made and given roles by whoever runs the installation."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from shared.contracts.contact import email_of
from shared.contracts.states import Role
from shared.db.engine import Database
from shared.db.uow import unit_of_work
from shared.models import Post, User, UserRole
from shared.services import identity
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
        if revoke:
            user = await session.scalar(select(User).where(User.email == clean_address(email)))
            if user is None:
                raise CommandError(f"nobody has the address {email}")
            here = (UserRole.user_id == user.id, UserRole.role == Role.ADMIN, UserRole.page_post_id.is_(None))
            await session.execute(delete(UserRole).where(*here))
            return f"{user.email} is no longer an admin"
        user = await _ensure_user(session, email, "")
        await session.execute(insert(UserRole).values(user_id=user.id, role=Role.ADMIN).on_conflict_do_nothing())
        return f"{user.email} is an admin"


async def set_role(settings: Settings, url: str, email: str, role: Role, *, page: str | None, revoke: bool) -> str:
    """Give or take a role, on the page with this slug or (None) everywhere; return what to say. Safe to repeat."""
    async with _work(settings, url) as session:
        page_post_id = None if page is None else await _page_id(session, page)
        user = await _ensure_user(session, email, "")
        change = identity.revoke_role if revoke else identity.grant_role
        await change(session, user.id, role, page_post_id=page_post_id)
        where = "everywhere" if page is None else f"on {page}"
        return f"{user.email} {'no longer has' if revoke else 'has'} the role {role} {where}"


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
