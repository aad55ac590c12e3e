"""What all tests of the internal JSON API share: the secret, the one shape of errors, and the four apps on sockets."""

from __future__ import annotations

import importlib
import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
from quart import Quart, Response

from shared.clients.apps import Clients, clients_of
from shared.clients.tls import tls_context
from shared.settings import APPS, DEV_SECRET, Settings
from tests.support.sandbox import serving

PATIENT_MS = 20_000
"""How long real apps may take here: the first answer of an app comes late on a machine that has much else to do."""
BEARER = {"Authorization": f"Bearer {DEV_SECRET}"}


async def assert_error(response: Response, status: int, code: str) -> dict[str, str]:
    """Check that an answer is an error of this status and code, in the one shape of all, and return it."""
    assert response.status_code == status
    assert response.content_type == "application/json"
    body = await response.get_json()
    assert set(body) == {"error"}
    error: dict[str, str] = body["error"]
    assert set(error) == {"code", "message", "request_id"}
    assert error["code"] == code
    assert error["request_id"] == response.headers["X-Request-ID"]
    assert error["message"]
    assert "secret" not in error["message"]
    return error


@asynccontextmanager
async def clients_for(settings: Settings) -> AsyncIterator[Clients]:
    """Give clients that ask where the settings say."""
    async with httpx.AsyncClient(verify=tls_context(trust_env=False), trust_env=False) as http:
        yield clients_of(http, settings)


@dataclass(slots=True)
class FourApps:
    """The four apps, each on a socket of its own, over one database; ``settings`` lead to them."""

    settings: Settings
    apps: dict[str, Quart] = field(default_factory=dict)
    asked: list[tuple[str, str]] = field(default_factory=list)
    """Which app was asked for which path, by anybody, in order."""

    def origin_of(self, name: str) -> str:
        """Return where an app is."""
        return self.settings.internal_origin_of(name)

    async def serve(self, name: str, stack: AsyncExitStack, listener: socket.socket | None = None) -> None:
        """Serve one app, until the stack is left; without a socket that listens already, on one of its own."""
        app: Quart = importlib.import_module(f"{name}.app").create_app(self.settings)

        async def noting(scope: Any, receive: Any, send: Any) -> None:
            if scope["type"] == "http":
                self.asked.append((name, scope["path"]))
            await app(scope, receive, send)

        origin = await stack.enter_async_context(serving(noting, listener))
        self.apps[name] = app
        self.settings = self.settings.model_copy(update={f"internal_{name}_url": origin})


@asynccontextmanager
async def running_apps(settings: Settings) -> AsyncIterator[FourApps]:
    """Serve the four apps. They ask each other, so where each will be is settled before the first is made."""
    listeners = {name: socket.create_server(("127.0.0.1", 0)) for name in APPS}
    places = {f"internal_{name}_url": f"http://127.0.0.1:{each.getsockname()[1]}" for name, each in listeners.items()}
    async with AsyncExitStack() as stack:
        four = FourApps(settings.model_copy(update={"internal_timeout_ms": PATIENT_MS} | places))
        for name, listener in listeners.items():
            await four.serve(name, stack, listener)
        yield four
