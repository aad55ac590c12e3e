"""The tests' own PostgreSQL: one server for all, one template built by the migrations, one clone for each test."""

from __future__ import annotations

import fcntl
import hashlib
import itertools
import os
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

from launcher.postgres.databases import Databases, databases_of
from launcher.postgres.server import EmbeddedServer, ServerOptions, start_server

ROOT = Path(__file__).resolve().parents[2]
SMALL_LOG = {"wal_level": "minimal", "max_wal_senders": "0", "max_wal_size": "64MB", "min_wal_size": "32MB"}
OPTIONS = ServerOptions(durable=False, max_connections=300, more=SMALL_LOG)
SHARED_MEMORY = Path("/dev/shm")  # noqa: S108 - a folder of ours in it, refused where another user made it
ROOM = 2 * 1024**3
"""What the tests' databases need at the most, with much to spare."""
KEEP_TEMPLATES = 5
TEMPLATE = "maypole_template_"
CLONE = "maypole_test_"
MADE_BY = ("alembic.ini", "alembic/env.py", "alembic/versions", "shared/db/functions", "shared/db/grants.py")
"""What the template depends on: the migrations, the functions that they install, and the rights that they grant."""
TEXTS = (".py", ".sql")


@dataclass(frozen=True)
class Urls:
    """One clean database, by the role that connects to it."""

    name: str
    app: str
    owner: str


class TestPostgres:
    """Gives clean databases on one server."""

    __test__ = False  # pytest: this is no test class

    def __init__(self, server: EmbeddedServer) -> None:
        self.server = server
        self.at_hand: Databases | None = None
        """A connection that makes and drops databases, where somebody keeps one open for all tests."""
        self._numbers = itertools.count(1)
        self._template = ""

    @asynccontextmanager
    async def _databases(self) -> AsyncIterator[Databases]:
        """Give a connection that makes and drops databases."""
        if self.at_hand is not None:
            yield self.at_hand
            return
        async with databases_of(self.server) as databases:
            yield databases

    @asynccontextmanager
    async def clean_database(self) -> AsyncIterator[Urls]:
        """Make a database with all tables and no rows, and drop it afterwards."""
        async with self._databases() as databases:
            template = await self._ensure_template(databases)
            name = f"{CLONE}{os.getpid()}_{next(self._numbers)}"
            await databases.create(name, template)
        try:
            yield Urls(name, self.server.url("app", name), self.server.url("owner", name))
        finally:
            async with self._databases() as databases:
                await databases.drop(name)

    @asynccontextmanager
    async def empty_database(self) -> AsyncIterator[Urls]:
        """Make a database without any table, and drop it afterwards."""
        name = f"{CLONE}{os.getpid()}_{next(self._numbers)}"
        async with databases_of(self.server) as databases:
            await databases.create(name)
        try:
            yield Urls(name, self.server.url("app", name), self.server.url("owner", name))
        finally:
            async with databases_of(self.server) as databases:
                await databases.drop(name)

    async def _ensure_template(self, databases: Databases) -> str:
        """Return the template's name; build it when no run has built it for these migrations yet."""
        if not self._template:
            with (self.server.home / "template.lock").open("a") as file:
                fcntl.flock(file, fcntl.LOCK_EX)
                await _drop_what_killed_runs_left(databases)
                self._template = await self._build_template(databases)
        return self._template

    async def _build_template(self, databases: Databases) -> str:
        name = TEMPLATE + migrations_hash()
        known = await databases.names(TEMPLATE)
        if name in known:
            return name
        building = "maypole_building"
        await databases.drop(building)
        await databases.create(building)
        migrate(self.server.url("owner", building))
        await databases.rename(building, name)
        for old in known[: -KEEP_TEMPLATES + 1]:
            await databases.drop(old)
        return name


def start_test_postgres() -> EmbeddedServer:
    """Start, or join, the server of this checkout's tests."""
    return start_server(choose_place(), OPTIONS)


def choose_place() -> Path:
    """Return where the server's files go: into memory where there is room, for clones that take no disk's time."""
    if SHARED_MEMORY.is_dir() and shutil.disk_usage(SHARED_MEMORY).total >= ROOM:
        return SHARED_MEMORY / f"maypole-tests-{os.geteuid()}-{hashlib.sha256(bytes(ROOT)).hexdigest()[:12]}"
    return ROOT / ".data" / "test-postgres"


def migrate(owner_url: str, revision: str = "head") -> None:
    """Run the migrations as the owner, as a program of its own, the way that an installation does."""
    command = [sys.executable, "-m", "alembic", "upgrade", revision]
    done = subprocess.run(
        command,
        cwd=ROOT,
        env={**os.environ, "MIGRATE_DATABASE_URL": owner_url},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise RuntimeError(f"the migrations failed:\n{done.stderr}")


def migrations_hash() -> str:
    """Return a hash of everything that the template is made by."""
    digest = hashlib.sha256()
    for top in MADE_BY:
        path = ROOT / top
        for file in sorted(f for f in path.iterdir() if f.suffix in TEXTS) if path.is_dir() else [path]:
            digest.update(file.name.encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()[:16]


async def _drop_what_killed_runs_left(databases: Databases) -> None:
    for name in await databases.names(CLONE):
        pid = name.removeprefix(CLONE).split("_")[0]
        if not psutil.pid_exists(int(pid)):
            await databases.drop(name)
