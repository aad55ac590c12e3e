"""How often one person or one client may do something, by quart-rate-limiter, for each process of an app.

A limit belongs to an endpoint: give the form's POST a function of its own, so that looking at it is never limited.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from quart import Quart, request
from quart_rate_limiter import RateLimiter, rate_limit
from quart_rate_limiter.store import MemoryStore

from .identity import current_user

MOST_KEYS = 20_000
View = TypeVar("View", bound=Callable[..., object])


class BoundedStore(MemoryStore):
    """The library's store in memory, which forgets what is over, and never grows beyond ``most`` keys."""

    def __init__(self, most: int = MOST_KEYS) -> None:
        super().__init__()
        self._most = most

    async def set(self, key: str, tat: datetime) -> None:
        """Keep a key's next free time; where there is no room, forget those that are over, else the oldest."""
        # An attacker with many addresses must not fill the memory; forgetting the oldest lets one of theirs through at
        # worst.
        if len(self._tats) >= self._most and key not in self._tats:
            now = datetime.now(UTC)
            self._tats = {name: time for name, time in self._tats.items() if time > now}
            while len(self._tats) >= self._most:
                del self._tats[next(iter(self._tats))]
        await super().set(key, tat)


async def client_key() -> str:
    """Return the client's address, as our own proxies saw it (TRUSTED_PROXIES)."""
    # Set by our proxies alone: the header itself is anybody's to write (docs/decisions/rate-limits.md).
    return f"address {request.remote_addr}"


async def person_key() -> str:
    """Return the signed-in person, or the client's address for anybody else."""
    user = current_user()
    return await client_key() if user is None else f"user {user.id}"


def limit_per_client(count: int, period: timedelta) -> Callable[[View], View]:
    """Let one client's address call a route ``count`` times in ``period``. Goes below the route's decorator."""
    return rate_limit(count, period, key_function=client_key)  # type: ignore[return-value]


def limit_per_person(count: int, period: timedelta) -> Callable[[View], View]:
    """Let one person (or, not signed in, one address) call a route ``count`` times in ``period``."""
    return rate_limit(count, period, key_function=person_key)  # type: ignore[return-value]


def install_limits(app: Quart) -> None:
    """Keep the limits that routes of ``app`` have. To be called after identity was installed."""
    RateLimiter(app, key_function=client_key, store=BoundedStore())
