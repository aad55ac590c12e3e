"""Runs the migrations as the owner's role."""

from __future__ import annotations

from alembic import command
from alembic.config import Config

from .database import ROOT


def migrate(owner_url: str, revision: str = "head") -> None:
    """Bring the database to ``revision``. Safe to repeat. Raises what Alembic raises."""
    config = Config(str(ROOT / "alembic.ini"))
    config.attributes["database_url"] = owner_url
    command.upgrade(config, revision)
