"""What happened: append-only, ids only, no foreign keys (a person can be forgotten; a cascade could not pass)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Index, func
from sqlalchemy.orm import Mapped, mapped_column

from .base import Base, IdMixin


class JournalEntry(IdMixin, Base):
    """One change: who, when, what, why."""

    __tablename__ = "journal"
    __table_args__ = (
        Index("ix_journal_order_id_id", "order_id", "id"),
        Index("ix_journal_thing_thing_id_id", "thing", "thing_id", "id"),
    )

    # Not now(), which is the transaction's beginning: of two that waited for one lock it would show the wrong order.
    at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())
    thing: Mapped[str]
    thing_id: Mapped[int]
    order_id: Mapped[int | None]
    event: Mapped[str]
    actor: Mapped[str]
    """``user:7``, ``worker``, ``provider`` or ``system``."""
    why: Mapped[str] = mapped_column(server_default="")
    data: Mapped[dict[str, Any] | None]
    request_id: Mapped[str | None]


class SecurityEntry(IdMixin, Base):
    """One event that concerns the safety of accounts: what, whose, from which network."""

    __tablename__ = "security_journal"
    __table_args__ = (Index("ix_security_journal_user_id_id", "user_id", "id"),)

    # Not now(), as above: entries of one transaction would all have its beginning.
    at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())
    event: Mapped[str]
    """A ``SecurityEvent``."""
    user_id: Mapped[int | None]
    network: Mapped[str] = mapped_column(server_default="")
    data: Mapped[dict[str, Any] | None]
    request_id: Mapped[str | None]
