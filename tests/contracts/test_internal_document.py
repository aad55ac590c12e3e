"""docs/internal-api.md: its examples run against the running apps, and it names every route."""

from __future__ import annotations

import asyncio
import importlib
import os
import re
import sys

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from shared.settings import APPS, DEV_SECRET, Settings
from shared.web.internal import PREFIX
from shared.web.openapi import DOCUMENT_PATH
from tests.factories.blog import make_page
from tests.factories.calendar import days_from_now, make_calendar, make_entry
from tests.factories.market import make_product
from tests.support.internal_api import PATIENT_MS, FourApps, running_apps
from tests.support.postgres import ROOT

DOCUMENT = (ROOT / "docs" / "internal-api.md").read_text()
WITH_PACKAGE, WITHOUT_PACKAGE = re.findall(r"^```python\n(.*?)^```$", DOCUMENT, flags=re.MULTILINE | re.DOTALL)


async def run(code: str, four: FourApps, **more: str) -> list[str]:
    """Run an example as a program of its own, led to the apps by its environment; return what it prints."""
    environment = {f"INTERNAL_{name.upper()}_URL": four.origin_of(name) for name in APPS} | {
        "INTERNAL_SECRETS": DEV_SECRET,
        "INTERNAL_TIMEOUT_MS": str(PATIENT_MS),
        "PYTHONPATH": str(ROOT),
        "PATH": os.environ["PATH"],
    }
    program = await asyncio.create_subprocess_exec(
        sys.executable, "-c", code, env=environment | more, stdout=asyncio.subprocess.PIPE
    )
    printed, _ = await program.communicate()
    assert program.returncode == 0
    return [line for line in printed.decode().splitlines() if "call failed" not in line]


@pytest.fixture
async def barn(session: AsyncSession) -> None:
    page_post_id = await make_page(session, title="The Barn", has_calendar=True, has_market=True)
    calendar = await make_calendar(session, container_id=page_post_id, place="Barn Lane")
    await make_entry(session, calendar, name="Dance", start_at=days_from_now(3), price="5.00")
    await make_product(session, page_post_id, title="Plum jam", price="4.50")
    await session.commit()


async def test_the_examples_print_what_the_apps_tell(settings: Settings, barn: None) -> None:
    async with running_apps(settings) as four:
        assert await run(WITH_PACKAGE, four) == [
            f"{days_from_now(3):%Y-%m-%d} | Dance | Barn Lane | 5.00",
            "The Barn | Plum jam | 4.50",
        ]
        assert await run(WITHOUT_PACKAGE, four) == ["Dance 5.00"]


async def test_the_example_says_so_where_an_app_gives_no_answer(settings: Settings, barn: None, free_port: int) -> None:
    async with running_apps(settings) as four:
        nowhere = f"http://127.0.0.1:{free_port}"
        assert await run(WITH_PACKAGE, four, INTERNAL_EVENTS_URL=nowhere) == ["One of the apps gives no answer."]


def test_every_route_is_in_the_document_with_its_app(settings: Settings) -> None:
    rows = set(re.findall(r"^\| (\w+) \| `([a-z][^?`]*)", DOCUMENT, flags=re.MULTILINE))
    apps = {name: importlib.import_module(f"{name}.app").create_app(settings) for name in APPS}
    rules = {(name, rule.rule) for name, app in apps.items() for rule in app.url_map.iter_rules()}
    inside = {(name, rule) for name, rule in rules if rule.startswith(PREFIX) and rule != DOCUMENT_PATH}
    assert rows == {(name, re.sub(r"<\w+:", "<", rule.removeprefix(f"{PREFIX}v1/"))) for name, rule in inside}
