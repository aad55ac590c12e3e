"""Orders, their lines, payments, debts and refunds: written by the cart domain alone."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, func, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from shared.contracts.owner import CartOwner
from shared.contracts.states import DebtReason, DebtState, LineKind, OrderState, PaymentState, RefundState

from .base import Base, IdMixin, one_of


class Order(IdMixin, Base):
    """What somebody bought in one go, and pays to one account. ``total`` is the sum of its lines."""

    __tablename__ = "orders"
    __table_args__ = (
        CheckConstraint(one_of("state", OrderState), name="state"),
        CheckConstraint("total >= 0", name="total"),
        # Somebody must be told of the order, and of money that goes back.
        CheckConstraint("user_id IS NOT NULL OR guest_email IS NOT NULL", name="has_buyer"),
        Index("ix_orders_user_id_id", "user_id", "id"),
        # Partial, as the next ones: of all orders there ever were, few are open, and the pages and sweeps ask for those
        # alone.
        Index("ix_orders_user_id_pending", "user_id", postgresql_where=text("state = 'pending'")),
        CheckConstraint("user_id IS NOT NULL OR access_token_hash IS NOT NULL", name="guest_has_token"),
        Index("ix_orders_expires_at_pending", "expires_at", postgresql_where=text("state = 'pending'")),
        Index("ix_orders_state_id", "state", "id"),
        Index("ix_orders_created_at", "created_at"),
        # For the worker that empties the column: it looks for the few that are not empty yet.
        Index("ix_orders_network", "created_at", postgresql_where=text("network <> ''")),
        Index(
            "ix_orders_guest_email_prefix",
            # ``text_pattern_ops``: in most locales LIKE 'abc%' can use no other index.
            text("lower(guest_email) text_pattern_ops"),
            postgresql_where=text("guest_email IS NOT NULL"),
        ),
        Index("ix_orders_unmailed", "id", postgresql_where=text("paid_at IS NOT NULL AND mail_queued_at IS NULL")),
    )

    number: Mapped[str] = mapped_column(unique=True)
    state: Mapped[OrderState] = mapped_column(server_default="pending")
    user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    # The session may end, and the order stays.
    session_id: Mapped[UUID | None] = mapped_column(ForeignKey("sessions.id", ondelete="SET NULL"), index=True)
    guest_email: Mapped[str | None]
    # For the limit of unpaid orders alone; a worker empties it (docs/privacy.md).
    network: Mapped[str] = mapped_column(server_default="")
    """The network that a guest's order came from."""
    # A guest's link to the order. The hash alone: who reads the database can open no order with it.
    access_token_hash: Mapped[str | None] = mapped_column(unique=True)
    page_post_id: Mapped[int | None] = mapped_column(ForeignKey("posts.id"), index=True)
    merchant_code: Mapped[str]
    currency: Mapped[str]
    total: Mapped[Decimal]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    expires_at: Mapped[datetime]
    paid_at: Mapped[datetime | None]
    released_at: Mapped[datetime | None]
    mail_queued_at: Mapped[datetime | None]
    """When the worker wrote the mails about what was paid; null again when more is to be told."""

    lines: Mapped[list[OrderLine]] = relationship(lazy="raise", order_by="OrderLine.id", back_populates="order")
    sellers: Mapped[list[OrderSeller]] = relationship(lazy="raise", order_by="OrderSeller.id")
    payments: Mapped[list[Payment]] = relationship(lazy="raise", order_by="Payment.id", back_populates="order")

    @property
    def owner(self) -> CartOwner:
        """Whose cart the order's lines come from and go back to."""
        return CartOwner.first_of(self.user_id, self.session_id)


class OrderLine(IdMixin, Base):
    """One thing sold, as it was at checkout. Never changed or deleted (a trigger refuses it).

    Tickets, bookings and products are named by columns of their own. Another kind of thing has rows in a table of its
    own, which its lines name by ``thing_id``; that they do is for the audit to see.
    """

    __tablename__ = "order_lines"
    __table_args__ = (
        CheckConstraint("kind ~ '^[a-z][a-z_]*$'", name="kind"),
        CheckConstraint("quantity > 0", name="quantity"),
        CheckConstraint("unit_price >= 0", name="unit_price"),
        # The database's own arithmetic, so no code can sell three for the price of two.
        CheckConstraint("total = unit_price * quantity", name="total"),
        CheckConstraint("kind <> 'ticket' OR (ticket_id IS NOT NULL AND quantity = 1)", name="ticket"),
        CheckConstraint("kind <> 'booking' OR (entry_id IS NOT NULL AND quantity = 1)", name="booking"),
        CheckConstraint("kind <> 'product' OR variant_id IS NOT NULL", name="product"),
        CheckConstraint(f"{one_of('kind', LineKind)} OR thing_id IS NOT NULL", name="thing"),
        Index("ix_order_lines_page_post_id_order_id", "page_post_id", "order_id"),
        UniqueConstraint("order_id", "ticket_id"),
        UniqueConstraint("order_id", "variant_id"),
        Index(
            "uq_order_lines_order_id_kind_thing_id",
            "order_id",
            "kind",
            "thing_id",
            unique=True,
            postgresql_where=text("thing_id IS NOT NULL"),
        ),
    )

    order_id: Mapped[int] = mapped_column(ForeignKey("orders.id"))
    kind: Mapped[str]
    title: Mapped[str]
    detail: Mapped[str] = mapped_column(server_default="")
    """All that people are told of it besides, in words."""
    option_name: Mapped[str] = mapped_column(server_default="")
    """Which ticket type, calendar or variant it was."""
    start_at: Mapped[datetime | None]
    end_at: Mapped[datetime | None]
    """When it was to be: a ticket's event, or a booking."""
    time_zone: Mapped[str] = mapped_column(server_default="")
    place: Mapped[str] = mapped_column(server_default="")
    quantity: Mapped[int]
    unit_price: Mapped[Decimal]
    total: Mapped[Decimal]
    vat_rate: Mapped[Decimal] = mapped_column(server_default="0")
    page_post_id: Mapped[int | None]
    ticket_id: Mapped[int | None] = mapped_column(ForeignKey("tickets.id"), index=True)
    entry_id: Mapped[int | None] = mapped_column(ForeignKey("calendar_entries.id"), index=True)
    ticket_type_id: Mapped[int | None]
    product_id: Mapped[int | None] = mapped_column(ForeignKey("products.id"), index=True)
    variant_id: Mapped[int | None] = mapped_column(ForeignKey("product_variants.id"), index=True)
    thing_id: Mapped[int | None]

    order: Mapped[Order] = relationship(lazy="raise", back_populates="lines")


class OrderSeller(IdMixin, Base):
    """Who sold some of an order's lines, and on which terms, as they were at checkout. Never changed or deleted."""

    __tablename__ = "order_sellers"
    __table_args__ = (UniqueConstraint("order_id", "page_post_id"),)

    order_id: Mapped[int] = mapped_column(ForeignKey("orders.id"))
    page_post_id: Mapped[int]
    page_title: Mapped[str]
    name: Mapped[str]
    address: Mapped[str]
    email: Mapped[str] = mapped_column(server_default="")
    phone: Mapped[str] = mapped_column(server_default="")
    terms: Mapped[str]
    refund_policy: Mapped[str]
    collection_place: Mapped[str]
    collection_times: Mapped[str]


class Payment(IdMixin, Base):
    """One attempt to pay an order. Written down and committed before the provider is called (promise 15).

    An order has at most one attempt that can still take money (promise 5: the partial unique index).
    ``refunded`` is kept by a trigger on refunds; its CHECK keeps what is refunded below what was paid. ``owed``
    likewise, on debts and refunds: each debt once, settled or not, and what went back elsewhere without one.
    """

    __tablename__ = "payments"
    __table_args__ = (
        CheckConstraint(one_of("state", PaymentState), name="state"),
        CheckConstraint("amount > 0", name="amount"),
        # Both hold whatever the code does (docs/money.md, promise 11): the triggers keep the sums, these refuse.
        CheckConstraint("refunded >= 0 AND refunded <= amount", name="refunded_within_amount"),
        CheckConstraint("owed >= 0 AND owed <= amount", name="owed_within_amount"),
        CheckConstraint("state <> 'paid' OR paid_at IS NOT NULL", name="paid_has_time"),
        CheckConstraint("fulfilled_at IS NULL OR state = 'paid'", name="fulfilled_is_paid"),
        CheckConstraint("state <> 'open' OR checkout_id IS NOT NULL", name="open_has_checkout"),
        Index(
            # The states of PAYABLE_PAYMENT_STATES: a second attempt can be written only once the first can't be paid
            # any more.
            "uq_payments_one_payable",
            "order_id",
            unique=True,
            postgresql_where=text("state IN ('created', 'open', 'closing', 'unknown')"),
        ),
        Index("ix_payments_order_id", "order_id"),
        Index("ix_payments_next_check_at", "next_check_at", postgresql_where=text("next_check_at IS NOT NULL")),
        Index(
            "ix_payments_needing_a_person",
            "order_id",
            postgresql_where=text("state IN ('review', 'unknown', 'closing')"),
        ),
        Index("ix_payments_unfulfilled", "id", postgresql_where=text("state = 'paid' AND fulfilled_at IS NULL")),
    )

    order_id: Mapped[int] = mapped_column(ForeignKey("orders.id"))
    state: Mapped[PaymentState] = mapped_column(server_default="created")
    provider: Mapped[str] = mapped_column(server_default="sumup")
    merchant_code: Mapped[str]
    amount: Mapped[Decimal]
    currency: Mapped[str]
    refunded: Mapped[Decimal] = mapped_column(server_default="0")
    owed: Mapped[Decimal] = mapped_column(server_default="0")
    # Unique: SumUp takes each reference once, so it belongs to a payment and not to an order (docs/sumup.md § 2).
    checkout_reference: Mapped[str] = mapped_column(unique=True)
    checkout_id: Mapped[str | None] = mapped_column(unique=True)
    hosted_url: Mapped[str | None]
    # Two tokens: the buyer's browser knows the one, the provider the other, and neither serves in the other's place.
    return_token: Mapped[str] = mapped_column(unique=True)
    webhook_token: Mapped[str] = mapped_column(unique=True)
    valid_until: Mapped[datetime]
    transaction_id: Mapped[str | None] = mapped_column(unique=True)
    transaction_code: Mapped[str | None] = mapped_column(index=True)
    review_reason: Mapped[str | None]
    answer: Mapped[dict[str, Any] | None]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    paid_at: Mapped[datetime | None]
    fulfilled_at: Mapped[datetime | None]
    next_check_at: Mapped[datetime | None]
    asked_at: Mapped[datetime | None]
    """When the provider was last asked for somebody who looked at the return page."""
    checks: Mapped[int] = mapped_column(server_default="0")

    order: Mapped[Order] = relationship(lazy="raise", back_populates="payments")


class PaymentNotice(IdMixin, Base):
    """A webhook as it came in: a hint, stored before it is answered."""

    __tablename__ = "payment_notices"
    __table_args__ = (Index("ix_payment_notices_unhandled", "id", postgresql_where=text("handled_at IS NULL")),)

    # Never a row for an id that is not ours: such a notice is not kept (docs/sumup.md § 6).
    payment_id: Mapped[int] = mapped_column(ForeignKey("payments.id"), index=True)
    received_at: Mapped[datetime] = mapped_column(server_default=func.now())
    event_type: Mapped[str]
    handled_at: Mapped[datetime | None]


class Debt(IdMixin, Base):
    """Money that we owe a buyer, and why. One for a line of a payment, one for a whole payment that came twice.

    Of those that an admin decided on there may be several; those of a line stay below what it cost (a trigger).
    """

    __tablename__ = "debts"
    __table_args__ = (
        CheckConstraint(one_of("state", DebtState), name="state"),
        CheckConstraint(one_of("reason", DebtReason), name="reason"),
        CheckConstraint("amount > 0", name="amount"),
        CheckConstraint("(state = 'settled') = (settled_at IS NOT NULL)", name="settled_has_time"),
        CheckConstraint(
            "NOT by_hand OR (state = 'settled' AND settled_by IS NOT NULL AND note <> '')",
            name="by_hand_says_who_and_how",
        ),
        Index(
            # A debt of a whole payment has no line: two NULLs must count as the same here (PostgreSQL 15 and later).
            "uq_debts_request_key",
            "request_key",
            "payment_id",
            "order_line_id",
            unique=True,
            postgresql_nulls_not_distinct=True,
            postgresql_where=text("request_key IS NOT NULL"),
        ),
        Index(
            "uq_debts_once",
            "payment_id",
            "order_line_id",
            unique=True,
            postgresql_nulls_not_distinct=True,
            # Those are decided by people, who may decide twice; the others come about by themselves, and may come about
            # once.
            postgresql_where=text("reason NOT IN ('goodwill', 'cancelled_by_organiser')"),
        ),
        Index("ix_debts_owed", "created_at", "id", postgresql_where=text("state = 'owed'")),
    )

    order_id: Mapped[int] = mapped_column(ForeignKey("orders.id"), index=True)
    payment_id: Mapped[int] = mapped_column(ForeignKey("payments.id"))
    order_line_id: Mapped[int | None] = mapped_column(ForeignKey("order_lines.id"), index=True)
    amount: Mapped[Decimal]
    currency: Mapped[str]
    reason: Mapped[DebtReason]
    state: Mapped[DebtState] = mapped_column(server_default="owed")
    note: Mapped[str] = mapped_column(server_default="")
    request_key: Mapped[UUID | None]
    """Names the press of a button that it comes from: a second press makes no second debt."""
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    settled_at: Mapped[datetime | None]
    by_hand: Mapped[bool] = mapped_column(server_default="false")
    """Whether it was settled outside the provider, as ``note`` says; ``settled_by`` said so."""
    settled_by: Mapped[int | None] = mapped_column(ForeignKey("users.id"))

    order: Mapped[Order] = relationship(lazy="raise")
    payment: Mapped[Payment] = relationship(lazy="raise")
    order_line: Mapped[OrderLine | None] = relationship(lazy="raise")
    refunds: Mapped[list[Refund]] = relationship(lazy="raise", order_by="Refund.id", back_populates="debt")


class Refund(IdMixin, Base):
    """One attempt to pay a debt through the provider: at most one in flight per payment (promise 11).

    ``external`` ones were made in the provider's dashboard, or (``chargeback``) taken back by the buyer's bank.
    """

    __tablename__ = "refunds"
    __table_args__ = (
        CheckConstraint(one_of("state", RefundState), name="state"),
        CheckConstraint("amount > 0", name="amount"),
        Index(
            # The provider has no key against a repeated refund: one at a time is all that we can hold to (docs/sumup.md
            # § 7).
            "uq_refunds_one_in_flight",
            "payment_id",
            unique=True,
            postgresql_where=text("state IN ('requested', 'sent', 'unknown')"),
        ),
        Index("ix_refunds_payment_id", "payment_id"),
        Index("ix_refunds_failed", "payment_id", postgresql_where=text("state = 'failed'")),
        Index(
            # The provider's history is read again and again; each of its events counts once.
            "uq_refunds_external_event",
            "payment_id",
            "provider_event",
            "debt_id",
            unique=True,
            postgresql_nulls_not_distinct=True,
            postgresql_where=text("provider_event IS NOT NULL"),
        ),
        Index("ix_refunds_next_check_at", "next_check_at", postgresql_where=text("next_check_at IS NOT NULL")),
    )

    debt_id: Mapped[int | None] = mapped_column(ForeignKey("debts.id"), index=True)
    payment_id: Mapped[int] = mapped_column(ForeignKey("payments.id"))
    amount: Mapped[Decimal]
    currency: Mapped[str]
    state: Mapped[RefundState] = mapped_column(server_default="requested")
    reason: Mapped[str] = mapped_column(server_default="")
    """The provider's words where it failed."""
    refunded_before: Mapped[Decimal | None]
    """What the provider's record showed as refunded before this was sent: how a lost answer is told."""
    requested_by: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    """Who asked for it; nobody: it was made by itself, or elsewhere."""
    chargeback: Mapped[bool] = mapped_column(server_default="false")
    provider_event: Mapped[str | None]
    """Of one made elsewhere: the event of the provider's that tells of it."""
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    sent_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    next_check_at: Mapped[datetime | None]
    checks: Mapped[int] = mapped_column(server_default="0")

    debt: Mapped[Debt | None] = relationship(lazy="raise", back_populates="refunds")
    payment: Mapped[Payment] = relationship(lazy="raise")


class OrderNote(IdMixin, Base):
    """What an admin wants others to know of an order."""

    __tablename__ = "order_notes"
    __table_args__ = (CheckConstraint("body <> ''", name="body"),)

    order_id: Mapped[int] = mapped_column(ForeignKey("orders.id"), index=True)
    author_id: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    body: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
