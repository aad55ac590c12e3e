"""The blog's pages over real sockets: with the apps that they ask up, down, slow, or answering what nobody can use."""

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
from tests.factories.blog import make_page, make_post
from tests.factories.calendar import days_from_now, make_calendar, make_entry
from tests.factories.market import make_product
from tests.support.internal_api import PATIENT_MS, FourApps
from tests.support.raw_server import answering, http_answer

NOT_SHOWN = "cannot be shown just now"
GARBAGE = {
    "no JSON": http_answer(b"<!doctype html>"),
    "another shape": http_answer(b'{"events": [{"id": 1}], "calendars": 7, "products": null}'),
    "a zone that there is not": http_answer(
        b'{"events": [{"id": 1, "name": "Dance", "start_at": "2026-05-01T19:00:00Z", "end_at": "2026-05-01T20:00:00Z",'
        b' "price": null, "on_sale": false, "time_zone": "Moon/Sea"}],'
        b' "calendars": [{"id": 1, "slug": "barn", "name": "The barn", "place": "", "description": "",'
        b' "time_zone": "Moon/Sea", "bookable": false, "upcoming": []}], "products": "none"}'
    ),
    "a failure": http_answer(b"{}", status="500 Internal Server Error"),
    "a refusal": http_answer(b"{}", status="401 Unauthorized"),
    "a cut body": http_answer(b'{"events": [', length=1000),
    "nothing": b"",
}


@pytest.fixture
async def barn(session: AsyncSession) -> None:
    """A page with a calendar, an event on it, a shop with jam, and news."""
    page_post_id = await make_page(session, slug="barn", title="The Barn", has_calendar=True, has_market=True)
    calendar = await make_calendar(session, name="The stage", container_id=page_post_id)
    await make_entry(session, calendar, name="Dance", start_at=days_from_now(3), price="5.00", capacity=2)
    await make_product(session, page_post_id, slug="jam", title="Plum jam", price="4.50")
    await make_post(session, title="A new roof", page_post_id=page_post_id)
    await session.commit()


class Reader:
    """Somebody who looks at the blog's pages, and how long they take."""

    def __init__(self, four: FourApps, http: httpx.AsyncClient) -> None:
        self.four = four
        self._http = http
        self.waited_ms = 0.0

    async def read(self, path: str) -> LexborHTMLParser:
        """Return a page, which must be there."""
        began = time.perf_counter()
        response = await self._http.get(self.four.origin_of("blog") + path, timeout=60)
        self.waited_ms = (time.perf_counter() - began) * 1000
        assert response.status_code == 200
        return LexborHTMLParser(response.content)


@asynccontextmanager
async def blog_beside(settings: Settings, *, real: tuple[str, ...] = ()) -> AsyncIterator[Reader]:
    """Serve the blog, and the real ones of the other apps; where those that are not real are, the settings say."""
    async with AsyncExitStack() as stack:
        four = FourApps(settings)
        for name in (*real, "blog"):
            await four.serve(name, stack)
        http = httpx.AsyncClient(verify=tls_context(trust_env=False), trust_env=False)
        yield Reader(four, await stack.enter_async_context(http))


def leading(settings: Settings, origin: str, *apps: str, timeout_ms: int = PATIENT_MS) -> Settings:
    """Return settings by which these apps are at one place."""
    return settings.model_copy(
        update={f"internal_{app}_url": origin for app in apps} | {"internal_page_timeout_ms": timeout_ms}
    )


def said(page: LexborHTMLParser) -> str:
    """Return the text of a page."""
    return " ".join(page.css_first("main").text().split())


def assert_served_without(home: LexborHTMLParser, page: LexborHTMLParser) -> None:
    """Check that both pages show what the blog itself knows, and say what they cannot show."""
    assert "The Barn" in said(home)
    assert "A new roof" in said(home)
    assert "on cannot be shown just now" in said(home)
    assert "A new roof" in said(page)
    assert "on here cannot be shown just now" in said(page)
    assert "What is in the shop cannot be shown just now" in said(page)
    assert page.css_first("aside .card a").attributes["href"] == "http://localhost:8001/barn/"


async def test_with_all_apps_up_a_page_shows_what_each_tells(settings: Settings, barn: None) -> None:
    patient = settings.model_copy(update={"internal_timeout_ms": PATIENT_MS})
    async with blog_beside(patient, real=("events", "market")) as reader:
        home, page = await reader.read("/"), await reader.read("/barn/")
        assert reader.four.asked[:3] == [("blog", "/"), ("events", "/internal/v1/upcoming"), ("blog", "/barn/")]
        assert sorted(reader.four.asked[3:]) == [
            ("events", "/internal/v1/pages/1/calendars"),
            ("market", "/internal/v1/pages/1/products"),
        ]
    for shown in (home, page):
        assert [row.css_first(".event__title").text() for row in shown.css(".event")] == ["Dance"]
        assert shown.css_first(".event .tag").text() == "2 left"
        assert shown.css_first(".event .price").text() == "£5.00"
        assert NOT_SHOWN not in said(shown)
    assert "Plum jam £4.50" in said(page)


async def test_with_one_app_down_the_other_is_still_heard(settings: Settings, barn: None, free_port: int) -> None:
    nowhere = f"http://127.0.0.1:{free_port}"
    async with blog_beside(leading(settings, nowhere, "market"), real=("events",)) as reader:
        page = await reader.read("/barn/")
        assert page.css_first(".event__title").text() == "Dance"
        assert "What is in the shop cannot be shown just now" in said(page)
    async with blog_beside(leading(settings, nowhere, "events"), real=("market",)) as reader:
        page = await reader.read("/barn/")
        assert "on here cannot be shown just now" in said(page)
        assert "Plum jam £4.50" in said(page)


async def test_with_both_down_pages_are_served_without_them(settings: Settings, barn: None, free_port: int) -> None:
    async with blog_beside(leading(settings, f"http://127.0.0.1:{free_port}", "events", "market")) as reader:
        assert_served_without(await reader.read("/"), await reader.read("/barn/"))


@pytest.mark.parametrize("raw", GARBAGE.values(), ids=GARBAGE)
async def test_answers_that_cannot_be_used_cost_no_page(settings: Settings, barn: None, raw: bytes) -> None:
    async with (
        answering(raw) as origin,
        blog_beside(leading(settings, origin, "events", "market")) as of_home,
        blog_beside(of_home.four.settings) as of_page,  # of its own: after a failure an app is left alone for a while
    ):
        assert_served_without(await of_home.read("/"), await of_page.read("/barn/"))


async def test_slow_apps_are_waited_for_once_and_at_once(settings: Settings, barn: None) -> None:
    limit_ms = 1500
    async with answering(b"", then_wait=True) as silent:
        slow = leading(settings, silent, "events", "market", timeout_ms=limit_ms)
        async with blog_beside(slow) as reader:
            page = await reader.read("/barn/")
            assert limit_ms <= reader.waited_ms < 2 * limit_ms, "both are asked at once, and each has the same time"
            home = await reader.read("/")
            assert reader.waited_ms < limit_ms, "an app that has just failed is left alone"
            assert_served_without(home, page)


async def test_a_page_that_sells_nothing_asks_nobody(settings: Settings, session: AsyncSession) -> None:
    await make_page(session, slug="chapel")
    await session.commit()
    async with answering(b"") as origin, blog_beside(leading(settings, origin, "events", "market")) as reader:
        assert NOT_SHOWN not in said(await reader.read("/chapel/"))
