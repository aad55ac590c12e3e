"""People, how they sign in, and their sessions."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, func, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from shared.contracts.states import Role

from .base import Base, IdMixin, one_of


class User(IdMixin, Base):
    """A person with an account; the e-mail address, in lower case, is proven by the sign-in link."""

    __tablename__ = "users"
    __table_args__ = (
        CheckConstraint("email = lower(email)", name="email_lower"),
        # For the admin's search by the beginning of a word: LIKE 'abc%' needs this kind of index.
        Index("ix_users_name_prefix", text("lower(name) text_pattern_ops")),
        Index("ix_users_email_prefix", text("email text_pattern_ops")),
    )

    email: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str] = mapped_column(server_default="")
    has_cart: Mapped[bool] = mapped_column(server_default="false")
    """Whether there may be something in this person's cart; false: there is nothing, and nobody need look."""
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    locked_at: Mapped[datetime | None]
    """Since when nobody gets in with this account; None: it is not locked."""

    roles: Mapped[list[UserRole]] = relationship(back_populates="user", lazy="raise")


class UserRole(IdMixin, Base):
    """A role that a person has: on one page, or (``page_post_id`` null) everywhere."""

    __tablename__ = "user_roles"
    __table_args__ = (
        # NULL means everywhere, and must be there once as well.
        UniqueConstraint("user_id", "role", "page_post_id", postgresql_nulls_not_distinct=True),
        CheckConstraint(one_of("role", Role), name="role"),
    )

    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    role: Mapped[Role]
    page_post_id: Mapped[int | None] = mapped_column(ForeignKey("posts.id", ondelete="CASCADE"), index=True)
    granted_at: Mapped[datetime] = mapped_column(server_default=func.now())

    user: Mapped[User] = relationship(back_populates="roles", lazy="raise")


class SignInLink(IdMixin, Base):
    """A one-time link: only the hash of its token is kept."""

    __tablename__ = "sign_in_links"
    __table_args__ = (
        Index("ix_sign_in_links_created_at", "created_at"),
        Index("ix_sign_in_links_expires_at", "expires_at"),
    )

    email: Mapped[str]
    token_hash: Mapped[str] = mapped_column(unique=True)
    next_url: Mapped[str] = mapped_column(server_default="")
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
    inbox: Mapped[str] = mapped_column(server_default="")
    """The inbox that its mail reaches, and the network that asked for it: for the limits alone, gone with the link."""
    network: Mapped[str] = mapped_column(server_default="")


class LoginSession(Base):
    """A browser's session: signed in, or (``user_id`` null) anonymous. Deleting the row signs it out everywhere."""

    __tablename__ = "sessions"
    __table_args__ = (Index("ix_sessions_expires_at", "expires_at"),)

    id: Mapped[UUID] = mapped_column(primary_key=True, server_default=text("gen_random_uuid()"))
    token_hash: Mapped[str] = mapped_column(unique=True)
    user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    has_cart: Mapped[bool] = mapped_column(server_default="false")
    """As for a user, while the session is anonymous."""
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    last_seen_at: Mapped[datetime] = mapped_column(server_default=func.now())
    expires_at: Mapped[datetime]
    device: Mapped[str] = mapped_column(server_default="")
    """The browser and the system that it says it is, for its owner to know it by."""

    user: Mapped[User | None] = relationship(lazy="raise")


class KnownBrowser(Base):
    """A browser with which somebody who has a role has signed in: only the hash of its cookie is kept."""

    __tablename__ = "known_browsers"

    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    token_hash: Mapped[str] = mapped_column(primary_key=True)
    last_used_at: Mapped[datetime]
