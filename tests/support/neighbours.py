"""The other apps that an app asks, in this process and without sockets: real ones over the test's database, or none."""

from __future__ import annotations

import importlib
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import httpx
from quart import Quart

from shared.settings import Settings
from tests.fakes.apps import refuse


@asynccontextmanager
async def real_apps(settings: Settings, *names: str) -> AsyncIterator[httpx.AsyncClient]:
    """Serve these apps, and give a client that reaches them where the settings say, and nothing else."""
    async with AsyncExitStack() as stack:
        mounts: dict[str, httpx.AsyncBaseTransport] = {"all://": httpx.MockTransport(refuse)}
        for name in names:
            app: Quart = importlib.import_module(f"{name}.app").create_app(settings)
            await stack.enter_async_context(app.test_app())
            mounts[settings.internal_origin_of(name)] = httpx.ASGITransport(app)  # type: ignore[arg-type]
        yield await stack.enter_async_context(httpx.AsyncClient(mounts=mounts, trust_env=False))


@asynccontextmanager
async def no_apps() -> AsyncIterator[httpx.AsyncClient]:
    """Give a client whose every call is refused, as by apps that are down."""
    async with httpx.AsyncClient(transport=httpx.MockTransport(refuse)) as http:
        yield http
