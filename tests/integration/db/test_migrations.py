"""The migrations: they lead to the models, back to nothing, and to the same table of moves as the code."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession
from typer.testing import CliRunner, Result

from launcher import migrations
from launcher.commands import app
from shared.contracts.states import TRANSITIONS
from shared.db.engine import Database
from shared.db.uow import unit_of_work
from shared.settings import get_settings
from tests.factories.bookings import make_booking
from tests.factories.calendar import make_calendar, make_entry, make_type
from tests.factories.orders import make_order
from tests.factories.users import make_user
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


COMMANDS = ("audit", "reseal", "reconcile-history", "demo", "user create ada", "user admin ada", "user role ada orders")


async def maypole(owner_url: str, command: str) -> Result:
    """Run a command on a database, in a thread: it makes an event loop of its own."""
    get_settings.cache_clear()
    runner = CliRunner(env={"DATABASE_URL": owner_url})
    try:
        return await asyncio.to_thread(runner.invoke, app, command.split())
    finally:
        get_settings.cache_clear()


async def test_a_command_on_a_database_without_our_tables_says_what_to_do_first(databases: TestPostgres) -> None:
    async with databases.empty_database() as urls:
        said = {(await maypole(urls.owner, command)).output for command in COMMANDS}
    assert said == {"maypole: the database does not have the schema of this version: run ./run migrate first\n"}


async def test_a_command_runs_where_there_are_no_migrations_as_in_the_images(
    owner_database_url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(migrations, "ALEMBIC_INI", tmp_path / "alembic.ini")
    done = await maypole(owner_database_url, "user create ada@maypole.example")
    assert (done.exit_code, done.output.partition(" (")[0]) == (0, "ada@maypole.example has an account")


async def test_lines_that_were_there_before_get_when_and_where_it_is_to_be(
    session: AsyncSession, owner_database_url: str
) -> None:
    user = await make_user(session)
    play = await make_entry(session, await make_calendar(session, place="Lantern Lane 4"), name="The Tempest")
    adult = await make_type(session, play, "Adult")
    await make_order(session, play, user_id=user.id, ticket_type=adult, quantity=1)
    hall = await make_calendar(session, name="The hall", place="Church Lane", time_zone="Europe/Paris")
    booking = (await make_booking(session, hall, user_id=user.id)).entry
    wanted = {
        "ticket": ("Adult", play.start_at, play.end_at, "Europe/London", "Lantern Lane 4"),
        "booking": ("The hall", booking.start_at, booking.end_at, "Europe/Paris", "Church Lane"),
    }
    await session.commit()

    for step in (("downgrade", "3d8e51b7f0a4"), ("upgrade", "head")):
        done = await alembic(owner_database_url, *step)
        assert done.returncode == 0, done.stderr

    columns = "kind, option_name, start_at, end_at, time_zone, place"
    rows = await session.execute(text(f"SELECT {columns} FROM order_lines"))
    assert {row.kind: tuple(row)[1:] for row in rows} == wanted
    guard = "SELECT tgenabled FROM pg_trigger WHERE tgname = 'refuse_change' AND tgrelid = 'order_lines'::regclass"
    assert await session.scalar(text(guard)) == b"O", "lines may be changed"
