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

SETTLE_PAYMENT = "settle_payment"
SEND_MAIL = "send_mail"
REFUND_DEBTS = "refund_debts"
_JOBS = table("pgqueuer", column("entrypoint", String), column("payload", LargeBinary))
"""The library's own table: a job is there until it is done."""


async def enqueue(
    session: AsyncSession,
    job: str,
    payload: dict[str, object],
    *,
    after: timedelta | None = None,
    once: str | None = None,
) -> None:
    """Add a job, to be run once this session's transaction is committed (and ``after`` has passed).

    The payload holds ids, never names or secrets. A job may run twice: whatever it does must be safe to repeat. Of
    jobs with one key (``once``) no second is added while the first waits or runs.
    """
    connection = await session.connection()
    # This begins the transaction (see above): without it a rollback would leave the job behind.
    await connection.exec_driver_sql("SELECT 1")
    raw = await connection.get_raw_connection()
    driver = AsyncpgDriver(raw.driver_connection)
    await Queries(driver).enqueue(
        job, json.dumps(payload).encode(), execute_after=after, dedupe_key=once, on_conflict="skip"
    )


def ids_in_queue(job: str, name: str) -> Select[int]:
    """Select the ids that jobs which wait or run have in their payloads, in the list of this name."""
    payload = cast(func.convert_from(_JOBS.c.payload, "UTF8"), JSONB)
    # The library keeps a payload as bytes; ours are JSON that ``enqueue`` wrote.
    each = func.jsonb_array_elements_text(payload[name])
    return select(cast(each, BigInteger)).where(_JOBS.c.entrypoint == job)
