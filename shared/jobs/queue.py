"""Enqueue a job in the transaction of the change that wants it.

pgqueuer writes through the driver's own connection, below SQLAlchemy. SQLAlchemy's asyncpg adapter begins its
transaction only at its first statement: a job that were the first would be committed by itself, and outlive a
rollback. So one statement goes first.
"""

from __future__ import annotations

import json
from datetime import timedelta

from pgqueuer.adapters.drivers.asyncpg import AsyncpgDriver
from pgqueuer.adapters.persistence.queries import Queries
from sqlalchemy import BigInteger, LargeBinary, Select, String, cast, column, func, select, table
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncSession

from shared.db.locks import lock_name

SETTLE_PAYMENT = "settle_payment"
SEND_MAIL = "send_mail"
REFUND_DEBTS = "refund_debts"
_JOBS = table("pgqueuer", column("entrypoint", String), column("payload", LargeBinary), column("status", String))
"""The library's own table: a job is there until it is done."""


async def enqueue(
    session: AsyncSession,
    job: str,
    payload: dict[str, object],
    *,
    after: timedelta | None = None,
    once: bool = False,
) -> None:
    """Add a job, to be run once this session's transaction is committed (and ``after`` has passed).

    The payload holds ids, never names or secrets. A job may run twice: whatever it does must be safe to repeat. With
    ``once`` none is added while the same one waits, and nobody has begun it.
    """
    body = json.dumps(payload).encode()
    if once and await _waits(session, job, body):
        return
    connection = await session.connection()
    # This begins the transaction (see above): without it a rollback would leave the job behind.
    await connection.exec_driver_sql("SELECT 1")
    raw = await connection.get_raw_connection()
    driver = AsyncpgDriver(raw.driver_connection)
    await Queries(driver).enqueue(job, body, execute_after=after)


async def _waits(session: AsyncSession, job: str, body: bytes) -> bool:
    """Tell whether the same job waits, under a lock on its name.

    Not by the library's own key: that would count a job that runs, which may have looked before this was known, and one
    whose worker was killed.
    """
    await lock_name(session, f"{job}:{body.decode()}")
    same = select(_JOBS.c.entrypoint).where(_JOBS.c.entrypoint == job, _JOBS.c.payload == body)
    return await session.scalar(same.where(cast(_JOBS.c.status, String) == "queued").limit(1)) is not None


def ids_in_queue(job: str, name: str) -> Select[int]:
    """Select the ids that jobs which wait or run have in their payloads, in the list of this name."""
    payload = cast(func.convert_from(_JOBS.c.payload, "UTF8"), JSONB)
    # The library keeps a payload as bytes; ours are JSON that ``enqueue`` wrote.
    each = func.jsonb_array_elements_text(payload[name])
    return select(cast(each, BigInteger)).where(_JOBS.c.entrypoint == job)
