"""A shop on a clean database, on real connections that commit; and the database without one of its guards."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest
from sqlalchemy import text

from shared.db.engine import Database
from shared.db.uow import unit_of_work
from shared.settings import Settings
from tests.support.shop import Shop, open_shop

TakeAway = Callable[[str, str], Awaitable[None]]


@pytest.fixture
def shop(database: Database, settings: Settings) -> Shop:
    return open_shop(database, settings)


@pytest.fixture
def take_away(owner_database_url: str, settings: Settings) -> TakeAway:
    """Take a guard of a table's away, in this test's own database: a constraint, or a trigger."""

    async def take_away(table: str, guard: str) -> None:
        is_constraint = guard.startswith(("ck_", "ex_"))
        ddl = f"ALTER TABLE {table} DROP CONSTRAINT {guard}" if is_constraint else f"DROP TRIGGER {guard} ON {table}"
        owner = Database(owner_database_url, pool_size=1, settings=settings)
        async with unit_of_work(owner) as uow:
            await uow.session.execute(text(ddl))
            await uow.commit()
        await owner.dispose()

    return take_away
