"""How to read the database's own refusals."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import DBAPIError, IntegrityError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from shared.contracts.errors import SoldOut

# SQLSTATE codes (PostgreSQL's documentation, appendix A): the texts differ by language and version.
LOCK_NOT_AVAILABLE = "55P03"
DEADLOCK_DETECTED = "40P01"
QUERY_CANCELED = "57014"
HOLDING = ("held_within_capacity", "held_within_places", "held_within_stock", "one_at_a_time")
"""The constraints that sell nothing twice: seats, places, stock, and a room that is let as a whole."""
BUSY = frozenset({LOCK_NOT_AVAILABLE, DEADLOCK_DETECTED, QUERY_CANCELED})


def is_busy(error: BaseException) -> bool:
    """Tell whether something waited too long, or the database is away: nothing was kept, and it may be tried again."""
    # No connection at all was to be had, or it broke: then there is no code to look at.
    if isinstance(error, PoolTimeoutError | InterfaceError | OperationalError):
        return True
    return isinstance(error, DBAPIError) and getattr(error.orig, "sqlstate", None) in BUSY


def violates(error: BaseException, constraint: str) -> bool:
    """Tell whether the database refused something because of this constraint."""
    # asyncpg names the constraint in its text; SQLAlchemy's wrapper brings no attribute for it.
    return constraint in str(getattr(error, "orig", ""))


@contextmanager
def holding_refused() -> Iterator[None]:
    """Turn the database's own refusal to sell something twice into SoldOut. The caller rolls back."""
    try:
        yield
    except IntegrityError as error:
        if any(violates(error, constraint) for constraint in HOLDING):
            raise SoldOut from error
        raise
