"""The database of an installation, for the commands: the one that DATABASE_URL names, else the embedded one."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import asyncpg
from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

from launcher.postgres.limits import max_connections
from launcher.postgres.server import ServerOptions, start_server
from shared.settings import Settings

from .failures import CommandError

ROOT = Path(__file__).resolve().parents[1]
CONNECT_WITHIN_S = 10
SPELLINGS = ("postgresql", "postgres")


@dataclass(frozen=True)
class DatabaseUrls:
    """Where to connect as the apps' role and as the owner, who migrates."""

    app: str
    owner: str


@contextmanager
def installation_database(settings: Settings) -> Iterator[DatabaseUrls]:
    """Give the installation's database; the embedded one is started, or joined, and released afterwards."""
    given = given_urls(settings)
    if given is not None:
        check_connection("DATABASE_URL" if settings.database_url else "MIGRATE_DATABASE_URL", given.app)
        check_connection("MIGRATE_DATABASE_URL" if settings.migrate_database_url else "DATABASE_URL", given.owner)
        yield given
        return
    wanted = settings.data_dir.absolute() / "postgres"
    with start_server(wanted, ServerOptions(max_connections=max_connections(settings))) as server:
        if server.home != wanted:
            print(f"{wanted} is closed to the account of PostgreSQL: its files are in {server.home}")
        yield DatabaseUrls(server.url("app"), server.url("owner"))


def given_urls(settings: Settings) -> DatabaseUrls | None:
    """Return the URLs that the settings give, each standing in for the other; None when they give none."""
    app = settings.database_url or settings.migrate_database_url
    owner = settings.migrate_database_url or settings.database_url
    return DatabaseUrls(app.get_secret_value(), owner.get_secret_value()) if app and owner else None


def check_connection(name: str, url: str) -> None:
    """Connect once; raise ``CommandError`` with the reason, and without the password, when it does not work."""
    try:
        parsed = make_url(url)
    except ArgumentError as wrong:
        raise CommandError(f"{name} is no address like postgresql://user:password@host:5432/database") from wrong
    if parsed.drivername.split("+")[0] not in SPELLINGS:
        raise CommandError(f"{name} must begin with postgresql://, not with {parsed.drivername}://")
    try:
        asyncio.run(_connect(url_for_asyncpg(url)))
    except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError, ValueError) as wrong:
        # Without the query as well: a password may stand there, and this line ends up in logs.
        where = parsed.set(drivername="postgresql", query={}).render_as_string(hide_password=True)
        raise CommandError(f"{name}: cannot connect to {where}: {_reason(wrong)}") from wrong


def url_for_asyncpg(url: str) -> str:
    """Return the URL without SQLAlchemy's driver in it, which asyncpg itself does not know."""
    return make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)


def _reason(wrong: Exception) -> str:
    return str(wrong).split("\n", 1)[0] or type(wrong).__name__


async def _connect(url: str) -> None:
    connection = await asyncpg.connect(url, timeout=CONNECT_WITHIN_S)
    await connection.close()
