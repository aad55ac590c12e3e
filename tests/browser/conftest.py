"""The site, a browser, people who use it, and things that are for sale. Nothing is patched, and nothing is shared."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator, Awaitable, Callable, Generator
from decimal import Decimal
from itertools import count
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.async_api import Browser, BrowserContext, async_playwright

from shared.db.uow import unit_of_work
from tests.browser.shop import Shop, Show
from tests.browser.watch import Watch
from tests.factories.blog import make_page
from tests.factories.calendar import make_calendar, make_entry, make_type
from tests.support.chromium import find_chromium
from tests.support.postgres import ROOT, TestPostgres
from tests.support.sandbox import SandboxControl
from tests.support.site import Site, running_site

ARTIFACTS = ROOT / "test-artifacts" / "browser"
PHONE, DESK = 390, 1280
HEIGHTS = {PHONE: 844, DESK: 900}
WAIT_MS = 15_000
FLAGS = (
    "--no-sandbox",
    "--no-proxy-server",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-dev-shm-usage",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1",
)
FAILED = pytest.StashKey[bool]()

Visit = Callable[..., Awaitable[Shop]]
PutOn = Callable[..., Awaitable[Show]]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Remember that a test has failed, for its screenshots."""
    report = yield
    if report.when == "call":
        item.stash[FAILED] = report.failed
    return report


@pytest.fixture(scope="session")
async def site(postgres: TestPostgres, tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> AsyncIterator[Site]:
    """Give the running site; its logs lie among the artifacts afterwards."""
    logs = ARTIFACTS / "logs" / worker_id
    shutil.rmtree(logs, ignore_errors=True)
    folder = tmp_path_factory.mktemp("site")
    try:
        async with postgres.clean_database() as urls, running_site(urls, folder) as started:
            yield started
    finally:
        shutil.copytree(folder / "logs", logs, dirs_exist_ok=True)


@pytest.fixture(scope="session")
async def browser() -> AsyncIterator[Browser]:
    """Give a browser without anybody's cookies."""
    async with async_playwright() as playwright:
        launched = await playwright.chromium.launch(executable_path=find_chromium(), args=list(FLAGS))
        yield launched
        await launched.close()


@pytest.fixture(autouse=True)
async def _quiet_logs(site: Site) -> AsyncIterator[None]:
    """Fail a test during which a process has logged an error."""
    site.new_complaints()
    yield
    complaints = site.new_complaints()
    assert not complaints, "\n".join(complaints)


@pytest.fixture
async def visit(site: Site, browser: Browser, request: pytest.FixtureRequest) -> AsyncIterator[Visit]:
    """Let people in, each with a browser window of their own; fail when a window complains of anything."""
    windows: list[tuple[BrowserContext, Shop]] = []

    async def come(*, width: int = DESK, javascript: bool = True, **more: Any) -> Shop:
        context = await browser.new_context(
            viewport={"width": width, "height": HEIGHTS.get(width, HEIGHTS[PHONE])},
            java_script_enabled=javascript,
            locale="en-GB",
            **more,
        )
        context.set_default_timeout(WAIT_MS)
        watch = Watch()
        watch.attach(context)
        windows.append((context, Shop(site, await context.new_page(), watch)))
        return windows[-1][1]

    yield come
    if request.node.stash.get(FAILED, True):
        await _take_screenshots(request.node.name, [shop for _, shop in windows])
    for context, _ in windows:
        await context.close()
    complaints = [complaint for _, shop in windows for complaint in shop.watch.complaints]
    assert not complaints, "\n".join(complaints)


@pytest.fixture
async def shop(visit: Visit) -> Shop:
    """Give one person at a desk."""
    return await visit()


@pytest.fixture
async def sandbox(site: Site) -> AsyncIterator[SandboxControl]:
    """Give what the provider can be told behind everybody's back."""
    async with httpx.AsyncClient(trust_env=False) as client:
        yield SandboxControl(site.settings.sumup_origin, client)


_numbers = count(1)


@pytest.fixture
def email(request: pytest.FixtureRequest) -> str:
    """Give the address of somebody who was never here."""
    return f"ada.{next(_numbers)}@maypole.example"


@pytest.fixture
async def put_on(site: Site) -> PutOn:
    """Put an event of this test's own on sale: ``await put_on(Adult="12.50", capacity=3)``."""

    async def make(
        *, capacity: int | None = None, price: str | None = None, max_per_order: int = 20, **kinds: str
    ) -> Show:
        number = next(_numbers)
        name = f"Concert {number}"
        async with unit_of_work(site.database) as uow:
            page_post_id = await make_page(
                uow.session, slug=f"hall-{number}", title=f"Hall {number}", has_calendar=True
            )
            calendar = await make_calendar(uow.session, name=f"Hall {number}", container_id=page_post_id)
            entry = await make_entry(
                uow.session, calendar, name=name, price=price, capacity=capacity, max_per_order=max_per_order
            )
            for position, (kind, cost) in enumerate(kinds.items()):
                await make_type(uow.session, entry, kind, cost, position=position)
            await uow.commit()
        prices = {kind: Decimal(cost) for kind, cost in kinds.items()} or {"": Decimal(price or "0")}
        return Show(entry.id, name, f"hall-{number}", calendar.id, prices)

    return make


async def _take_screenshots(name: str, shops: list[Shop]) -> None:
    """Keep what the people of a failed test saw last."""
    folder = ARTIFACTS / "screenshots"
    folder.mkdir(parents=True, exist_ok=True)
    for number, shop in enumerate(shops, 1):
        path: Path = folder / f"{name.replace('/', '-')}-{number}.png"
        if not shop.page.is_closed():
            await shop.page.screenshot(path=path, full_page=True)
