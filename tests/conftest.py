"""The fixtures that all tests share; a domain's own factories are in tests/factories/."""

from __future__ import annotations

import gc
import os
import socket
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from pydantic import SecretStr
from sqlalchemy.ext.asyncio import AsyncSession

from launcher.postgres.databases import databases_of
from shared.db.engine import Database
from shared.settings import Settings, get_settings
from tests.support.chromium import MISSING, find_chromium
from tests.support.network import refuse_the_outside
from tests.support.postgres import ROOT, TestPostgres, Urls, start_test_postgres
from tests.support.url_builders import remember_url_builders

# What the person who runs the tests has set for an installation must not reach the tests, nor the tests it.
for _name in Settings.model_fields:
    os.environ.pop(_name.upper(), None)
refuse_the_outside()
remember_url_builders()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip the browser tests, with the reason, where there is no browser."""
    in_browser = [item for item in items if "browser" in item.path.relative_to(ROOT / "tests").parts]
    if in_browser and find_chromium() is None:
        for item in in_browser:
            item.add_marker(pytest.mark.skip(reason=MISSING))


def pytest_collection_finish() -> None:
    """Keep the garbage collector from what was imported: it stays, and looking at it takes an eighth of the tests' time."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def postgres() -> Iterator[TestPostgres]:
    """Give the tests' own server."""
    with start_test_postgres() as server:
        yield TestPostgres(server)


@pytest.fixture(scope="session")
async def databases(postgres: TestPostgres) -> AsyncIterator[TestPostgres]:
    """Give the tests' own server with a connection at hand: a new one for each database costs as much as the database."""
    async with databases_of(postgres.server) as at_hand:
        postgres.at_hand = at_hand
        yield postgres
        postgres.at_hand = None


@pytest.fixture
async def database_urls(databases: TestPostgres) -> AsyncIterator[Urls]:
    """Give a clean database of this test's own: all tables, no rows."""
    async with databases.clean_database() as urls:
        yield urls


@pytest.fixture
def database_url(database_urls: Urls) -> str:
    """Give the URL of the clean database for the apps' role."""
    return database_urls.app


@pytest.fixture
def owner_database_url(database_urls: Urls) -> str:
    """Give the URL of the clean database for the owner's role."""
    return database_urls.owner


@pytest.fixture
def settings(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Settings]:
    """Give the settings of a test, with its clean database in them when the test asks for a database at all."""
    get_settings.cache_clear()
    urls = request.getfixturevalue("database_urls") if "database_urls" in request.fixturenames else None
    yield Settings(
        environment="test",
        data_dir=tmp_path,
        database_url=SecretStr(urls.app) if urls else None,
        migrate_database_url=SecretStr(urls.owner) if urls else None,
    )
    get_settings.cache_clear()


@pytest.fixture
async def database(database_url: str, settings: Settings) -> AsyncIterator[Database]:
    """Give the clean database as the apps see it."""
    made = Database(database_url, pool_size=20, settings=settings)
    yield made
    await made.dispose()


@pytest.fixture
async def session(database: Database) -> AsyncIterator[AsyncSession]:
    """Give a session on the clean database; what it does not commit is gone."""
    async with database.sessions() as made:
        yield made


@pytest.fixture
def free_port() -> int:
    """Give a port of loopback that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
