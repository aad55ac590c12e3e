"""How long somebody stays signed in, where they are, and how each of these sessions is ended."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import delete, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from ua_parser import parse

from shared.db.locks import lock_name
from shared.models import LoginSession, SignInLink, User
from shared.settings import Settings

LONGEST_DEVICE = 80
LONGEST_HEADER = 500


@dataclass(frozen=True, slots=True)
class SessionLimits:
    """How long a session lasts at the most: of anybody, and, shorter and also unused, of those with a role."""

    longest: timedelta
    longest_with_role: timedelta
    idle_with_role: timedelta

    @classmethod
    def of(cls, settings: Settings) -> SessionLimits:
        """Return what the settings say."""
        return cls(
            timedelta(days=settings.session_days_at_most),
            timedelta(hours=settings.role_session_hours),
            timedelta(minutes=settings.role_idle_minutes),
        )

    def is_over(self, *, started_at: datetime, last_seen_at: datetime, has_role: bool, now: datetime) -> bool:
        """Tell whether a signed-in session has ended at ``now``."""
        if not has_role:
            return now - started_at > self.longest
        return now - started_at > self.longest_with_role or now - last_seen_at > self.idle_with_role

    def touch_every(self, *, has_role: bool, usual: timedelta) -> timedelta:
        """Return how stale the last visit may grow before it is written down again: well within what ends a session."""
        return min(usual, self.idle_with_role / 4) if has_role else usual


@dataclass(frozen=True, slots=True)
class SignedInDevice:
    """One of a person's sessions."""

    id: UUID
    device: str
    signed_in_at: datetime
    last_seen_at: datetime


def device_of(user_agent: str | None) -> str:
    """Name a browser as its owner would: ``Firefox on Android``; nothing where it says nothing that is known."""
    found = parse((user_agent or "")[:LONGEST_HEADER])
    browser = None if found.user_agent is None else found.user_agent.family
    system = None if found.os is None else found.os.family
    return " on ".join(filter(None, (browser, system)))[:LONGEST_DEVICE]


async def devices_of(session: AsyncSession, user_id: int, *, now: datetime) -> list[SignedInDevice]:
    """Return where a person is signed in, the one that was used last first."""
    mine = (LoginSession.user_id == user_id, LoginSession.expires_at > now)
    rows = await session.scalars(select(LoginSession).where(*mine).order_by(LoginSession.last_seen_at.desc()))
    return [SignedInDevice(row.id, row.device, row.created_at, row.last_seen_at) for row in rows]


async def end_one_session(session: AsyncSession, user_id: int, session_id: UUID) -> bool:
    """End one of a person's own sessions; False where it is none of theirs, or has ended. Safe to repeat."""
    mine = (LoginSession.id == session_id, LoginSession.user_id == user_id)
    return await session.scalar(delete(LoginSession).where(*mine).returning(LoginSession.id)) is not None


async def end_all_sessions(session: AsyncSession, user_id: int, *, now: datetime) -> int:
    """Sign a person out on all devices, and end the links that would let somebody in; return how many sessions ended.

    Safe to repeat.
    """
    email = await session.scalar(select(User.email).where(User.id == user_id))
    if email is not None:
        await end_links(session, email, now=now)
    ended: Sequence[UUID] = (
        await session.scalars(delete(LoginSession).where(LoginSession.user_id == user_id).returning(LoginSession.id))
    ).all()
    return len(ended)


async def lock_links(session: AsyncSession, email: str) -> None:
    """Let one at a time use or end the links of an address: each ends what the other one holds."""
    await lock_name(session, f"links:{email}")


async def end_links(session: AsyncSession, email: str, *, now: datetime) -> None:
    """End an address's links that are still open: whoever is in needs no other way in. Safe to repeat."""
    await lock_links(session, email)
    still_open = update(SignInLink).where(SignInLink.email == email, SignInLink.used_at.is_(None))
    await session.execute(still_open.values(used_at=now).execution_options(synchronize_session=False))
