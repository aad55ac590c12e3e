"""The security journal: who signed in and out, who was given power, and who used it. Written once, like the other."""

from __future__ import annotations

from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncSession
from structlog.contextvars import get_contextvars

from shared.contracts.contact import shortened_address
from shared.contracts.journal import SecurityEvent
from shared.models import SecurityEntry


async def note_security(
    session: AsyncSession,
    event: SecurityEvent,
    *,
    user_id: int | None = None,
    address: str | None = None,
    data: dict[str, object] | None = None,
) -> None:
    """Add one line, in the caller's transaction.

    ``user_id`` is who did it, or whose account it is about; ``address`` is the client's, of which only the network is
    kept. ``data`` holds ids and states, never names or addresses.
    """
    await session.execute(
        insert(SecurityEntry).values(
            event=event,
            user_id=user_id,
            network=shortened_address(address),
            data=data,
            request_id=get_contextvars().get("request_id"),
        )
    )
