"""With which browsers people who have a role have signed in. A long-lived cookie tells one browser from another."""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta

from sqlalchemy import delete, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from shared.models import KnownBrowser

from .identity import hash_token

REMEMBERED = timedelta(days=400)
"""How long a browser is remembered without a sign-in: browsers keep no cookie for longer (RFC 6265bis)."""


async def know_browser(session: AsyncSession, user_id: int, token: str | None, *, now: datetime) -> str | None:
    """Remember the browser that somebody signs in with; None: they have used it before. Else return its cookie's token.

    Two people at one browser share its cookie. A token that we never made is not taken over: whoever can plant a
    cookie would be known wherever they have planted it.
    """
    if token is not None and await _seen_again(session, user_id, token, now):
        return None
    ours = token if token is not None and await _is_ours(session, token) else secrets.token_urlsafe(32)
    row = insert(KnownBrowser).values(user_id=user_id, token_hash=hash_token(ours), last_used_at=now)
    # Two sign-ins at once may both have found nothing.
    await session.execute(row.on_conflict_do_nothing())
    return ours


async def _seen_again(session: AsyncSession, user_id: int, token: str, now: datetime) -> bool:
    mine = (KnownBrowser.user_id == user_id, KnownBrowser.token_hash == hash_token(token))
    seen = update(KnownBrowser).where(*mine).values(last_used_at=now).returning(KnownBrowser.user_id)
    return await session.scalar(seen.execution_options(synchronize_session=False)) is not None


async def _is_ours(session: AsyncSession, token: str) -> bool:
    known = select(KnownBrowser.user_id).where(KnownBrowser.token_hash == hash_token(token)).limit(1)
    return await session.scalar(known) is not None


async def forget_browsers(session: AsyncSession, *, now: datetime) -> None:
    """Forget browsers whose cookies have ended."""
    await session.execute(delete(KnownBrowser).where(KnownBrowser.last_used_at < now - REMEMBERED))
