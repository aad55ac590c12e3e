"""The migrations: they lead to the models, back to nothing, and to the same table of moves as the code."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys

import pytest
from sqlalchemy import text

from shared.contracts.states import TRANSITIONS
from shared.db.engine import Database
from shared.db.uow import unit_of_work
from tests.support.postgres import ROOT, TestPostgres


async def alembic(owner_url: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run Alembic as a program of its own, as an installation does."""
    environment = {**os.environ, "MIGRATE_DATABASE_URL": owner_url}
    command = [sys.executable, "-m", "alembic", *arguments]
    return await asyncio.to_thread(
        subprocess.run, command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )


async def test_the_models_want_nothing_that_the_migrations_do_not_make(owner_database_url: str) -> None:
    done = await alembic(owner_database_url, "check")
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.long
async def test_every_step_can_be_taken_back(postgres: TestPostgres) -> None:
    async with postgres.empty_database() as urls:
        for step in (("upgrade", "head"), ("downgrade", "base"), ("upgrade", "head")):
            done = await alembic(urls.owner, *step)
            assert done.returncode == 0, done.stderr


async def test_the_database_allows_exactly_the_moves_that_the_code_does(database: Database) -> None:
    async with unit_of_work(database) as uow:
        rows = await uow.session.execute(text("SELECT thing, old_state, new_state FROM allowed_transitions"))
        in_database = {(row.thing, row.old_state, row.new_state) for row in rows}
    assert in_database == {(thing, old, new) for thing, moves in TRANSITIONS.items() for old, new in moves}
