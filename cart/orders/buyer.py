"""Whose order it is: a user's, or a guest's, who is known by a browser's session or by the token from a mail."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import ColumnElement, false

from shared.models import Order
from shared.services.journal import user_actor

GUEST = "guest"


@dataclass(frozen=True, slots=True)
class Buyer:
    """Who buys, or looks at what they bought. ``email`` is what a guest gave at checkout."""

    user_id: int | None
    session_id: str | None = None
    token_hash: str | None = None
    email: str | None = None

    def owns(self) -> ColumnElement[bool]:
        """Bound a query of orders by whose they are; nobody owns nothing."""
        if self.token_hash is not None:
            return Order.access_token_hash == self.token_hash
        if self.user_id is not None:
            return Order.user_id == self.user_id
        if self.session_id is None:
            return false()
        return (Order.session_id == UUID(self.session_id)) & Order.user_id.is_(None)

    @property
    def actor(self) -> str:
        """How the journal names them: a guest has no account, and no name there."""
        return GUEST if self.user_id is None else user_actor(self.user_id)
