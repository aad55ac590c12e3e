"""The internal pages: what another app can know of the pages of the site."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from quart.typing import TestClientProtocol as Client
from sqlalchemy.ext.asyncio import AsyncSession

from shared.clients.blog import SellerAnswer
from shared.services.blog_impl import SqlBlogService
from tests.factories.blog import make_page, make_post
from tests.support.internal_api import BEARER, assert_error
from tests.support.queries import counted_queries

PAGES = "/internal/v1/pages"


async def _ask(client: Client, path: str) -> dict[str, Any]:
    answer = await client.get(f"{PAGES}{path}", headers=BEARER)
    assert answer.status_code == 200
    found: dict[str, Any] = await answer.get_json()
    return found


async def test_a_page_is_told_of_with_its_seller_and_what_it_has(client: Client, session: AsyncSession) -> None:
    page_post_id = await make_page(session, slug="barn", has_calendar=True)
    await SqlBlogService().configure_page(
        session,
        page_post_id,
        seller_name="The Barn Trust",
        seller_address="1 Barn Lane",
        seller_email="ann@barn.example",
        seller_phone="01632 960123",
        has_calendar=True,
        terms="Be kind.",
        refund_policy="Ask us.",
        collection_place="The porch",
        collection_times="Saturdays, 9 to 12",
    )
    await session.commit()
    assert await _ask(client, "/barn") == {
        "id": page_post_id,
        "slug": "barn",
        "title": "The Barn",
        "excerpt": "A barn.",
        "has_calendar": True,
        "has_market": False,
        "seller": {
            "name": "The Barn Trust",
            "address": "1 Barn Lane",
            "terms": "Be kind.",
            "refund_policy": "Ask us.",
            "collection_place": "The porch",
            "collection_times": "Saturdays, 9 to 12",
            "email": "ann@barn.example",
            "phone": "01632 960123",
        },
        "body": None,
    }


def test_an_older_blog_that_does_not_tell_how_a_seller_is_reached_is_understood() -> None:
    told = dict.fromkeys(("name", "address", "terms", "refund_policy", "collection_place", "collection_times"), "x")
    seller = SellerAnswer.model_validate(told)
    assert (seller.email, seller.phone) == ("", "")


async def test_the_text_of_a_page_is_told_of_where_it_is_asked_for(client: Client, session: AsyncSession) -> None:
    await make_page(session, slug="barn", body="A *big* <b>barn</b>.")
    await session.commit()
    assert (await _ask(client, "/barn?body=1"))["body"] == "<p>A <em>big</em> &lt;b&gt;barn&lt;/b&gt;.</p>\n"


async def test_the_published_pages_are_told_of_by_title_and_without_their_texts(
    client: Client, session: AsyncSession
) -> None:
    await make_page(session, title="The Mill", has_market=True)
    await make_page(session, title="The Barn")
    await make_page(session, title="A draft", published_at=None)
    await make_page(session, title="To come", published_at=datetime.now(UTC) + timedelta(days=1))
    await make_post(session, title="News")
    await session.commit()
    pages = (await _ask(client, ""))["pages"]
    assert [(page["title"], page["has_market"], page["body"]) for page in pages] == [
        ("The Barn", False, None),
        ("The Mill", True, None),
    ]


async def test_what_is_no_published_page_is_not_found(client: Client, session: AsyncSession) -> None:
    await make_page(session, slug="draft", published_at=None)
    await make_post(session, slug="news")
    await session.commit()
    for slug in ("draft", "news", "nobody", "%00", "BARN", "a--b", "..", "x" * 3000, "a/b"):
        await assert_error(await client.get(f"{PAGES}/{slug}", headers=BEARER), 404, "not_found")


async def test_a_query_that_cannot_be_is_refused(client: Client) -> None:
    await assert_error(await client.get(f"{PAGES}/barn?body=yes", headers=BEARER), 422, "bad_input")


@pytest.mark.parametrize("pages", [1, 5])
async def test_one_query_tells_of_all_pages(client: Client, session: AsyncSession, pages: int) -> None:
    for number in range(pages):
        await make_page(session, slug=f"page-{number}")
    await session.commit()
    for path in ("", "/page-0"):
        with counted_queries() as statements:
            await _ask(client, path)
        assert len(statements) == 1, statements
