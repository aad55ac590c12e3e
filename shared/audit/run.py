"""The audit: every promise of docs/money.md that can be checked over data, over all of them, reading only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from shared.db.engine import Database
from shared.db.uow import unit_of_work

from .check import Check
from .holding import HOLDING
from .journal import JOURNAL
from .money import DEBTS, payment_checks
from .orders import order_checks
from .sold import SOLD, SoldRows
from .waiting import WAITING


def checks_of(sold: Sequence[SoldRows]) -> tuple[Check, ...]:
    """Return everything that is checked without the provider, where these kinds of things are sold."""
    more = (check for each in sold for check in each.checks)
    return (*HOLDING, *order_checks(sold), *payment_checks(sold), *DEBTS, *JOURNAL, *WAITING, *more)


CHECKS = checks_of(SOLD)
"""Everything that is checked of tickets, bookings and products."""
SHOWN_IDS = 5
BEGIN = (
    # One snapshot for all checks: what changes meanwhile is seen by all of them or by none.
    "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY",
    # The connection's own limit is meant for pages. LOCAL: these end with the transaction, the connection is used
    # again.
    "SET LOCAL statement_timeout = '10min'",
    # So that sorts and hashes of a million rows can stay in memory; and no query here runs twice, to be worth
    # compiling.
    "SET LOCAL work_mem = '256MB'",
    "SET LOCAL jit = off",
)


@dataclass(frozen=True, slots=True)
class Finding:
    """What came of one check: how much it looked at, how much of that is wrong, and the first few ids."""

    name: str
    promise: int
    says: str
    thing: str
    looked_at: int
    wrong: int
    first_ids: tuple[str, ...]


async def run_audit(database: Database, *, now: datetime, checks: Sequence[Check] = CHECKS) -> list[Finding]:
    """Make checks, all on one snapshot of the database. Changes nothing and locks nothing."""
    async with unit_of_work(database) as uow:
        for statement in BEGIN:
            await uow.session.execute(text(statement))
        return await make_checks(uow.session, now=now, checks=checks)


async def make_checks(session: AsyncSession, *, now: datetime, checks: Sequence[Check] = CHECKS) -> list[Finding]:
    """Make checks in the caller's transaction."""
    counted: dict[str, int] = {}
    return [await _make(session, check, now, counted) for check in checks]


async def _make(session: AsyncSession, check: Check, now: datetime, counted: dict[str, int]) -> Finding:
    if check.looks_at not in counted:
        counted[check.looks_at] = await session.scalar(text(f"SELECT count(*) FROM {check.looks_at}")) or 0
    found = text(
        # Materialised: both the number and the first ids come from it, and the check's query must run once.
        f"WITH wrong AS MATERIALIZED (SELECT DISTINCT w.id FROM ({check.wrong}) w) SELECT (SELECT count(*) FROM wrong),"
        f" ARRAY(SELECT id FROM wrong ORDER BY id LIMIT {SHOWN_IDS})"
    )
    used = {"now": now} if ":now" in check.wrong else {}
    wrong, ids = (await session.execute(found, used)).one()
    shown = tuple(str(row_id) for row_id in ids)
    return Finding(check.name, check.promise, check.says, check.thing, counted[check.looks_at], wrong, shown)
