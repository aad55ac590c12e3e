"""Runs the migrations as the owner's role, over asyncpg like everything else."""

from __future__ import annotations

import asyncio

from alembic import context
from sqlalchemy import pool
from sqlalchemy.engine import Connection
from sqlalchemy.ext.asyncio import create_async_engine

from shared.db.engine import async_url
from shared.db.functions import install_wanted
from shared.db.grants import apply_grants
from shared.models import Base
from shared.settings import get_settings

NOT_OURS = ("pgqueuer",)
BY_HAND = ("allowed_transitions",)


def database_url() -> str:
    """Return the URL to migrate: of the caller who runs Alembic in process, else of the settings."""
    given = context.config.attributes.get("database_url")
    if given:
        return str(given)
    settings = get_settings()
    url = settings.migrate_database_url or settings.database_url
    if url is None:
        raise SystemExit("set MIGRATE_DATABASE_URL or DATABASE_URL to a postgresql:// address")
    return url.get_secret_value()


def include_name(name: str | None, type_: str, parent_names: object) -> bool:  # noqa: ARG001
    """Leave out the queue's tables, and those that only the migrations know."""
    return not (type_ == "table" and name is not None and (name.startswith(NOT_OURS) or name in BY_HAND))


def run(connection: Connection) -> None:
    """Run the migrations in one transaction, then install the functions that they name, and grant."""
    context.configure(
        connection=connection, target_metadata=Base.metadata, include_name=include_name, compare_type=True
    )
    with context.begin_transaction():
        context.run_migrations()
        install_wanted(connection)
        apply_grants(connection)


async def main() -> None:
    """Connect, run, and leave nothing open."""
    engine = create_async_engine(async_url(database_url()), poolclass=pool.NullPool)
    async with engine.connect() as connection:
        await connection.run_sync(run)
        await connection.commit()
    await engine.dispose()


if context.is_offline_mode():
    raise SystemExit("offline migrations are not supported: connect to the database")
asyncio.run(main())
