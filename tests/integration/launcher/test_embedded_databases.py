"""Each test gets a clean database of its own."""

import asyncpg
import pytest
from pydantic import SecretStr
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from shared.settings import Settings
from tests.support.postgres import TestPostgres


@pytest.mark.parametrize("turn", [1, 2, 3])
async def test_every_test_begins_without_rows(turn: int, database_url: str) -> None:
    connection = await asyncpg.connect(database_url)
    try:
        assert await connection.fetchval("SELECT count(*) FROM users") == 0
        await connection.execute("INSERT INTO users (email) VALUES ('a@example.org')")
    finally:
        await connection.close()


async def test_the_clean_database_has_all_migrations_and_the_apps_role_cannot_change_tables(database_url: str) -> None:
    connection = await asyncpg.connect(database_url)
    try:
        assert await connection.fetchval("SELECT count(*) FROM alembic_version") == 1
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute("CREATE TABLE mine (id int)")
    finally:
        await connection.close()


async def test_two_clean_databases_at_once_are_two(postgres: TestPostgres) -> None:
    async with postgres.clean_database() as one, postgres.clean_database() as other:
        assert one.name != other.name


def test_the_settings_name_the_clean_database(settings: Settings, database_url: str) -> None:
    assert settings.database_url == SecretStr(database_url)
    assert settings.migrate_database_url not in {None, SecretStr(database_url)}


def test_the_settings_name_no_database_where_none_was_asked_for(settings: Settings) -> None:
    assert settings.database_url is None


async def test_a_session_sees_the_clean_database(session: AsyncSession) -> None:
    assert await session.scalar(text("SELECT count(*) FROM users")) == 0
