"""Starting an app that lacks something."""

from __future__ import annotations

import pytest
from structlog.testing import capture_logs

from shared.services.wiring import sql_services
from shared.settings import Settings
from shared.web.factory import make_app
from shared.web.state import utc_now


async def test_an_app_without_a_database_says_so() -> None:
    settings = Settings(environment="test")
    app = make_app("blog", settings, sql_services(settings, utc_now), template_folder="templates")
    with capture_logs() as lines, pytest.raises(Exception, match="DATABASE_URL is not set"):
        async with app.test_app():
            pass
    assert "DATABASE_URL is not set" in str(lines)
