"""The client of the cart app's internal API: how much is in somebody's cart, and what.

The summary is for the badge in every page's header. A badge is never worth a page: any failure means "no number".
"""

from __future__ import annotations

import time
from collections.abc import Callable
from uuid import UUID

import httpx
from pydantic.json_schema import SkipJsonSchema

from shared.contracts.dtos import CartSummaryDTO, KindCount
from shared.contracts.owner import CartOwner
from shared.settings import Settings

from .caller import Caller, CallFailed
from .wire import Amount, Answer, Count, Flag, Id, Moment, Query, left_out

SUMMARY_PATH = "/internal/v1/cart/summary"


class SummaryQuery(Query):
    """Whose cart is asked about: a user's, else an anonymous session's; nobody's is empty."""

    user_id: Id | SkipJsonSchema[None] = left_out()
    session_id: UUID | SkipJsonSchema[None] = left_out()
    lines: Flag = "0"
    """Whether the lines are wanted, too."""

    @property
    def owner(self) -> CartOwner:
        """Whose cart that is."""
        return CartOwner.first_of(self.user_id, self.session_id)


class CartLineAnswer(Answer):
    """Equal things in a cart."""

    kind: str
    """``ticket``, ``booking``, ``product``, or another kind of thing sold."""
    title: str
    detail: str
    """Which ticket type, calendar or variant, in words."""
    quantity: Count
    unit_price: Amount
    total: Amount
    start_at: Moment | None = None
    end_at: Moment | None = None
    problem: str | None = None
    """Why it cannot be had now, in words."""


class KindAnswer(Answer):
    """How many things of another kind there are, what one is called and several, and what they cost."""

    kind: str
    one: str
    many: str
    count: Count
    total: Amount


class CartSummaryAnswer(Answer):
    """How much is in a cart, by kind, and how many orders wait for their payment."""

    count: Count
    total: Amount
    calendar_count: Count
    calendar_total: Amount
    ticket_count: Count
    ticket_total: Amount
    open_orders: Count = 0
    others: tuple[KindAnswer, ...] = ()
    """Every kind of thing besides products, bookings and tickets of which there is anything."""
    lines: tuple[CartLineAnswer, ...] | None = None
    """What is in the cart, where that was asked for: products, bookings, tickets."""

    def to_dto(self) -> CartSummaryDTO:
        """Return the summary that the answer tells of."""
        others = tuple(KindCount(**other.model_dump()) for other in self.others)
        return CartSummaryDTO(**self.model_dump(exclude={"lines", "others"}), others=others)


class CartClient:
    """Asks the cart app. One for each app that asks."""

    def __init__(
        self, http: httpx.AsyncClient, settings: Settings, *, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._caller = Caller(http, settings, "cart", monotonic=monotonic)

    async def cart_summary(self, owner: CartOwner) -> CartSummaryDTO | None:
        """Return how much is in that cart, or None where the cart app cannot be asked now. Safe to repeat.

        Raises RuntimeError inside a database transaction (docs/locking.md, "Transactions").
        """
        try:
            query = SummaryQuery(user_id=owner.user_id, session_id=owner.session_id)
            return (await self._caller.ask(SUMMARY_PATH, CartSummaryAnswer, query, briefly=True)).to_dto()
        except CallFailed:
            return None

    async def cart_lines(self, owner: CartOwner) -> tuple[CartLineAnswer, ...]:
        """Return what is in that cart, line by line. Safe to repeat. Raises as ``Caller.ask``."""
        query = SummaryQuery(user_id=owner.user_id, session_id=owner.session_id, lines="1")
        return (await self._caller.ask(SUMMARY_PATH, CartSummaryAnswer, query)).lines or ()
