"""What is kept of the blog app's pages: asked for seldom, good for a while when it is down, and not for ever."""

from __future__ import annotations

import httpx
import pytest

from shared.clients.blog import BlogClient
from shared.clients.known_pages import FRESH_SECONDS, USABLE_SECONDS, KnownPages
from shared.settings import Settings
from tests.fakes.apps import Server, Ticker, refuse

SELLER = dict.fromkeys(("address", "terms", "refund_policy", "collection_place", "collection_times"), "")


def told(slug: str, page_post_id: int, seller: str) -> dict[str, object]:
    """Return a page as the blog tells of it."""
    return {
        "id": page_post_id, "slug": slug, "title": slug.title(), "excerpt": "", "has_calendar": True, "has_market": True,
        "seller": {"name": seller, **SELLER},
    }  # fmt: skip


class Blog:
    """The blog app, with two pages of one seller; what it is asked is counted."""

    seller = "Ann"
    is_down = False

    def __init__(self) -> None:
        self.ticker = Ticker()
        self.server = Server(self._answer)
        client = BlogClient(self.server.http(), Settings(), monotonic=self.ticker)
        self.known = KnownPages(client, monotonic=self.ticker)

    @property
    def calls(self) -> int:
        return len(self.server.asked)

    def _answer(self, request: httpx.Request) -> httpx.Response:
        if self.is_down:
            return refuse(request)
        pages = {"barn": told("barn", 1, self.seller), "mill": told("mill", 2, self.seller)}
        *_, last = request.url.path.split("/")
        if last == "pages":
            return httpx.Response(200, json={"pages": list(pages.values())})
        return httpx.Response(200, json=pages[last]) if last in pages else httpx.Response(404)

    async def seller_at(self, question: str | int) -> str | None:
        """Return who sells at a page, or None where that is not known."""
        known = self.known
        page = await (known.by_slug(question) if isinstance(question, str) else known.by_id(question))
        return None if page is None else page.seller.name


@pytest.fixture
def blog() -> Blog:
    return Blog()


@pytest.mark.parametrize("question", ["barn", 1])
async def test_the_blog_is_asked_once_in_a_while_and_then_again(blog: Blog, question: str | int) -> None:
    assert [await blog.seller_at(question) for _ in range(3)] == ["Ann"] * 3
    assert blog.calls == 1
    blog.seller, blog.ticker.now = "Bob", FRESH_SECONDS - 1
    assert (await blog.seller_at(question), blog.calls) == ("Ann", 1)
    blog.ticker.now = FRESH_SECONDS
    assert (await blog.seller_at(question), blog.calls) == ("Bob", 2)


@pytest.mark.parametrize("question", ["barn", 1])
async def test_what_was_heard_last_is_good_while_the_blog_is_down_but_not_for_ever(
    blog: Blog, question: str | int
) -> None:
    await blog.seller_at(question)
    blog.is_down, blog.ticker.now = True, USABLE_SECONDS - 1
    assert await blog.seller_at(question) == "Ann"
    blog.ticker.now = USABLE_SECONDS
    assert await blog.seller_at(question) is None


@pytest.mark.parametrize("question", ["barn", 1])
async def test_of_a_blog_that_was_never_reached_nothing_is_known(blog: Blog, question: str | int) -> None:
    blog.is_down = True
    assert await blog.seller_at(question) is None


async def test_each_page_is_itself_and_all_are_one_question_by_their_ids(blog: Blog) -> None:
    assert [(await blog.known.by_slug(slug)).id for slug in ("barn", "mill")] == [1, 2]  # type: ignore[union-attr]
    assert blog.calls == 2
    assert [(await blog.known.by_id(page_post_id)).slug for page_post_id in (1, 2)] == ["barn", "mill"]  # type: ignore[union-attr]
    assert blog.calls == 3


@pytest.mark.parametrize("question", ["nobody", 7])
async def test_a_page_that_there_is_not_is_not_known(blog: Blog, question: str | int) -> None:
    assert await blog.seller_at(question) is None
