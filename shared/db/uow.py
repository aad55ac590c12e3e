"""The unit of work: rolls back unless told to commit."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncSession

from .engine import Database


@dataclass(frozen=True, slots=True)
class UnitOfWork:
    """One transaction."""

    session: AsyncSession

    async def commit(self) -> None:
        """Keep what was done. Nothing may be done in this unit afterwards."""
        await self.session.commit()


@asynccontextmanager
async def unit_of_work(database: Database) -> AsyncIterator[UnitOfWork]:
    """Open a transaction that is rolled back at the end of the block unless ``commit()`` was called.

    Closing the session does that, and unlike a rollback it leaves what was read readable afterwards.
    """
    async with database.sessions() as session:
        yield UnitOfWork(session)
