"""Sends the notices of changed checkouts, and again until somebody answers 2xx (docs/sumup.md § 6).

A restart of the sandbox drops the repetitions that were still to come: notices are hints, and a shop polls too.
On order a notice is lost, late, or comes more than once; and anybody can forge one, for it bears no signature.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from typing import Literal

import httpx
from pydantic import BaseModel, Field

from shared.clients.tls import tls_context

from .records import CheckoutRecord

ANSWER_WITHIN_S = 10.0


class DeliveryFault(BaseModel, extra="forbid"):
    """What becomes of the next notices: lost, late by ``delay_s``, or sent ``copies`` times.

    ``doubled`` copies follow each other, ``concurrent`` ones go off at the same instant.
    """

    how: Literal["lost", "late", "doubled", "concurrent"]
    times: int = Field(1, ge=1)
    delay_s: float = Field(60.0, ge=0)
    copies: int = Field(2, ge=2, le=100)


class Forgery(BaseModel, extra="forbid"):
    """A notice that SumUp never sent."""

    url: str
    checkout_id: str
    event_type: str = "CHECKOUT_STATUS_CHANGED"


class Delivery(BaseModel):
    """One notice: where to, and what was answered to each try (0: no answer). A lost one is never tried."""

    checkout_id: str
    url: str
    answers: list[int] = []
    arrived: bool = False
    lost: bool = False


class Messenger:
    """Sends notices in the background; ``delays`` are the waits before the first and before each further try."""

    def __init__(self, delays: Sequence[float]) -> None:
        self.deliveries: list[Delivery] = []
        self._delays = tuple(delays)
        self._delivery_faults: deque[DeliveryFault] = deque()
        self._tasks: set[asyncio.Task[None]] = set()
        # No proxy from the environment and no redirects: a notice goes to the shop on this machine and nowhere else.
        self._client = httpx.AsyncClient(
            timeout=ANSWER_WITHIN_S, follow_redirects=False, trust_env=False, verify=tls_context(trust_env=False)
        )

    def order(self, delivery_fault: DeliveryFault) -> None:
        """Let the next notices go wrong."""
        self._delivery_faults.extend([delivery_fault] * delivery_fault.times)

    def notify(self, record: CheckoutRecord) -> None:
        """Begin to send a notice about a checkout, if its shop wants any."""
        if not record.return_url or not self._delays:
            return
        delivery_fault = self._delivery_faults.popleft() if self._delivery_faults else None
        how = delivery_fault.how if delivery_fault else ""
        copies = delivery_fault.copies if delivery_fault and how in {"doubled", "concurrent"} else 1
        deliveries = [Delivery(checkout_id=record.id, url=record.return_url, lost=how == "lost") for _ in range(copies)]
        self.deliveries.extend(deliveries)
        # One task for each, so that they really meet: that is how a shop's guard against doubles is tried.
        if how == "concurrent":
            for delivery in deliveries:
                self._begin([delivery], 0.0)
        elif how != "lost":
            self._begin(deliveries, delivery_fault.delay_s if delivery_fault and how == "late" else 0.0)

    async def forge(self, forgery: Forgery) -> int:
        """Send a notice that is none, once, and return the status of the answer, 0 for none."""
        return await self._send(forgery.url, forgery.checkout_id, forgery.event_type)

    def clear(self) -> None:
        """Forget what was sent, and what was to go wrong."""
        self.deliveries.clear()
        self._delivery_faults.clear()

    async def close(self) -> None:
        """Give up what is not delivered."""
        for task in list(self._tasks):
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
        await self._client.aclose()

    def _begin(self, deliveries: Sequence[Delivery], late_s: float) -> None:
        task = asyncio.get_running_loop().create_task(self._deliver_all(deliveries, late_s))
        # The loop holds tasks only weakly (asyncio's own warning): without this set one may vanish unfinished.
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _deliver_all(self, deliveries: Sequence[Delivery], late_s: float) -> None:
        await asyncio.sleep(late_s)
        for delivery in deliveries:
            await self._deliver(delivery)

    async def _deliver(self, delivery: Delivery) -> None:
        for delay in self._delays:
            await asyncio.sleep(delay)
            delivery.answers.append(await self._send(delivery.url, delivery.checkout_id))
            if 200 <= delivery.answers[-1] < 300:  # noqa: PLR2004 - any 2xx
                delivery.arrived = True
                return

    async def _send(self, url: str, checkout_id: str, event_type: str = "CHECKOUT_STATUS_CHANGED") -> int:
        try:
            return (await self._client.post(url, json={"event_type": event_type, "id": checkout_id})).status_code
        # Nobody answered: that is what the plan of repetitions is for, and no fault of the sandbox.
        except (httpx.HTTPError, httpx.InvalidURL):
            return 0
