"""Sends the notices of changed checkouts, and again until somebody answers 2xx (NOTES.md § 6).

A restart of the sandbox drops the repetitions that were still to come: notices are hints, and a shop polls too.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress

import httpx
from pydantic import BaseModel

from shared.clients.tls import tls_context

from .records import CheckoutRecord

ANSWER_WITHIN_S = 10.0


class Delivery(BaseModel):
    """One notice: where to, and what was answered to each try (0: no answer)."""

    checkout_id: str
    url: str
    answers: list[int] = []
    arrived: bool = False


class Messenger:
    """Sends notices in the background; ``delays`` are the waits before the first and before each further try."""

    def __init__(self, delays: Sequence[float]) -> None:
        self.deliveries: list[Delivery] = []
        self._delays = tuple(delays)
        self._tasks: set[asyncio.Task[None]] = set()
        self._client = httpx.AsyncClient(
            timeout=ANSWER_WITHIN_S, follow_redirects=False, trust_env=False, verify=tls_context(trust_env=False)
        )

    def notify(self, record: CheckoutRecord) -> None:
        """Begin to send a notice about a checkout, if its shop wants any."""
        if record.return_url and self._delays:
            delivery = Delivery(checkout_id=record.id, url=record.return_url)
            self.deliveries.append(delivery)
            task = asyncio.get_running_loop().create_task(self._deliver(delivery))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        """Give up what is not delivered."""
        for task in list(self._tasks):
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
        await self._client.aclose()

    async def _deliver(self, delivery: Delivery) -> None:
        """Try until it arrives or the plan is at its end."""
        for delay in self._delays:
            await asyncio.sleep(delay)
            delivery.answers.append(await self._send(delivery))
            if 200 <= delivery.answers[-1] < 300:  # noqa: PLR2004 - any 2xx
                delivery.arrived = True
                return

    async def _send(self, delivery: Delivery) -> int:
        """Send once and return the status of the answer, 0 for none."""
        notice = {"event_type": "CHECKOUT_STATUS_CHANGED", "id": delivery.checkout_id}
        try:
            return (await self._client.post(delivery.url, json=notice)).status_code
        except (httpx.HTTPError, httpx.InvalidURL):
            return 0
