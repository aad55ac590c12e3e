"""Accounts at the payment provider, and what was found in their histories: written by the cart domain alone."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, func, text
from sqlalchemy.orm import Mapped, mapped_column

from shared.contracts.states import FindingKind

from .base import Base, IdMixin, one_of


class PaymentAccount(Base):
    """An account at the payment provider besides the installation's own: kept even when no page is paid to it any more.

    What was paid to it is still settled and refunded with its key, which is stored encrypted
    (``shared/payments/vault.py``).
    """

    __tablename__ = "payment_accounts"
    __table_args__ = (CheckConstraint("merchant_code ~ '^[A-Za-z0-9_-]{1,64}$'", name="merchant_code"),)

    merchant_code: Mapped[str] = mapped_column(primary_key=True)
    api_key_encrypted: Mapped[str]
    name: Mapped[str] = mapped_column(server_default="")
    currency: Mapped[str]
    sandbox: Mapped[bool]
    checked_at: Mapped[datetime]
    updated_by: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))


class ProviderWalk(Base):
    """How far an account's history at the provider has been read."""

    __tablename__ = "provider_walks"

    merchant_code: Mapped[str] = mapped_column(primary_key=True)
    walked_until: Mapped[datetime]


class ProviderFinding(IdMixin, Base):
    """Something in an account's history that we did not know: open until a person says what became of it."""

    __tablename__ = "provider_findings"
    __table_args__ = (
        CheckConstraint(one_of("kind", FindingKind), name="kind"),
        CheckConstraint(
            "resolved_at IS NULL OR (resolved_by IS NOT NULL AND note <> '')", name="resolved_says_who_and_how"
        ),
        # A day of the history is read again each time, so that nothing is missed; what was found is found again.
        UniqueConstraint(
            "merchant_code",
            "transaction_id",
            "kind",
            "amount",
            "provider_event",
            name="uq_provider_findings_once",
        ),
        Index("ix_provider_findings_open", "id", postgresql_where=text("resolved_at IS NULL")),
    )

    merchant_code: Mapped[str]
    transaction_id: Mapped[str]
    transaction_code: Mapped[str] = mapped_column(server_default="")
    kind: Mapped[FindingKind]
    payment_id: Mapped[int | None] = mapped_column(ForeignKey("payments.id"), index=True)
    """Ours, where it is about one of ours."""
    amount: Mapped[Decimal]
    currency: Mapped[str]
    # Empty and not NULL: the constraint above would take two NULLs for different.
    provider_event: Mapped[str] = mapped_column(server_default="")
    """The movement that it is about, so that two of one sum are two; empty where it is about the payment itself."""
    happened_at: Mapped[datetime | None]
    found_at: Mapped[datetime] = mapped_column(server_default=func.now())
    resolved_at: Mapped[datetime | None]
    resolved_by: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    note: Mapped[str] = mapped_column(server_default="")
