"""The client of the cart app's internal API: how much is in somebody's cart, for the badge in every page's header.

A badge is never worth a page. The call has a short timeout, any failure means "no number", and after one the cart
app is left alone for a few seconds, so that pages stay quick while it is down.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from decimal import Decimal
from typing import Annotated

import httpx
import structlog
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from shared.contracts.dtos import CartSummaryDTO
from shared.db.guard import refuse_inside_transaction
from shared.settings import Settings

SUMMARY_PATH = "/internal/v1/cart/summary"
REST_SECONDS = 3.0
"""How long the cart app is not asked again after a failure."""

_log = structlog.get_logger("maypole.clients.cart")

Count = Annotated[int, Field(ge=0)]
Amount = Annotated[Decimal, Field(ge=0, decimal_places=2, allow_inf_nan=False)]


class CartSummaryAnswer(BaseModel):
    """The JSON of ``GET /internal/v1/cart/summary``, for both ends: money is a string. Unknown members are ignored."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    count: Count
    total: Amount
    calendar_count: Count
    calendar_total: Amount
    ticket_count: Count
    ticket_total: Amount
    open_orders: Count = 0

    @classmethod
    def from_dto(cls, summary: CartSummaryDTO) -> CartSummaryAnswer:
        """Return the answer that tells of ``summary``; ``model_dump(mode="json")`` makes it JSON."""
        return cls.model_validate(summary, from_attributes=True)

    def to_dto(self) -> CartSummaryDTO:
        """Return the summary that the answer tells of."""
        return CartSummaryDTO(**self.model_dump())


class CartClient:
    """Asks the cart app for summaries. One for each app; it remembers when the cart app last failed."""

    def __init__(
        self, http: httpx.AsyncClient, settings: Settings, *, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._http = http
        self._url = settings.internal_cart_origin + SUMMARY_PATH
        self._secret = settings.internal_secrets[0]
        self._timeout = settings.internal_timeout_ms / 1000
        self._monotonic = monotonic
        self._rest_until = 0.0

    async def cart_summary(self, *, user_id: int | None, session_id: str | None) -> CartSummaryDTO | None:
        """Return what is in that cart, or None where the cart app cannot be asked now. Safe to repeat.

        Raises RuntimeError inside a database transaction (HOUSE.md, rule 5).
        """
        refuse_inside_transaction()
        if self._monotonic() < self._rest_until:
            return None
        try:
            async with asyncio.timeout(self._timeout):
                return await self._ask(user_id, session_id)
        except (httpx.HTTPError, TimeoutError, ValidationError) as error:
            self._rest_until = self._monotonic() + REST_SECONDS
            # The kind of failure only: a validation error would quote the answer.
            _log.warning("no cart summary", reason=type(error).__name__, status=_status_of(error))
            return None

    async def _ask(self, user_id: int | None, session_id: str | None) -> CartSummaryDTO:
        """Make the call."""
        who = {"user_id": user_id, "session_id": session_id}
        response = await self._http.get(
            self._url,
            params={name: str(value) for name, value in who.items() if value is not None},
            headers={"Authorization": f"Bearer {self._secret.get_secret_value()}"},
            timeout=self._timeout,
            follow_redirects=False,
        )
        response.raise_for_status()
        return CartSummaryAnswer.model_validate_json(response.content).to_dto()


def _status_of(error: Exception) -> int | None:
    """Return the status of a refusal, where there was one."""
    return error.response.status_code if isinstance(error, httpx.HTTPStatusError) else None
