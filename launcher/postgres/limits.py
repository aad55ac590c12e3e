"""How many connections an installation opens at most, so that the server can be told before they are refused."""

from __future__ import annotations

from shared.settings import APPS, QUEUE_CONNECTIONS, Settings

MIGRATIONS = 1
COMMANDS = 4
"""For ``maypole user``, ``maypole audit``, a backup and the like, while everything runs."""
RESERVED_BY_POSTGRESQL = 3
FEWEST = 60


def connections_needed(settings: Settings) -> int:
    """Return the sum of all pools, and what else connects."""
    apps = len(APPS) * settings.db_pool_size
    return apps + settings.db_worker_pool_size + QUEUE_CONNECTIONS + MIGRATIONS + COMMANDS


def max_connections(settings: Settings) -> int:
    """Return PostgreSQL's ``max_connections`` that leaves room for all of them."""
    return max(FEWEST, connections_needed(settings) + RESERVED_BY_POSTGRESQL)
