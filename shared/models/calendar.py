"""Calendars and their entries: events, and shoppers' bookings."""

from __future__ import annotations

from datetime import date, datetime, time
from decimal import Decimal
from uuid import UUID

from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    SmallInteger,
    UniqueConstraint,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, ExcludeConstraint
from sqlalchemy.orm import Mapped, mapped_column, query_expression, relationship

from shared.contracts.states import EntryKind, EntryState

from .base import Base, IdMixin, one_of


class Calendar(IdMixin, Base):
    """A calendar of a container: today always a page, by the id of its post.

    ``whole_room``: one thing at a time, events and bookings alike, which the database itself holds to (an exclusion
    constraint on the entries). Else each slot has as many places as its rule says.
    """

    __tablename__ = "calendars"
    __table_args__ = (
        CheckConstraint("container_type = 'page'", name="container_type"),
        CheckConstraint("notice_minutes >= 0", name="notice_minutes"),
        CheckConstraint("ahead_days BETWEEN 0 AND 730", name="ahead_days"),
        # Says nothing by itself, for ``id`` is unique; the entries' foreign key needs it to follow ``whole_room``.
        UniqueConstraint("id", "whole_room"),
        Index("ix_calendars_container_id", "container_id"),
    )

    container_type: Mapped[str] = mapped_column(server_default="page")
    container_id: Mapped[int] = mapped_column(ForeignKey("posts.id"))
    slug: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    place: Mapped[str] = mapped_column(server_default="")
    description: Mapped[str] = mapped_column(server_default="")
    time_zone: Mapped[str] = mapped_column(server_default="Europe/London")
    whole_room: Mapped[bool] = mapped_column(server_default="false")
    needs_approval: Mapped[bool] = mapped_column(server_default="false")
    """Whether a booking that is paid still waits for somebody's yes."""
    notice_minutes: Mapped[int] = mapped_column(server_default="0")
    """How long before its start a slot can be booked at the latest."""
    ahead_days: Mapped[int] = mapped_column(server_default="60")
    """How many days ahead slots are offered, today counted as 0."""
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())


class BookingRule(IdMixin, Base):
    """What can be booked of a calendar: slots of one length, on some days of the week, between two times of day.

    Times are the calendar's own, as its clock on the wall shows them. ``to_time`` at or before ``from_time`` is on the
    next day. ``weekdays`` are ISO's: 1 is Monday.
    """

    __tablename__ = "booking_rules"
    __table_args__ = (
        CheckConstraint("slot_minutes BETWEEN 5 AND 1440", name="slot_minutes"),
        CheckConstraint("price >= 0", name="price"),
        CheckConstraint("places > 0", name="places"),
        # An array's elements can have no foreign key and no check of their own.
        CheckConstraint("cardinality(weekdays) > 0 AND weekdays <@ ARRAY[1,2,3,4,5,6,7]::smallint[]", name="weekdays"),
        Index("ix_booking_rules_calendar_id", "calendar_id"),
    )

    calendar_id: Mapped[int] = mapped_column(ForeignKey("calendars.id", ondelete="CASCADE"))
    name: Mapped[str]
    weekdays: Mapped[list[int]] = mapped_column(ARRAY(SmallInteger))
    from_time: Mapped[time]
    to_time: Mapped[time]
    slot_minutes: Mapped[int]
    price: Mapped[Decimal]
    vat_rate: Mapped[Decimal] = mapped_column(server_default="0")
    places: Mapped[int] = mapped_column(server_default="1")
    position: Mapped[int] = mapped_column(server_default="0")


class CalendarClosure(IdMixin, Base):
    """Days on which nothing can be booked, first and last included, as the calendar's own zone counts them."""

    __tablename__ = "calendar_closures"
    __table_args__ = (
        CheckConstraint("last_day >= first_day", name="days"),
        Index("ix_calendar_closures_calendar_id_last_day", "calendar_id", "last_day"),
    )

    calendar_id: Mapped[int] = mapped_column(ForeignKey("calendars.id", ondelete="CASCADE"))
    first_day: Mapped[date]
    last_day: Mapped[date]
    reason: Mapped[str] = mapped_column(server_default="")


class Slot(IdMixin, Base):
    """A stretch of time that somebody has wanted to book, with its places.

    Made when it is first ordered; ``held`` is kept by a trigger on the entries, and its CHECK makes overbooking
    impossible.
    """

    __tablename__ = "slots"
    __table_args__ = (
        UniqueConstraint("calendar_id", "start_at", "end_at"),
        CheckConstraint("end_at > start_at", name="ends_after_start"),
        CheckConstraint("held >= 0", name="held_not_negative"),
        CheckConstraint("held <= places", name="held_within_places"),
    )

    calendar_id: Mapped[int] = mapped_column(ForeignKey("calendars.id", ondelete="CASCADE"))
    start_at: Mapped[datetime]
    end_at: Mapped[datetime]
    places: Mapped[int]
    held: Mapped[int] = mapped_column(server_default="0")


class CalendarEntry(IdMixin, Base):
    """An event (made by an organiser) or a booking (made by a shopper).

    ``held`` is kept by a trigger on tickets: the number of reserved, confirmed and checked-in ones. Its CHECK is
    what makes overselling impossible (docs/money.md, promise 1). ``whole_room`` is the calendar's own (a trigger fills
    it in, and the foreign key follows it): what holds a room that is let as a whole overlaps nothing else that does.
    """

    __tablename__ = "calendar_entries"
    __table_args__ = (
        CheckConstraint("held >= 0", name="held_not_negative"),
        CheckConstraint("capacity IS NULL OR held <= capacity", name="held_within_capacity"),
        CheckConstraint("end_at > start_at", name="ends_after_start"),
        # Lets the list of what is on look no more than a year back, and so use its index from both sides.
        CheckConstraint("end_at <= start_at + interval '366 days'", name="ends_within_a_year"),
        CheckConstraint("ticket_price IS NULL OR ticket_price >= 0", name="ticket_price"),
        CheckConstraint("cost IS NULL OR cost >= 0", name="cost"),
        CheckConstraint("max_per_order IS NULL OR max_per_order > 0", name="max_per_order"),
        CheckConstraint("max_per_person IS NULL OR max_per_person > 0", name="max_per_person"),
        CheckConstraint(one_of("kind", EntryKind), name="kind"),
        CheckConstraint(one_of("state", EntryState), name="state"),
        CheckConstraint(
            "(kind = 'event' AND state IN ('draft', 'confirmed', 'cancelled') AND user_id IS NULL"
            " AND session_id IS NULL AND order_id IS NULL)"
            " OR (kind = 'booking' AND state <> 'draft'"
            " AND (state <> 'pending' OR (user_id IS NULL) <> (session_id IS NULL)))",
            name="kind_and_state",
        ),
        CheckConstraint("state <> 'pending' OR order_id IS NULL", name="pending_without_order"),
        CheckConstraint("state NOT IN ('ordered', 'provisional') OR order_id IS NOT NULL", name="held_with_order"),
        CheckConstraint(
            "kind = 'event' OR state NOT IN ('ordered', 'provisional', 'confirmed') OR slot_id IS NOT NULL",
            name="held_with_slot",
        ),
        # So that no entry can disagree with its calendar: a change there is carried over here, or refused.
        ForeignKeyConstraint(
            ["calendar_id", "whole_room"],
            ["calendars.id", "calendars.whole_room"],
            name="fk_calendar_entries_room",
            onupdate="CASCADE",
        ),
        # No lock is needed for this to hold. ``tstzrange`` leaves its end out, so one thing may begin as another one
        # ends.
        ExcludeConstraint(
            ("calendar_id", "="),
            (text("tstzrange(start_at, end_at)"), "&&"),
            name="ex_calendar_entries_one_at_a_time",
            using="gist",
            where=text("whole_room AND state IN ('ordered', 'provisional', 'confirmed')"),
        ),
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
        Index("ix_calendar_entries_slot_id", "slot_id"),
        Index("ix_calendar_entries_provisional", "start_at", "id", postgresql_where=text("state = 'provisional'")),
    )

    calendar_id: Mapped[int] = mapped_column(ForeignKey("calendars.id"))
    kind: Mapped[EntryKind] = mapped_column(server_default="event")
    state: Mapped[EntryState] = mapped_column(server_default="draft")
    name: Mapped[str]
    description: Mapped[str] = mapped_column(server_default="")
    start_at: Mapped[datetime]
    end_at: Mapped[datetime]
    ticket_price: Mapped[Decimal | None]
    vat_rate: Mapped[Decimal] = mapped_column(server_default="0")
    capacity: Mapped[int | None]
    held: Mapped[int] = mapped_column(server_default="0")
    max_per_order: Mapped[int | None]
    max_per_person: Mapped[int | None]
    """How many tickets one person may have over all orders; None: as many as one order may."""
    sale_starts_at: Mapped[datetime | None]
    sale_ends_at: Mapped[datetime | None]
    cost: Mapped[Decimal | None]
    user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    # Not CASCADE: an order's line may name this booking after its guest's session has ended.
    session_id: Mapped[UUID | None] = mapped_column(ForeignKey("sessions.id", ondelete="SET NULL"))
    order_id: Mapped[int | None] = mapped_column(ForeignKey("orders.id"))
    slot_id: Mapped[int | None] = mapped_column(ForeignKey("slots.id"))
    whole_room: Mapped[bool] = mapped_column(server_default="false")
    # Unique: one line of an order is taken again once.
    replaces_id: Mapped[int | None] = mapped_column(ForeignKey("calendar_entries.id"), unique=True)
    """The booking of the same order line that was released, where a late payment took a new one."""
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())

    unpaid_until: Mapped[datetime | None] = query_expression()
    """Where nothing is left, until when the first of the unpaid orders holds some; None: none does, or nobody asked."""

    calendar: Mapped[Calendar] = relationship(lazy="raise", foreign_keys=[calendar_id])
    ticket_types: Mapped[list[TicketType]] = relationship(
        lazy="raise", back_populates="entry", order_by="(TicketType.position, TicketType.id)"
    )


class TicketType(IdMixin, Base):
    """A kind of ticket of an entry. ``cost`` null: the entry's price; 0.00: free."""

    __tablename__ = "ticket_types"
    __table_args__ = (
        # Says nothing by itself, for ``id`` is unique; the tickets' foreign key of both columns needs it.
        UniqueConstraint("id", "entry_id"),
        CheckConstraint("cost IS NULL OR cost >= 0", name="cost"),
        CheckConstraint("held >= 0", name="held_not_negative"),
        CheckConstraint("capacity IS NULL OR held <= capacity", name="held_within_capacity"),
        Index("ix_ticket_types_entry_id", "entry_id"),
    )

    entry_id: Mapped[int] = mapped_column(ForeignKey("calendar_entries.id", ondelete="CASCADE"))
    name: Mapped[str]
    description: Mapped[str] = mapped_column(server_default="")
    cost: Mapped[Decimal | None]
    vat_rate: Mapped[Decimal | None]
    capacity: Mapped[int | None]
    held: Mapped[int] = mapped_column(server_default="0")
    position: Mapped[int] = mapped_column(server_default="0")
    sale_starts_at: Mapped[datetime | None]
    sale_ends_at: Mapped[datetime | None]

    unpaid_until: Mapped[datetime | None] = query_expression()
    """Where nothing is left, until when the first of the unpaid orders holds some; None: none does, or nobody asked."""

    entry: Mapped[CalendarEntry] = relationship(lazy="raise", back_populates="ticket_types")
