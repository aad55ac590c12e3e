"""The security journal, as admins read it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from shared.contracts.journal import SecurityEvent
from shared.models import SecurityEntry, User


@dataclass(frozen=True, slots=True)
class SecurityRow:
    """One event: whose, and from which network."""

    id: int
    at: datetime
    event: SecurityEvent
    who: str
    """A name, else an address; empty: nobody known, or somebody who was forgotten."""
    network: str
    data: dict[str, Any]


async def list_security(session: AsyncSession, *, before: int | None = None, limit: int = 50) -> list[SecurityRow]:
    """Return events, newest first, older than the key ``before``; one query. For admins only."""
    who = func.coalesce(func.nullif(User.name, ""), User.email, "")
    statement = (
        select(SecurityEntry, who)
        # Outer: an event outlives the account that it was about.
        .outerjoin(User, User.id == SecurityEntry.user_id)
        .order_by(SecurityEntry.id.desc())
        .limit(limit)
    )
    if before is not None:
        statement = statement.where(SecurityEntry.id < before)
    return [
        SecurityRow(row.id, row.at, SecurityEvent(row.event), name, row.network, row.data or {})
        for row, name in await session.execute(statement)
    ]
