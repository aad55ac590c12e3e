"""How to read the database's own refusals."""

from __future__ import annotations

from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

LOCK_NOT_AVAILABLE = "55P03"
DEADLOCK_DETECTED = "40P01"
QUERY_CANCELED = "57014"
BUSY = frozenset({LOCK_NOT_AVAILABLE, DEADLOCK_DETECTED, QUERY_CANCELED})


def is_busy(error: BaseException) -> bool:
    """Tell whether something waited too long, or the database is away: nothing was kept, and it may be tried again."""
    if isinstance(error, PoolTimeoutError | InterfaceError | OperationalError):
        return True
    return isinstance(error, DBAPIError) and getattr(error.orig, "sqlstate", None) in BUSY


def violates(error: BaseException, constraint: str) -> bool:
    """Tell whether the database refused something because of this constraint."""
    return constraint in str(getattr(error, "orig", ""))
