"""Every error of the internal API of the four real apps, whatever its status, has the one shape. No database is there."""

from __future__ import annotations

import importlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, cast

import pytest
from pydantic import SecretStr
from quart import Quart

from shared.services.registry import Services
from shared.settings import APPS, Settings
from tests.support.internal_api import BEARER, assert_error

NOWHERE = SecretStr("postgresql://nobody:nothing@127.0.0.1:9/none")
ROUTES = {
    "blog": ("/internal/v1/pages", "/internal/v1/pages/barn?body=1"),
    "market": ("/internal/v1/pages/1/products",),
    "cart": ("/internal/v1/cart/summary?user_id=1", "/internal/v1/cart/summary?user_id=1&lines=1"),
    "events": ("/internal/v1/pages/1/calendars",),
}
BAD_QUERIES = {
    "blog": "/internal/v1/pages/barn?body=yes",
    "cart": "/internal/v1/cart/summary?user_id=ada",
    "events": "/internal/v1/pages/1/calendars?upcoming=many",
}
every_route = pytest.mark.parametrize(("app", "path"), [(app, path) for app in APPS for path in ROUTES[app]])


class Crashing:
    """A domain that crashes, whatever it is asked."""

    is_stub = False

    def __getattr__(self, name: str) -> Any:
        raise RuntimeError(f"the secret text of a crash in {name}")


@asynccontextmanager
async def serving(app: str, services: Services | None = None) -> AsyncIterator[Quart]:
    settings = Settings(environment="test", database_url=NOWHERE)
    made: Quart = importlib.import_module(f"{app}.app").create_app(settings, services)
    async with made.test_app():
        yield made


@every_route
async def test_401_without_the_secret(app: str, path: str) -> None:
    async with serving(app) as made:
        await assert_error(await made.test_client().get(path), 401, "unauthorized")


@pytest.mark.parametrize("app", APPS)
async def test_404_where_there_is_nothing(app: str) -> None:
    async with serving(app) as made:
        for path in ("/internal/v1/nothing", "/internal/v2/pages"):
            await assert_error(await made.test_client().get(path, headers=BEARER), 404, "not_found")


@every_route
async def test_405_for_what_would_change_something(app: str, path: str) -> None:
    async with serving(app) as made:
        for method in ("POST", "PUT", "PATCH", "DELETE"):
            response = await made.test_client().open(path, method=method, headers=BEARER)
            await assert_error(response, 405, "method_not_allowed")
            assert "GET" in response.headers["Allow"]


@pytest.mark.parametrize(("app", "path"), BAD_QUERIES.items())
async def test_422_for_a_query_that_is_not_as_documented(app: str, path: str) -> None:
    async with serving(app) as made:
        await assert_error(await made.test_client().get(path, headers=BEARER), 422, "bad_input")


@every_route
async def test_500_after_a_crash(app: str, path: str) -> None:
    crashing = cast("Any", Crashing())
    async with serving(app, Services(crashing, crashing, crashing, crashing)) as made:
        await assert_error(await made.test_client().get(path, headers=BEARER), 500, "internal_server_error")


@every_route
async def test_503_without_a_database(app: str, path: str) -> None:
    async with serving(app) as made:
        await assert_error(await made.test_client().get(path, headers=BEARER), 503, "unavailable")
