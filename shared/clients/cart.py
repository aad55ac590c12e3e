"""The client of the cart app's internal API: how much is in somebody's cart, for the badge in every page's header.

A badge is never worth a page: any failure means "no number".
"""

from __future__ import annotations

import time
from collections.abc import Callable
from uuid import UUID

import httpx
from pydantic.json_schema import SkipJsonSchema

from shared.contracts.dtos import CartSummaryDTO
from shared.settings import Settings

from .caller import Caller, CallFailed
from .wire import Amount, Answer, Count, Id, Query, left_out

SUMMARY_PATH = "/internal/v1/cart/summary"


class SummaryQuery(Query):
    """Whose cart is asked about: a user's, else an anonymous session's; nobody's is empty."""

    user_id: Id | SkipJsonSchema[None] = left_out()
    session_id: UUID | SkipJsonSchema[None] = left_out()

    @property
    def session(self) -> str | None:
        """The session's id in its one spelling."""
        return None if self.session_id is None else str(self.session_id)


class CartSummaryAnswer(Answer):
    """How much is in a cart, by kind, and how many orders wait for their payment."""

    count: Count
    total: Amount
    calendar_count: Count
    calendar_total: Amount
    ticket_count: Count
    ticket_total: Amount
    open_orders: Count = 0

    def to_dto(self) -> CartSummaryDTO:
        """Return the summary that the answer tells of."""
        return CartSummaryDTO(**self.model_dump())


class CartClient:
    """Asks the cart app. One for each app that asks."""

    def __init__(
        self, http: httpx.AsyncClient, settings: Settings, *, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._caller = Caller(http, settings, "cart", monotonic=monotonic)

    async def cart_summary(self, *, user_id: int | None, session_id: str | None) -> CartSummaryDTO | None:
        """Return what is in that cart, or None where the cart app cannot be asked now. Safe to repeat.

        Raises RuntimeError inside a database transaction (HOUSE.md, rule 5).
        """
        query = SummaryQuery(user_id=user_id, session_id=None if session_id is None else UUID(session_id))
        try:
            return (await self._caller.ask(SUMMARY_PATH, CartSummaryAnswer, query)).to_dto()
        except CallFailed:
            return None
