"""Runs the migrations as the owner's role, and keeps commands from a database that lacks them."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

import asyncpg
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory

from shared.settings import Settings

from .database import ROOT, DatabaseUrls, installation_database, url_for_asyncpg
from .failures import CommandError

ALEMBIC_INI = ROOT / "alembic.ini"
"""Where there are migrations; the apps' images hold none, and compose starts them once the database is migrated."""


def migrate(owner_url: str, revision: str = "head") -> None:
    """Bring the database to ``revision``. Safe to repeat. Raises what Alembic raises."""
    config = _config()
    config.attributes["database_url"] = owner_url
    command.upgrade(config, revision)


@contextmanager
def migrated_database(settings: Settings) -> Iterator[DatabaseUrls]:
    """Give the installation's database; raises ``CommandError`` where its schema is not the one of this program."""
    with installation_database(settings) as urls:
        # As the owner: the question must be answered also where the apps' role has no rights yet.
        if ALEMBIC_INI.exists() and asyncio.run(_revision_of(urls.owner)) != _newest():
            raise CommandError("the database does not have the schema of this version: run ./run migrate first")
        yield urls


def _config() -> Config:
    return Config(str(ALEMBIC_INI))


def _newest() -> str | None:
    return ScriptDirectory.from_config(_config()).get_current_head()


async def _revision_of(owner_url: str) -> str | None:
    connection = await asyncpg.connect(url_for_asyncpg(owner_url))
    try:
        return str(await connection.fetchval("SELECT version_num FROM alembic_version"))
    except asyncpg.UndefinedTableError:
        return None
    finally:
        await connection.close()
