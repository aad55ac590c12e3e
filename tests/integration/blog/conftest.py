"""The blog app on a clean database, with the events and market apps that its pages ask."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest
from quart.typing import TestClientProtocol as Client

from blog.app import create_app
from shared.settings import Settings
from shared.web.state import EXTENSION, AppState
from tests.support.internal_api import PATIENT_MS
from tests.support.neighbours import no_apps, real_apps


@pytest.fixture
async def client(settings: Settings, database_url: str) -> AsyncIterator[Client]:
    """Give a visitor's browser, so to speak."""
    async with real_apps(settings, "events", "market") as http, _blog_asking(http, settings) as client:
        yield client


@pytest.fixture
async def lonely_client(settings: Settings, database_url: str) -> AsyncIterator[Client]:
    """Give the same while all other apps are down."""
    async with no_apps() as http, _blog_asking(http, settings) as client:
        yield client


@asynccontextmanager
async def _blog_asking(http: httpx.AsyncClient, settings: Settings) -> AsyncIterator[Client]:
    app = create_app(settings.model_copy(update={"internal_timeout_ms": PATIENT_MS}))
    async with app.test_app():
        state: AppState = app.extensions[EXTENSION]
        state.http = http
        yield app.test_client()
