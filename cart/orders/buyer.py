"""Whose order it is: a user's, or a guest's, who is known by a browser's session or by the token from a mail."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from sqlalchemy import ColumnElement

from shared.contracts.owner import NOBODY, CartOwner
from shared.db.owners import owned_by
from shared.models import Order
from shared.services.journal import user_actor

GUEST = "guest"


@dataclass(frozen=True, slots=True)
class Buyer:
    """Who buys, or looks at what they bought. ``email`` is what a guest gave at checkout."""

    owner: CartOwner = NOBODY
    token_hash: str | None = None
    email: str | None = None
    network: str = ""
    """The network that a guest's request came from; empty: not known."""

    @classmethod
    def of_user(cls, user_id: int, email: str | None = None) -> Self:
        """Return a signed-in person."""
        return cls(CartOwner.of_user(user_id), email=email)

    def owns(self) -> ColumnElement[bool]:
        """Bound a query of orders by whose they are; nobody owns nothing."""
        # The token alone: who opens the link from the mail may do it on any device, signed in as anybody.
        if self.token_hash is not None:
            return Order.access_token_hash == self.token_hash
        return owned_by(Order, self.owner)

    @property
    def user_id(self) -> int | None:
        """Their account, if they have one."""
        return self.owner.user_id

    @property
    def actor(self) -> str:
        """How the journal names them: a guest has no account, and no name there."""
        return GUEST if self.user_id is None else user_actor(self.user_id)
