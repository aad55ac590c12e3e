"""Whose a cart is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self
from uuid import UUID


@dataclass(frozen=True, slots=True)
class CartOwner:
    """A user's id, or an anonymous session's, never both; with neither it is nobody, who has an empty cart."""

    user_id: int | None = None
    session_id: UUID | None = None

    def __post_init__(self) -> None:
        """Raise ValueError for a cart of two owners."""
        # ``owned_by`` would look for the user's rows alone, and ``lock_cart_owner`` lock no more than the user.
        if self.user_id is not None and self.session_id is not None:
            raise ValueError("a cart belongs to a user or to a session, not to both")

    @classmethod
    def of_user(cls, user_id: int) -> Self:
        """Return a user as the owner of a cart."""
        return cls(user_id=user_id)

    @classmethod
    def of_session(cls, session_id: UUID) -> Self:
        """Return an anonymous session as the owner of a cart."""
        return cls(session_id=session_id)

    @classmethod
    def first_of(cls, user_id: int | None, session_id: UUID | None) -> Self:
        """Return the user where there is one, else the session: an order of a guest who signed in has kept both."""
        return cls(user_id=user_id) if user_id is not None else cls(session_id=session_id)


# No wildcard: a query bounded by it finds nothing.
NOBODY = CartOwner()
"""A browser without a session, and the owner of an order whose session is gone."""
