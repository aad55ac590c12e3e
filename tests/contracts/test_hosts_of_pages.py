"""The pages of the events and market apps that show who sells, over real sockets: with the blog app up, down or mad."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import httpx
import pytest
from selectolax.lexbor import LexborHTMLParser
from sqlalchemy.ext.asyncio import AsyncSession

from shared.clients.tls import tls_context
from shared.settings import Settings
from tests.factories.blog import make_page
from tests.factories.calendar import days_from_now, make_calendar, make_entry
from tests.factories.market import make_product
from tests.support.internal_api import PATIENT_MS, FourApps
from tests.support.raw_server import answering, http_answer

PAGES = {"market": ("/barn/", "/barn/jam/"), "events": ("/entries/1/", "/calendars/stage/")}
"""Pages that show who sells, by the app."""
both_apps = pytest.mark.parametrize("app", PAGES)


@pytest.fixture
async def barn(session: AsyncSession) -> None:
    """A page with a calendar, an event on it, and a shop with jam; its seller can be written to."""
    page_post_id = await make_page(
        session, slug="barn", title="The Barn", has_calendar=True, has_market=True, seller_email="ann@barn.example"
    )
    calendar = await make_calendar(session, name="The stage", slug="stage", container_id=page_post_id)
    await make_entry(session, calendar, name="Dance", start_at=days_from_now(3), price="5.00")
    await make_product(session, page_post_id, slug="jam", title="Plum jam", price="4.50")
    await session.commit()


class Reader:
    """Somebody who looks at the pages of one app."""

    def __init__(self, four: FourApps, http: httpx.AsyncClient, app: str) -> None:
        self.four = four
        self._http = http
        self._app = app
        self.waited_ms = 0.0

    async def read(self, path: str) -> str:
        """Return the text of a page, which must be there."""
        began = time.perf_counter()
        response = await self._http.get(self.four.origin_of(self._app) + path, timeout=60)
        self.waited_ms = (time.perf_counter() - began) * 1000
        assert response.status_code == 200
        main = LexborHTMLParser(response.content).css_first("main")
        mails = [link.attributes["href"] or "" for link in main.css("a[href^=mailto]")]
        return " ".join([*main.text().split(), *mails])

    def asked_the_blog(self) -> list[str]:
        """Return what the blog app was asked, in order."""
        return [path for name, path in self.four.asked if name == "blog"]


@asynccontextmanager
async def app_beside(app: str, settings: Settings, *, blog: bool = False) -> AsyncIterator[Reader]:
    """Serve one app, and the real blog, if that is wanted: else the blog is where the settings say."""
    async with AsyncExitStack() as stack:
        four = FourApps(settings)
        for name in ("blog", app) if blog else (app,):
            await four.serve(name, stack)
        http = httpx.AsyncClient(verify=tls_context(trust_env=False), trust_env=False)
        yield Reader(four, await stack.enter_async_context(http), app)


def with_blog_at(settings: Settings, origin: str, *, timeout_ms: int = PATIENT_MS) -> Settings:
    """Return settings by which the blog is at a place."""
    return settings.model_copy(update={"internal_blog_url": origin, "internal_page_timeout_ms": timeout_ms})


async def test_the_shop_and_a_product_show_what_the_blog_says_of_their_page(settings: Settings, barn: None) -> None:
    patient = settings.model_copy(update={"internal_timeout_ms": PATIENT_MS})
    async with app_beside("market", patient, blog=True) as reader:
        assert "You collect what you have bought from The Barn Trust." in await reader.read("/barn/")
        product = await reader.read("/barn/jam/")
        assert "Sold by The Barn Trust" in product
        assert "mailto:ann@barn.example" in product
        assert reader.asked_the_blog() == ["/internal/v1/pages/barn"], "once for both: it is kept for a while"


async def test_an_event_and_its_calendar_show_whose_page_they_belong_to(settings: Settings, barn: None) -> None:
    patient = settings.model_copy(update={"internal_timeout_ms": PATIENT_MS})
    async with app_beside("events", patient, blog=True) as reader:
        event = await reader.read("/entries/1/")
        assert "Put on by The Barn Trust" in event
        assert "mailto:ann@barn.example" in event
        assert "About The Barn" in await reader.read("/calendars/stage/")
        assert reader.asked_the_blog() == ["/internal/v1/pages"], "once for both: it is kept for a while"


SAID_WITHOUT = {
    "/barn/": ("Plum jam", "Where and when to collect cannot be shown just now."),
    "/barn/jam/": ("Plum jam", "How to reach the seller, and on which terms they sell, cannot be shown just now."),
    "/entries/1/": ("Dance", "Who puts this on, and how to reach them, cannot be shown just now."),
    "/calendars/stage/": ("Dance", "The stage"),
}
"""What each page shows for all that, and what it says instead of what it cannot show."""


def assert_served_without(path: str, text: str) -> None:
    """Check that a page shows what its own app knows, and says what it cannot show."""
    for words in SAID_WITHOUT[path]:
        assert words in text, path
    assert "The Barn Trust" not in text, path


@both_apps
async def test_while_the_blog_is_down_pages_are_served_without_it(
    settings: Settings, barn: None, app: str, free_port: int
) -> None:
    async with app_beside(app, with_blog_at(settings, f"http://127.0.0.1:{free_port}")) as reader:
        for path in PAGES[app]:
            assert_served_without(path, await reader.read(path))


@pytest.mark.parametrize(
    "raw",
    [
        http_answer(b"<!doctype html>"),
        http_answer(b'{"pages": 7, "id": "x"}'),
        http_answer(b"{}", status="500 Internal Server Error"),
        http_answer(b'{"pages": [', length=1000),
        b"",
    ],
    ids=["no JSON", "another shape", "a failure", "a cut body", "nothing"],
)
@both_apps
async def test_answers_that_cannot_be_used_cost_no_page(settings: Settings, barn: None, app: str, raw: bytes) -> None:
    async with answering(raw) as origin, app_beside(app, with_blog_at(settings, origin)) as reader:
        for path in PAGES[app]:
            assert_served_without(path, await reader.read(path))


@both_apps
async def test_a_slow_blog_is_waited_for_once(settings: Settings, barn: None, app: str) -> None:
    limit_ms = 1500
    async with (
        answering(b"", then_wait=True) as silent,
        app_beside(app, with_blog_at(settings, silent, timeout_ms=limit_ms)) as reader,
    ):
        first, second = PAGES[app]
        assert_served_without(first, await reader.read(first))
        assert limit_ms <= reader.waited_ms < 2 * limit_ms
        assert_served_without(second, await reader.read(second))
        assert reader.waited_ms < limit_ms, "an app that has just failed is left alone"
