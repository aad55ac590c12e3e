"""The database's functions and triggers are those of their files, and each change of a file has its migration."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection
from pathlib import Path

import pytest
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import text
from sqlalchemy.engine import Connection
from sqlalchemy.ext.asyncio import AsyncConnection

from launcher.sync import Tree
from shared.db import functions
from shared.db.engine import Database
from shared.db.functions import digest, install, install_wanted, names
from shared.settings import APPS, Settings
from tests.support import postgres
from tests.support.postgres import MADE_BY, ROOT

OURS = """
SELECT 'function ' || p.oid::regprocedure AS name, pg_get_functiondef(p.oid) AS definition
FROM pg_proc p
WHERE p.pronamespace = 'public'::regnamespace AND p.prokind <> 'a' AND p.proname NOT LIKE '%pgqueuer%'
  AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = p.oid AND d.deptype = 'e')
UNION ALL
SELECT 'trigger ' || t.tgname || ' on ' || t.tgrelid::regclass, pg_get_triggerdef(t.oid) || ' ' || t.tgenabled::text
FROM pg_trigger t
WHERE NOT t.tgisinternal AND t.tgrelid::regclass::text NOT LIKE 'pgqueuer%'
"""
"""All but those of the queue's library, which makes its own, and of PostgreSQL's extensions."""


@pytest.fixture
async def owner(owner_database_url: str, settings: Settings) -> AsyncIterator[AsyncConnection]:
    """Give a connection of the owner's, whose changes nobody keeps."""
    database = Database(owner_database_url, pool_size=1, settings=settings)
    async with database.engine.connect() as connection:
        yield connection
        await connection.rollback()
    await database.dispose()


def catalogue(connection: Connection) -> dict[str, str]:
    """Return the definition of each of our functions and triggers, as PostgreSQL writes it."""
    return {row.name: row.definition for row in connection.execute(text(OURS))}


def reinstalled(connection: Connection, wanted: Collection[str] = tuple(names())) -> dict[str, str]:
    """Drop all of them, install those of some files, and return what there is then."""
    for name in catalogue(connection):
        if name.startswith("function "):
            connection.execute(text(f"DROP {name} CASCADE"))
    install(connection, wanted)
    install_wanted(connection)
    return catalogue(connection)


def _newest_digests() -> dict[str, str]:
    """Return for each function the digest that the newest migration which installs it names."""
    found: dict[str, str] = {}
    for revision in ScriptDirectory.from_config(Config(str(ROOT / "alembic.ini"))).walk_revisions():
        for name, named in getattr(revision.module, "INSTALLS", {}).items():
            found.setdefault(name, named)
    return found


# --- the files and the database say the same ---


async def test_the_database_has_the_functions_and_triggers_of_the_files_and_no_others(owner: AsyncConnection) -> None:
    there = await owner.run_sync(catalogue)
    assert there == await owner.run_sync(reinstalled)


@pytest.mark.parametrize("name", names())
async def test_a_file_makes_the_function_of_its_name_and_triggers_that_call_it(
    owner: AsyncConnection, name: str
) -> None:
    made = await owner.run_sync(reinstalled, [name])
    assert [key for key in made if key.startswith("function ")] == [f"function {name}()"]
    assert all(f"EXECUTE FUNCTION {name}(" in made[key] for key in made if key.startswith("trigger "))


@pytest.mark.parametrize("name", names())
def test_a_file_says_first_what_it_is_for(name: str) -> None:
    assert functions.text_of(name).startswith("-- ")


@pytest.mark.parametrize(
    ("change", "differs"),
    [
        ("DROP TRIGGER count_owed ON debts", {"trigger count_owed on debts"}),
        ("ALTER TABLE debts DISABLE TRIGGER count_owed", {"trigger count_owed on debts"}),
        ("CREATE TRIGGER more BEFORE DELETE ON mails EXECUTE FUNCTION refuse_change()", {"trigger more on mails"}),
        ("CREATE FUNCTION more() RETURNS integer LANGUAGE sql AS 'SELECT 1'", {"function more()"}),
        (
            "CREATE OR REPLACE FUNCTION stay_in_order() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'",
            {"function stay_in_order()"},
        ),
        (
            "DROP FUNCTION hold_debts_to_line() CASCADE",
            {"function hold_debts_to_line()", "trigger hold_debts_to_line on debts"},
        ),
    ],
)
async def test_control_what_differs_is_seen(owner: AsyncConnection, change: str, differs: set[str]) -> None:
    await owner.execute(text(change))
    there = await owner.run_sync(catalogue)
    assert {key for key, _ in there.items() ^ (await owner.run_sync(reinstalled)).items()} == differs


# --- a change of a file reaches the installations that are there ---


def test_every_file_is_installed_by_a_migration_as_it_is_now() -> None:
    now = {name: digest(name) for name in names()}
    late = {name: new for name, new in now.items() if _newest_digests().get(name) != new}
    assert not late, f"add a migration that installs what has changed: INSTALLS = {late}"


def test_no_migration_installs_what_has_no_file() -> None:
    assert set(_newest_digests()) <= set(names())


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give the folder of the functions, with nothing in it."""
    monkeypatch.setattr(functions, "FOLDER", tmp_path)
    return tmp_path


def test_a_comment_needs_no_migration_and_a_statement_does(folder: Path) -> None:
    digests = []
    for written in ("-- old\n\nSELECT 1;\n", "-- new\nSELECT 1;  \n", "-- new\nSELECT 2;\n"):
        (folder / "one.sql").write_text(written)
        digests.append(digest("one"))
    assert digests[0] == digests[1] != digests[2]


A_LATER_TABLE = """
CREATE OR REPLACE FUNCTION one() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
DROP TRIGGER IF EXISTS one ON later;
CREATE TRIGGER one BEFORE INSERT ON later EXECUTE FUNCTION one();
"""


def _two_migrations(connection: Connection) -> None:
    """Ask for a function, and make the table of its trigger in a later step, which asks for it too."""
    install(connection, ["one"])
    connection.execute(text("CREATE TABLE later (id bigint)"))
    install(connection, ["one"])


def _one_migration(connection: Connection) -> None:
    """Ask for a function whose table nobody makes."""
    install(connection, ["one"])


async def test_an_older_migration_installs_what_only_a_later_one_makes_possible(
    owner: AsyncConnection, folder: Path
) -> None:
    (folder / "one.sql").write_text(A_LATER_TABLE)
    await owner.run_sync(_two_migrations)
    await owner.run_sync(install_wanted)
    assert {"function one()", "trigger one on later"} <= (await owner.run_sync(catalogue)).keys()


async def test_what_can_not_be_installed_fails_the_run(owner: AsyncConnection, folder: Path) -> None:
    (folder / "one.sql").write_text(A_LATER_TABLE)
    await owner.run_sync(_one_migration)
    with pytest.raises(Exception, match='relation "later" does not exist'):
        await owner.run_sync(install_wanted)


async def test_what_is_installed_is_gone_when_the_run_fails_later(owner: AsyncConnection, folder: Path) -> None:
    (folder / "one.sql").write_text(A_LATER_TABLE)
    await owner.run_sync(_two_migrations)
    await owner.run_sync(install_wanted)
    await owner.rollback()
    assert "function one()" not in await owner.run_sync(catalogue)


async def test_a_run_without_such_migrations_installs_nothing(owner: AsyncConnection, folder: Path) -> None:
    (folder / "one.sql").write_text(A_LATER_TABLE)
    await owner.run_sync(install_wanted)
    assert "function one()" not in await owner.run_sync(catalogue)


# --- the files go where the migrations go ---


def test_the_tests_build_their_database_anew_when_a_function_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for made_by in MADE_BY:
        (tmp_path / made_by).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / made_by).touch() if Path(made_by).suffix else (tmp_path / made_by).mkdir()
    monkeypatch.setattr(postgres, "ROOT", tmp_path)
    before = postgres.migrations_hash()
    (tmp_path / "shared/db/functions/one.sql").write_text("SELECT 1;")
    assert postgres.migrations_hash() != before


@pytest.mark.parametrize("app", APPS)
def test_each_tree_holds_the_files(app: str, tmp_path: Path) -> None:
    files = Tree(app, tmp_path).source()
    assert {f"shared/db/functions/{name}.sql" for name in names()} <= files.keys()


def test_the_images_leave_none_of_the_files_out() -> None:
    rules = (ROOT / ".dockerignore").read_text().split()
    assert rules.index("*") < rules.index("!shared")
    assert rules[rules.index("!shared") :].count("**/*.sql") == 0
    assert {rule for rule in rules if rule.startswith("**")} == {"**/__pycache__", "**/*.py[co]"}
