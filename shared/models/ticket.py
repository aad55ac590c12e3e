"""Tickets."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from sqlalchemy import CheckConstraint, ForeignKey, ForeignKeyConstraint, Index, func, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from shared.contracts.states import TicketState

from .base import Base, IdMixin, one_of
from .calendar import CalendarEntry, TicketType


class Ticket(IdMixin, Base):
    """One ticket of one person. Pending is in the cart, without an order and without a seat."""

    __tablename__ = "tickets"
    __table_args__ = (
        # Both columns: a ticket cannot be of a type that belongs to another event.
        ForeignKeyConstraint(
            ["ticket_type_id", "entry_id"],
            ["ticket_types.id", "ticket_types.entry_id"],
            name="fk_tickets_type_of_entry",
        ),
        CheckConstraint(one_of("state", TicketState), name="state"),
        CheckConstraint("state <> 'pending' OR (order_id IS NULL AND code IS NULL)", name="pending_is_in_no_order"),
        CheckConstraint("state NOT IN ('reserved', 'oversold') OR order_id IS NOT NULL", name="reserved_has_order"),
        # A code lets somebody in, so there is none before the money has arrived.
        CheckConstraint("state <> 'reserved' OR code IS NULL", name="reserved_has_no_code"),
        CheckConstraint("state NOT IN ('confirmed', 'checked_in') OR code IS NOT NULL", name="confirmed_has_code"),
        CheckConstraint("state <> 'checked_in' OR checked_in_at IS NOT NULL", name="checked_in_has_time"),
        Index("ix_tickets_user_id_pending", "user_id", postgresql_where=text("state = 'pending'")),
        Index("ix_tickets_created_at_pending", "created_at", postgresql_where=text("state = 'pending'")),
        Index("ix_tickets_user_id_state", "user_id", "state"),
        Index("ix_tickets_order_id", "order_id"),
        Index("ix_tickets_entry_id_state", "entry_id", "state", "ticket_type_id"),
    )

    entry_id: Mapped[int] = mapped_column(ForeignKey("calendar_entries.id"))
    ticket_type_id: Mapped[int | None] = mapped_column(index=True)
    user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    order_id: Mapped[int | None] = mapped_column(ForeignKey("orders.id"))
    state: Mapped[TicketState] = mapped_column(server_default="pending")
    code: Mapped[str | None] = mapped_column(unique=True)
    replaces_id: Mapped[int | None] = mapped_column(ForeignKey("tickets.id"), unique=True)
    """The ticket of the same order line that was released, where a late payment took a new one."""
    price_seen: Mapped[Decimal | None]
    """What it cost when it was put into the cart: the page says so where that has changed since."""
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    checked_in_at: Mapped[datetime | None]

    entry: Mapped[CalendarEntry] = relationship(lazy="raise")
    # By hand and for reading only: through the foreign key's two columns, to set a type would write the entry as well.
    ticket_type: Mapped[TicketType | None] = relationship(
        lazy="raise", primaryjoin="foreign(Ticket.ticket_type_id) == TicketType.id", viewonly=True
    )
