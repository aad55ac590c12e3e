"""Calendars and their entries: events, and shoppers' bookings."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, func, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from shared.contracts.states import EntryKind, EntryState

from .base import Base, IdMixin, one_of

if TYPE_CHECKING:
    from .ticket import TicketType


class Calendar(IdMixin, Base):
    """A calendar of a container: today always a page, by the id of its post."""

    __tablename__ = "calendars"
    __table_args__ = (
        CheckConstraint("container_type = 'page'", name="container_type"),
        Index("ix_calendars_container_id", "container_id"),
    )

    container_type: Mapped[str] = mapped_column(server_default="page")
    container_id: Mapped[int] = mapped_column(ForeignKey("posts.id"))
    slug: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    place: Mapped[str] = mapped_column(server_default="")
    description: Mapped[str] = mapped_column(server_default="")
    time_zone: Mapped[str] = mapped_column(server_default="Europe/London")
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())


class CalendarEntry(IdMixin, Base):
    """An event (made by an organiser) or a booking (made by a shopper).

    ``held`` is kept by a trigger on tickets: the number of reserved, confirmed and checked-in ones. Its CHECK is
    what makes overselling impossible (MONEY.md, promise 1).
    """

    __tablename__ = "calendar_entries"
    __table_args__ = (
        CheckConstraint("held >= 0", name="held_not_negative"),
        CheckConstraint("capacity IS NULL OR held <= capacity", name="held_within_capacity"),
        CheckConstraint("end_at > start_at", name="ends_after_start"),
        CheckConstraint("ticket_price IS NULL OR ticket_price >= 0", name="ticket_price"),
        CheckConstraint("cost IS NULL OR cost >= 0", name="cost"),
        CheckConstraint("max_per_order IS NULL OR max_per_order > 0", name="max_per_order"),
        CheckConstraint(one_of("kind", EntryKind), name="kind"),
        CheckConstraint(one_of("state", EntryState), name="state"),
        CheckConstraint(
            "(kind = 'event' AND state IN ('draft', 'confirmed', 'cancelled') AND user_id IS NULL"
            " AND session_id IS NULL AND order_id IS NULL)"
            " OR (kind = 'booking' AND state <> 'draft' AND (user_id IS NOT NULL OR session_id IS NOT NULL"
            " OR order_id IS NOT NULL))",
            name="kind_and_state",
        ),
        CheckConstraint("state <> 'pending' OR order_id IS NULL", name="pending_without_order"),
        CheckConstraint("state NOT IN ('ordered', 'provisional') OR order_id IS NOT NULL", name="held_with_order"),
        Index("ix_calendar_entries_calendar_id_start_at", "calendar_id", "start_at", "id"),
        Index(
            "ix_calendar_entries_events",
            "start_at",
            "id",
            postgresql_where=text("kind = 'event' AND state = 'confirmed'"),
        ),
        Index("ix_calendar_entries_user_id_pending", "user_id", postgresql_where=text("state = 'pending'")),
        Index("ix_calendar_entries_session_id_pending", "session_id", postgresql_where=text("state = 'pending'")),
        Index("ix_calendar_entries_order_id", "order_id"),
    )

    calendar_id: Mapped[int] = mapped_column(ForeignKey("calendars.id"))
    kind: Mapped[str] = mapped_column(server_default="event")
    state: Mapped[str] = mapped_column(server_default="draft")
    name: Mapped[str]
    description: Mapped[str] = mapped_column(server_default="")
    start_at: Mapped[datetime]
    end_at: Mapped[datetime]
    ticket_price: Mapped[Decimal | None]
    vat_rate: Mapped[Decimal] = mapped_column(server_default="0")
    capacity: Mapped[int | None]
    held: Mapped[int] = mapped_column(server_default="0")
    max_per_order: Mapped[int | None]
    sale_starts_at: Mapped[datetime | None]
    sale_ends_at: Mapped[datetime | None]
    cost: Mapped[Decimal | None]
    user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    session_id: Mapped[UUID | None] = mapped_column(ForeignKey("sessions.id", ondelete="SET NULL"))
    order_id: Mapped[int | None] = mapped_column(ForeignKey("orders.id"))
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())

    calendar: Mapped[Calendar] = relationship(lazy="raise")
    ticket_types: Mapped[list[TicketType]] = relationship(
        lazy="raise", back_populates="entry", order_by="(TicketType.position, TicketType.id)"
    )
