"""Mails that must arrive: rows, marked when sent, or when nobody will ever take them."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, Index, func, text
from sqlalchemy.orm import Mapped, mapped_column

from .base import Base, IdMixin

SOON = text("now() + interval '30 seconds'")
"""How long a mail's job has, before the sweep does its work."""


class Mail(IdMixin, Base):
    """One mail. ``key`` makes it one of its kind (for example ``order-paid:17``): a second one is not queued."""

    __tablename__ = "mails"
    __table_args__ = (
        CheckConstraint("sent_at IS NULL OR given_up_at IS NULL", name="sent_or_given_up"),
        # Partial: the sweep looks every few seconds, and nearly all rows have been sent for long.
        Index("ix_mails_unsent", "next_try_at", postgresql_where=text("sent_at IS NULL AND given_up_at IS NULL")),
        Index("ix_mails_given_up", "kind", "key", postgresql_where=text("given_up_at IS NOT NULL")),
    )

    kind: Mapped[str]
    key: Mapped[str] = mapped_column(unique=True)
    recipient: Mapped[str]
    reply_to: Mapped[str] = mapped_column(server_default="")
    """Where answers go; empty: to the sender of every mail."""
    subject: Mapped[str]
    text: Mapped[str]
    html: Mapped[str] = mapped_column(server_default="")
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    sent_at: Mapped[datetime | None]
    given_up_at: Mapped[datetime | None]
    attempts: Mapped[int] = mapped_column(server_default="0")
    next_try_at: Mapped[datetime] = mapped_column(server_default=SOON)
    """Nobody but its job sends it earlier; an attempt that has begun moves this ahead."""
    last_error: Mapped[str] = mapped_column(server_default="")
