"""Fills a database with a million sold tickets and times ``maypole audit`` on it.

    .venv/bin/python benchmarks/audit.py [TICKETS]

It uses the tests' own PostgreSQL and drops its database afterwards. The rows come from ``generate_series``, with the
triggers switched off while they are written: 1,000 events of two types, orders of two tickets, each paid, one in a
hundred refunded, and a journal line for every step.
"""

from __future__ import annotations

import asyncio
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

from pydantic import SecretStr
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from shared.audit.run import CHECKS, run_audit
from shared.db.engine import Database
from shared.settings import Settings
from tests.support.postgres import TestPostgres, start_test_postgres

MILLION = 1_000_000
TABLES = ("tickets", "orders", "order_lines", "payments", "debts", "refunds", "journal", "calendar_entries")

FILL = (
    """INSERT INTO users (id, email) OVERRIDING SYSTEM VALUE
        SELECT n, 'buyer' || n || '@maypole.example' FROM generate_series(1, 1000) n""",
    "INSERT INTO posts (id, slug, title, is_page) OVERRIDING SYSTEM VALUE VALUES (1, 'page', 'A page', true)",
    "INSERT INTO calendars (id, container_id, slug, name) OVERRIDING SYSTEM VALUE VALUES (1, 1, 'stage', 'The stage')",
    """INSERT INTO calendar_entries (id, calendar_id, kind, state, name, start_at, end_at, held, capacity)
        OVERRIDING SYSTEM VALUE
        SELECT n, 1, 'event', 'confirmed', 'Event ' || n, now() + n * interval '1 hour',
            now() + (n + 1) * interval '1 hour', 0, :tickets FROM generate_series(1, 1000) n""",
    """INSERT INTO ticket_types (id, entry_id, name, cost) OVERRIDING SYSTEM VALUE
        SELECT n, (n + 1) / 2, 'Type ' || n, 10 FROM generate_series(1, 2000) n""",
    """INSERT INTO orders (id, number, user_id, merchant_code, currency, total, state, expires_at, paid_at,
            mail_queued_at) OVERRIDING SYSTEM VALUE
        SELECT n, 'B-' || n, 1 + n % 1000, 'MSANDBOX', 'GBP', 20,
            CASE WHEN n % 100 = 0 THEN 'partially_refunded' ELSE 'paid' END, now(), now(), now()
        FROM generate_series(1, :tickets / 2) n""",
    """INSERT INTO tickets (id, entry_id, ticket_type_id, user_id, order_id, state, code) OVERRIDING SYSTEM VALUE
        SELECT n, 1 + (n / 2) % 1000, 2 * (1 + (n / 2) % 1000) - n % 2, 1 + (n / 2) % 1000, (n + 1) / 2,
            CASE WHEN n % 200 = 0 THEN 'refunded' ELSE 'confirmed' END, 'CODE' || n
        FROM generate_series(1, :tickets) n""",
    """INSERT INTO order_lines (id, order_id, kind, title, quantity, unit_price, total, ticket_id, entry_id)
        OVERRIDING SYSTEM VALUE
        SELECT id, order_id, 'ticket', 'A ticket', 1, 10, 10, id, entry_id FROM tickets""",
    """INSERT INTO payments (id, order_id, state, merchant_code, amount, currency, checkout_reference, checkout_id,
            return_token, webhook_token, valid_until, transaction_id, paid_at, fulfilled_at, owed, refunded)
        OVERRIDING SYSTEM VALUE
        SELECT id, id, 'paid', 'MSANDBOX', 20, 'GBP', 'ref' || id, 'checkout' || id, 'r' || id, 'w' || id, now(),
            'transaction' || id, now(), now(), CASE WHEN id % 100 = 0 THEN 10 ELSE 0 END,
            CASE WHEN id % 100 = 0 THEN 10 ELSE 0 END FROM orders""",
    """INSERT INTO debts (id, order_id, payment_id, order_line_id, amount, currency, reason, state, settled_at)
        OVERRIDING SYSTEM VALUE
        SELECT id, id, id, 2 * id, 10, 'GBP', 'goodwill', 'settled', now() FROM orders WHERE id % 100 = 0""",
    """INSERT INTO refunds (id, debt_id, payment_id, amount, currency, state) OVERRIDING SYSTEM VALUE
        SELECT id, id, id, 10, 'GBP', 'succeeded' FROM debts""",
    """UPDATE calendar_entries e SET held = t.n FROM (SELECT entry_id, count(*) AS n FROM tickets
        WHERE state = 'confirmed' GROUP BY 1) t WHERE t.entry_id = e.id""",
    """UPDATE ticket_types k SET held = t.n FROM (SELECT ticket_type_id, count(*) AS n FROM tickets
        WHERE state = 'confirmed' GROUP BY 1) t WHERE t.ticket_type_id = k.id""",
    *(
        f"INSERT INTO journal (thing, thing_id, order_id, event, actor)"
        f" SELECT '{thing}', id, {order_id}, {event}, 'system' FROM {table} ORDER BY random()"
        for thing, table, order_id, event in (
            ("order", "orders", "id", "'placed'"),
            ("payment", "payments", "order_id", "'created'"),
            ("ticket", "tickets", "order_id", "'reserved'"),
            ("order", "orders", "id", "state"),
            ("payment", "payments", "order_id", "state"),
            ("ticket", "tickets", "order_id", "state"),
            ("debt", "debts", "order_id", "state"),
            ("refund", "refunds", "payment_id", "state"),
        )
    ),
)


async def fill(connection: AsyncConnection, tickets: int) -> None:
    """Write all rows, without the triggers that would write or count them one by one."""
    for table in (*TABLES, "ticket_types"):
        # USER leaves the foreign keys' own triggers on; switching those off as well needs a superuser.
        await connection.execute(text(f"ALTER TABLE {table} DISABLE TRIGGER USER"))
    for statement in FILL:
        used = {"tickets": tickets} if ":tickets" in statement else {}
        await connection.execute(text(statement.replace(":tickets", "CAST(:tickets AS integer)")), used)
    for table in (*TABLES, "ticket_types"):
        await connection.execute(text(f"ALTER TABLE {table} ENABLE TRIGGER USER"))


async def measure(tickets: int) -> None:
    """Fill a database, make each check by itself, then all of them, and say how long that took."""
    with start_test_postgres() as server:
        async with TestPostgres(server).clean_database() as urls:
            settings = Settings(environment="test", database_url=SecretStr(urls.app), db_statement_timeout_ms=600_000)
            owner = Database(urls.owner, pool_size=1, settings=settings)
            began = time.perf_counter()
            async with owner.engine.begin() as connection:
                await fill(connection, tickets)
            async with owner.engine.connect() as connection:
                # PostgreSQL refuses VACUUM inside a transaction.
                await connection.execution_options(isolation_level="AUTOCOMMIT")
                await connection.execute(text("VACUUM ANALYZE"))
            await owner.dispose()
            print(f"filled with {tickets:,} tickets in {time.perf_counter() - began:.1f} s")
            await _time_checks(Database(urls.app, pool_size=1, settings=settings))


async def _time_checks(database: Database) -> None:
    now, each = datetime.now(UTC), []
    for check in CHECKS:
        began = time.perf_counter()
        [finding] = await run_audit(database, now=now, checks=[check])
        each.append((time.perf_counter() - began, finding.name, finding.wrong))
    for seconds, name, wrong in sorted(each):
        print(f"{seconds:8.2f} s  {name}{f'  WRONG: {wrong}' if wrong else ''}")
    began = time.perf_counter()
    await run_audit(database, now=now)
    print(f"{time.perf_counter() - began:8.2f} s  all {len(CHECKS)} checks")
    await database.dispose()


if __name__ == "__main__":
    asyncio.run(measure(int(sys.argv[1]) if len(sys.argv) > 1 else MILLION))
