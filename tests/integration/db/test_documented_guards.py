"""The document about locks lists every trigger of a migrated database."""

from __future__ import annotations

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from shared.db.grants import APPEND_ONLY, READ_ONLY
from tests.support.documents import quoted, rows, section

TRIGGERS = """
SELECT c.relname, t.tgname FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_proc p ON p.oid = t.tgfoid
WHERE NOT t.tgisinternal AND n.nspname = 'public' AND p.proname NOT LIKE '%pgqueuer%'
"""
"""All triggers but those of foreign keys and of the job queue's library."""


async def test_every_trigger_is_listed_with_its_table_and_no_other(session: AsyncSession) -> None:
    found = {(table, trigger) for table, trigger in await session.execute(text(TRIGGERS))}
    listed = {
        (table, trigger)
        for tables, triggers, _ in rows(section("locking.md", "Triggers"), 3)
        for table in quoted(tables)
        for trigger in quoted(triggers)
    }
    assert found
    assert listed == found


def test_what_the_apps_may_only_read_or_add_to_is_said() -> None:
    said = quoted(section("locking.md", "What the apps' role may not do"))
    assert {*APPEND_ONLY, *READ_ONLY} <= set(said)
