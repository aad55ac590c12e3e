"""The SumUp sandbox on a real socket, and a client that steers it."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator
from datetime import datetime
from decimal import Decimal
from typing import Any
from urllib.parse import urlsplit

import httpx
from hypercorn.asyncio import serve
from hypercorn.config import Config

from sandbox.app import create_app
from shared.contracts.protocols import Clock
from shared.settings import Settings


class SandboxControl:
    """Steers a sandbox over HTTP, in this process or in another one."""

    def __init__(self, url: str, client: httpx.AsyncClient) -> None:
        self.url = url
        self._client = client

    async def pay(
        self, checkout_id: str, *, amount: Decimal | None = None, currency: str | None = None, force: bool = False
    ) -> dict[str, Any]:
        """Pay a checkout as a shopper would, and return the transaction."""
        order = _sum(amount) | ({"currency": currency} if currency else {})
        return await self._post(f"/checkouts/{checkout_id}/pay", order | {"force": force})

    async def begin(self, checkout_id: str) -> dict[str, Any]:
        """Begin an attempt to pay that is not decided yet, and return the transaction."""
        return await self._post(f"/checkouts/{checkout_id}/begin")

    async def race(self, checkout_id: str, order: str) -> None:
        """Let the next DELETE meet a payment: ``payment_first`` or ``payment_last``."""
        await self._post(f"/checkouts/{checkout_id}/race", {"order": order})

    async def take(self, merchant_code: str, amount: Decimal, payment_type: str = "ECOM") -> dict[str, Any]:
        """Take a payment that belongs to no checkout, and return the transaction."""
        return await self._post(
            "/payments", {"merchant_code": merchant_code, "payment_type": payment_type} | _sum(amount)
        )

    async def refund(self, transaction_id: str, amount: Decimal | None = None) -> None:
        """Refund money in the dashboard."""
        await self._post(f"/transactions/{transaction_id}/refund", _sum(amount))

    async def settle_refunds(self, transaction_id: str, status: str) -> None:
        """End the pending refunds of a transaction."""
        await self._post(f"/transactions/{transaction_id}/settle", {"status": status})

    async def charge_back(self, transaction_id: str, amount: Decimal | None = None) -> None:
        """Let the buyer's bank take money back."""
        await self._post(f"/transactions/{transaction_id}/charge_back", _sum(amount))

    async def pay_out(self, transaction_id: str) -> None:
        """Pay the merchant."""
        await self._post(f"/transactions/{transaction_id}/pay_out")

    async def refund_next(self, how: str, *, times: int = 1) -> None:
        """Let the next refunds stay pending, or be refused."""
        await self._post("/refund_next", {"how": how, "times": times})

    async def notify_next(self, how: str, **more: Any) -> None:
        """Lose, delay or multiply the next notices."""
        await self._post("/notify_next", {"how": how, **more})

    async def forge(self, url: str, checkout_id: str, **more: Any) -> int:
        """Send a notice that is none, and return the status of the answer."""
        return int((await self._post("/forge", {"url": url, "checkout_id": checkout_id, **more}))["status"])

    async def decline(self, checkout_id: str) -> dict[str, Any]:
        """Let an attempt to pay fail."""
        return await self._post(f"/checkouts/{checkout_id}/decline")

    async def fail_next(self, operation: str, kind: str, **more: Any) -> None:
        """Let the next answer of an operation fail."""
        await self._post("/fail_next", {"operation": operation, "kind": kind, **more})

    async def forward(self, seconds: float) -> datetime:
        """Let time pass for the sandbox, and return its time."""
        return datetime.fromisoformat((await self._post("/clock", {"forward_s": seconds}))["now"])

    async def reset(self) -> None:
        """Let the sandbox forget everything."""
        await self._post("/reset")

    async def checkouts(self) -> list[dict[str, Any]]:
        """List everything that the sandbox remembers."""
        return await self._list("/checkouts")

    async def webhooks(self) -> list[dict[str, Any]]:
        """List the notices that it sent or tries to send."""
        return await self._list("/webhooks")

    async def calls(self, operation: str | None = None) -> list[str]:
        """List the operations that were called, in their order; or those of one name."""
        return [call["operation"] for call in await self._list("/calls") if operation in {None, call["operation"]}]

    async def _post(self, path: str, order: dict[str, Any] | None = None) -> dict[str, Any]:
        answer = await self._client.post(f"{self.url}/sandbox{path}", json=order or {})
        answer.raise_for_status()
        body: dict[str, Any] = answer.json()
        return body

    async def _list(self, path: str) -> list[dict[str, Any]]:
        answer = await self._client.get(f"{self.url}/sandbox{path}")
        answer.raise_for_status()
        items: list[dict[str, Any]] = answer.json()
        return items


def _sum(amount: Decimal | None) -> dict[str, Any]:
    """Return an amount as an order has it; nothing for all of it."""
    return {} if amount is None else {"amount": str(amount)}


@contextlib.asynccontextmanager
async def running_sandbox(
    settings: Settings, *, clock: Clock | None = None, keep: bool = False
) -> AsyncIterator[SandboxControl]:
    """Serve a sandbox on a free port of this machine; ``settings_for`` makes the settings that lead there."""
    app = create_app(settings, clock=clock, keep=keep)
    async with serving(app) as url, httpx.AsyncClient(trust_env=False) as client:
        yield SandboxControl(url, client)


@contextlib.asynccontextmanager
async def serving(app: Any, listener: socket.socket | None = None) -> AsyncIterator[str]:
    """Serve any ASGI app on a socket that listens, or else on a free port of this machine, and give its origin."""
    listener = listener or socket.create_server(("127.0.0.1", 0))
    # The socket listens already, so a client may connect before the server has begun: nobody has to wait.
    port = listener.getsockname()[1]
    config = Config()
    config.bind = [f"fd://{listener.detach()}"]
    config.accesslog = None
    config.errorlog = None
    config.graceful_timeout = 1.0
    stop = asyncio.Event()
    server = asyncio.get_running_loop().create_task(serve(app, config, shutdown_trigger=stop.wait))
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        stop.set()
        await server


def settings_for(settings: Settings, control: SandboxControl) -> Settings:
    """Return settings that lead to a running sandbox."""
    return settings.model_copy(update={"sumup_base_url": "", "sandbox_port": urlsplit(control.url).port})
