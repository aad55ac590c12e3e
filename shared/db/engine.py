"""The engine and its sessions: one per process, made at start and disposed of at its end."""

from __future__ import annotations

from sqlalchemy import URL, make_url
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker, create_async_engine

from shared.settings import Settings

from . import guard  # noqa: F401 - its listeners must be in place before the first session


def async_url(url: str) -> URL:
    """Return ``url`` for asyncpg, whichever of PostgreSQL's spellings it came in."""
    return make_url(url).set(drivername="postgresql+asyncpg")


def driver_url(url: str) -> str:
    """Return ``url`` for asyncpg itself, whichever of PostgreSQL's spellings it came in."""
    return make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)


class Database:
    """An engine for the apps' role, with bounded waits: nothing hangs for ever on a lock or a statement."""

    def __init__(self, url: str, *, pool_size: int, settings: Settings) -> None:
        """Take a ``postgresql://`` URL. Nothing is connected until the first use."""
        self.engine: AsyncEngine = create_async_engine(
            async_url(url),
            pool_size=pool_size,
            # No connections beyond the pool: the server's limit is reckoned from the pools' sizes
            # (launcher/postgres/limits.py).
            max_overflow=0,
            pool_timeout=10,
            # A connection may have died while it lay in the pool, as after a restart of the database.
            pool_pre_ping=True,
            hide_parameters=True,  # an error's text goes into the log; addresses and hashes do not
            connect_args={
                "timeout": 5,
                "server_settings": {
                    "application_name": "maypole",
                    "timezone": "UTC",
                    # No wait without an end: who waits too long is told that many people are buying, and nothing is
                    # kept.
                    "lock_timeout": str(settings.db_lock_timeout_ms),
                    "statement_timeout": str(settings.db_statement_timeout_ms),
                    # A process that hangs in the middle of a transaction must not keep its locks for ever.
                    "idle_in_transaction_session_timeout": "60000",
                },
            },
        )
        self.sessions: async_sessionmaker[AsyncSession] = async_sessionmaker(
            # Rows stay readable after the commit: an expired one would load itself, which an async session cannot do in
            # passing.
            self.engine,
            expire_on_commit=False,
            autoflush=False,
        )

    async def dispose(self) -> None:
        """Close all connections. Safe to repeat."""
        await self.engine.dispose()
