"""Databases made, cloned and dropped on an embedded server: how each test gets a clean one within milliseconds."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg

from .server import EmbeddedServer

MAX_NAME = 63


class Databases:
    """Makes and drops databases as the superuser, over one connection."""

    def __init__(self, connection: asyncpg.Connection[asyncpg.Record]) -> None:
        """Take a connection of the superuser to the database ``postgres``."""
        self._connection = connection

    async def create(self, name: str, template: str | None = None) -> None:
        """Make the database ``name``, owned by the owner's role: empty, or as a clone of ``template``."""
        # FILE_COPY copies the template's files; PostgreSQL's default writes every page through its log.
        source = f"TEMPLATE {_quoted(template)} STRATEGY FILE_COPY" if template else "TEMPLATE template0"
        await self._connection.execute(f"CREATE DATABASE {_quoted(name)} OWNER maypole_owner {source}")

    async def drop(self, name: str) -> None:
        """Drop the database ``name``, whoever is connected to it. Safe to repeat."""
        await self._connection.execute(f"DROP DATABASE IF EXISTS {_quoted(name)} WITH (FORCE)")

    async def rename(self, name: str, to: str) -> None:
        """Rename a database that nobody is connected to."""
        await self._connection.execute(f"ALTER DATABASE {_quoted(name)} RENAME TO {_quoted(to)}")

    async def names(self, prefix: str) -> list[str]:
        """Return the databases whose names start with ``prefix``, oldest first."""
        rows = await self._connection.fetch(
            "SELECT datname FROM pg_database WHERE starts_with(datname, $1) ORDER BY oid", prefix
        )
        return [row["datname"] for row in rows]


@asynccontextmanager
async def databases_of(server: EmbeddedServer) -> AsyncIterator[Databases]:
    """Connect to ``server`` as its superuser for as long as the block lasts."""
    connection = await asyncpg.connect(server.url("superuser", "postgres"))
    try:
        yield Databases(connection)
    finally:
        await connection.close()


def _quoted(name: str) -> str:
    # PostgreSQL cuts a longer name in silence, and two databases could then become one.
    if not name or "\0" in name or len(name.encode()) > MAX_NAME:
        raise ValueError(f"no name for a database: {name!r}")
    return '"' + name.replace('"', '""') + '"'
