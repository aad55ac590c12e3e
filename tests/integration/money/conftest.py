"""A shop on a clean database."""

from __future__ import annotations

import pytest

from shared.db.engine import Database
from shared.settings import Settings
from tests.support.shop import Shop, Show, open_shop


@pytest.fixture
def shop(database: Database, settings: Settings) -> Shop:
    return open_shop(database, settings)


@pytest.fixture
async def ada(shop: Shop) -> int:
    return await shop.shopper()


@pytest.fixture
async def bob(shop: Shop) -> int:
    return await shop.shopper()


@pytest.fixture
async def show(shop: Shop) -> Show:
    """Two seats at 12.50."""
    return await shop.show(capacity=2)
