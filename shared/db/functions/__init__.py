"""The database's functions, with the triggers that call them: one file each, which holds the only current text.

To change one: edit its file and add a migration that installs it::

    INSTALLS = {"count_owed": "3f2a9c71d05b"}

    def upgrade() -> None:
        install(op.get_bind(), INSTALLS)

A file is run once, after the last migration of the run, as it reads then. So a migration that is run years later
installs today's text, and does so when every table and column that it names is there; which of several migrations
names it makes no difference. The digest tells a test that the change has its migration: without one, a new
installation would have the new text, and one that is there already would keep the old one for ever. What a file does
not name any more, the migration drops itself: ``DROP TRIGGER IF EXISTS …``.

A downgrade does not bring an older text back, for it is nowhere but in the history of the file. Where a function would
not work with the older tables, the migration's downgrade drops it or writes the older text out; a migration
that brings a new function drops it (``DROP FUNCTION … CASCADE``, which drops its triggers too). Each file is plain
SQL and safe to repeat, so an older one can be installed with ``psql -f``.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path

from sqlalchemy import text
from sqlalchemy.engine import Connection
from sqlalchemy.util import await_only

FOLDER = Path(__file__).parent
_WANTED = "maypole.functions"


def names() -> list[str]:
    """Return the names of all functions that have a file."""
    return sorted(file.stem for file in FOLDER.glob("*.sql"))


def text_of(name: str) -> str:
    """Return what installs a function and its triggers: several statements, safe to repeat."""
    return (FOLDER / f"{name}.sql").read_text(encoding="utf-8")


def digest(name: str) -> str:
    """Return what changes whenever a function's text does; its comments may change without."""
    lines = (line.rstrip() for line in text_of(name).splitlines())
    code = "\n".join(line for line in lines if line and not line.startswith("--"))
    return hashlib.sha256(code.encode()).hexdigest()[:12]


def install(connection: Connection, wanted: Iterable[str]) -> None:
    """Have functions installed at the end of this run of migrations: ``install_wanted`` does it."""
    connection.info.setdefault(_WANTED, set()).update(wanted)


def install_wanted(connection: Connection) -> None:
    """Install what the migrations of this run asked for, in their transaction. Raises what PostgreSQL raises."""
    wanted = sorted(connection.info.pop(_WANTED, ()))
    if wanted:
        connection.execute(text("SET LOCAL lock_timeout = '5s'"))  # begins the transaction, where nothing has yet
    for name in wanted:
        _run_script(connection, text_of(name))


def _run_script(connection: Connection, script: str) -> None:
    """Run several statements at once, which only the driver's own simple protocol can."""
    driver = connection.connection.driver_connection
    if driver is None:
        raise RuntimeError("the connection is closed")
    await_only(driver.execute(script))
