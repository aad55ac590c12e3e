"""``/health``: the process answers. ``/health/ready``: its database answers, too."""

from __future__ import annotations

import asyncio

import structlog
from quart import Quart
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from .state import app_state

READY_SECONDS = 2.0
_log = structlog.get_logger("maypole.health")


async def _live() -> dict[str, str]:
    return {"status": "ok", "app": app_state().name}


async def _ready() -> tuple[dict[str, str], int]:
    try:
        # Shorter than whoever asks is patient: an answer of "no" is better than none.
        async with asyncio.timeout(READY_SECONDS), app_state().database.engine.connect() as connection:
            await connection.execute(text("SELECT 1"))
    except (SQLAlchemyError, OSError, TimeoutError) as error:
        _log.warning("not ready", reason=type(error).__name__)
        return {"status": "unavailable", "app": app_state().name}, 503
    return {"status": "ok", "app": app_state().name}, 200


def install_health(app: Quart) -> None:
    """Add the two addresses to ``app``."""
    app.add_url_rule("/health", "health_live", _live)
    app.add_url_rule("/health/ready", "health_ready", _ready)
