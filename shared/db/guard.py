"""Knows whether the current task has a database transaction open (docs/money.md, promise 15).

Whoever calls over the network asks here first: a transaction that waits for somebody else's server holds its
locks for as long as that server likes, and a lost commit would leave money moved and nothing written.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from weakref import WeakKeyDictionary

from sqlalchemy import event
from sqlalchemy.engine import Connection
from sqlalchemy.orm import Session, SessionTransaction

# Weak: a task that has ended must not be kept alive by what it once had open.
_open: WeakKeyDictionary[asyncio.Task[object], Counter[int]] = WeakKeyDictionary()


def _task() -> asyncio.Task[object] | None:
    try:
        return asyncio.current_task()
    # No loop runs: migrations and scripts, which call nobody while they work.
    except RuntimeError:
        return None


@event.listens_for(Session, "after_begin")
def _begun(session: Session, transaction: SessionTransaction, connection: Connection) -> None:  # noqa: ARG001
    task = _task()
    if task is not None:
        _open.setdefault(task, Counter())[id(session)] += 1


@event.listens_for(Session, "after_transaction_end")
def _ended(session: Session, transaction: SessionTransaction) -> None:
    """Forget the session once its outermost transaction is over, whichever task ended it."""
    # A savepoint has ended, and the transaction around it still holds its locks.
    if transaction.parent is not None:
        return
    # Whichever task began it: a session may be closed by another one, as when a request is torn down.
    for counter in _open.values():
        counter.pop(id(session), None)


def in_transaction() -> bool:
    """Tell whether the current task has a transaction open."""
    task = _task()
    return task is not None and bool(_open.get(task))


def refuse_inside_transaction() -> None:
    """Raise RuntimeError if the current task has a transaction open: a programming mistake, found in tests."""
    if in_transaction():
        raise RuntimeError("a call over the network was tried inside a database transaction")
