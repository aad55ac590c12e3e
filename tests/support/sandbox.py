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

from shared.contracts.protocols import Clock
from shared.payments.sandbox.app import create_app
from shared.settings import Settings


class SandboxControl:
    """Steers a sandbox over HTTP, in this process or in another one."""

    def __init__(self, url: str, client: httpx.AsyncClient) -> None:
        self.url = url
        self._client = client

    async def pay(self, checkout_id: str, *, amount: Decimal | None = None, force: bool = False) -> dict[str, Any]:
        """Pay a checkout as a shopper would, and return the transaction."""
        order = {"amount": str(amount)} if amount is not None else {}
        return await self._post(f"/checkouts/{checkout_id}/pay", order | {"force": force})

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


@contextlib.asynccontextmanager
async def running_sandbox(
    settings: Settings, *, clock: Clock | None = None, keep: bool = False
) -> AsyncIterator[SandboxControl]:
    """Serve a sandbox on a free port of this machine; ``settings_for`` makes the settings that lead there."""
    app = create_app(settings, clock=clock, keep=keep)
    async with serving(app) as url, httpx.AsyncClient(trust_env=False) as client:
        yield SandboxControl(url, client)


@contextlib.asynccontextmanager
async def serving(app: Any) -> AsyncIterator[str]:
    """Serve any ASGI app on a free port of this machine, and give its origin."""
    listener = socket.create_server(("127.0.0.1", 0))
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
