"""The blog app, served in the test's own process, and a mail server that keeps what it gets."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from quart import Quart

from blog.app import create_app
from sandbox.outbox import running_outbox
from shared.settings import Settings


@pytest.fixture
async def blog(settings: Settings, database_url: str) -> AsyncIterator[Quart]:
    app = create_app(settings)
    async with app.test_app():
        yield app


@pytest.fixture
async def mail_settings(settings: Settings) -> AsyncIterator[Settings]:
    """Settings whose mail server is an outbox that runs."""
    async with running_outbox(settings.outbox_folder, host="127.0.0.1", port=0) as port:
        yield settings.model_copy(update={"smtp_port": port})
