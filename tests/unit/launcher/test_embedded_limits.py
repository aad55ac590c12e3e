"""The server takes as many connections as all pools together may open."""

from __future__ import annotations

import pytest

from launcher.postgres.limits import COMMANDS, RESERVED_BY_POSTGRESQL, connections_needed, max_connections
from shared.db.engine import Database
from shared.settings import APPS, QUEUE_CONNECTIONS, Settings


async def pool_limit(size: int) -> int:
    """Return how many connections a ``Database`` of this size opens at most."""
    database = Database("postgresql://nobody@127.0.0.1:1/none", pool_size=size, settings=Settings())
    pool = database.engine.pool
    limit = pool.size() + pool._max_overflow  # type: ignore[attr-defined]
    await database.dispose()
    return int(limit)


@pytest.mark.parametrize(("app_pool", "worker_pool"), [(8, 6), (1, 1), (50, 50)])
async def test_all_pools_fit_with_room_for_the_rest(app_pool: int, worker_pool: int) -> None:
    settings = Settings(db_pool_size=app_pool, db_worker_pool_size=worker_pool)
    pools = len(APPS) * await pool_limit(app_pool) + await pool_limit(worker_pool)
    others = QUEUE_CONNECTIONS + COMMANDS + 1
    assert connections_needed(settings) == pools + others
    assert max_connections(settings) >= pools + others + RESERVED_BY_POSTGRESQL
