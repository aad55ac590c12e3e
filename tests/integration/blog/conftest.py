"""The blog app on a clean database."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from quart.typing import TestClientProtocol as Client

from blog.app import create_app
from shared.settings import Settings


@pytest.fixture
async def client(settings: Settings, database_url: str) -> AsyncIterator[Client]:
    """Give a visitor's browser, so to speak."""
    app = create_app(settings)
    async with app.test_app() as serving:
        yield serving.test_client()
