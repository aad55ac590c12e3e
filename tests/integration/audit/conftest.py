"""A database after a busy day, made once: each test breaks it in a transaction that is rolled back."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import pytest
from pydantic import SecretStr
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from shared.db.engine import Database
from shared.settings import Settings
from tests.support.busy import have_a_busy_day
from tests.support.postgres import TestPostgres, Urls
from tests.support.shop import open_shop


@dataclass(frozen=True)
class BusyDay:
    """Where it is, and what time it is there."""

    urls: Urls
    settings: Settings
    now: datetime


@pytest.fixture(scope="module")
async def busy_day(postgres: TestPostgres, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[BusyDay]:
    async with postgres.clean_database() as urls:
        settings = Settings(
            environment="test", data_dir=Path(tmp_path_factory.mktemp("busy")), database_url=SecretStr(urls.app)
        )
        database = Database(urls.app, pool_size=5, settings=settings)
        shop = open_shop(database, settings)
        await have_a_busy_day(shop)
        await database.dispose()
        yield BusyDay(urls, settings, shop.clock())


@pytest.fixture
async def unguarded(busy_day: BusyDay) -> AsyncIterator[AsyncSession]:
    """Give the owner's session on that database, with every trigger and constraint of ours taken away."""
    database = Database(busy_day.urls.owner, pool_size=1, settings=busy_day.settings)
    async with database.sessions() as session:
        await take_guards_away(session)
        yield session
        await session.rollback()
    await database.dispose()


async def take_guards_away(session: AsyncSession) -> None:
    """Take away what keeps the database right by itself, until the transaction ends: foreign keys alone stay."""
    tables = (
        "SELECT format('ALTER TABLE %I DISABLE TRIGGER USER', tablename) FROM pg_tables WHERE schemaname = 'public'"
    )
    constraints = """
        SELECT format('ALTER TABLE %s DROP CONSTRAINT %I', conrelid::regclass, conname) FROM pg_constraint
        WHERE connamespace = 'public'::regnamespace AND contype IN ('c', 'x') AND conrelid <> 0"""
    indexes = """
        SELECT format('DROP INDEX %s', indexrelid::regclass) FROM pg_index
        WHERE indisunique AND indpred IS NOT NULL AND indrelid::regclass::text NOT LIKE 'pgqueuer%'"""
    unique = """
        SELECT format('ALTER TABLE %s DROP CONSTRAINT %I CASCADE', conrelid::regclass, conname) FROM pg_constraint
        WHERE connamespace = 'public'::regnamespace AND contype = 'u'"""
    for listing in (tables, constraints, indexes, unique):
        for statement in list(await session.scalars(text(listing))):
            await session.execute(text(statement))
