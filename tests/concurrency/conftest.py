"""A shop on a clean database, on real connections that commit."""

from __future__ import annotations

import pytest

from shared.db.engine import Database
from shared.settings import Settings
from tests.support.shop import Shop, open_shop


@pytest.fixture
def shop(database: Database, settings: Settings) -> Shop:
    return open_shop(database, settings)
