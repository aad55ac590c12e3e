"""Home, pages and posts, as a visitor gets them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from quart.typing import TestClientProtocol as Client
from selectolax.lexbor import LexborHTMLParser
from sqlalchemy.ext.asyncio import AsyncSession

from blog.app import create_app
from blog.bp.pages.services.posts import POSTS_A_PAGE, key_of
from demo.load import load_demo
from shared.contracts.paging import read_moment_key
from shared.services.blog_impl import RESERVED_SLUGS, SqlBlogService
from shared.settings import Settings
from tests.factories.blog import LONG_AGO, make_page, make_post
from tests.factories.calendar import make_calendar, make_entry, make_rule
from tests.factories.market import make_product
from tests.support.queries import counted_queries


async def read(client: Client, path: str, status: int = 200) -> LexborHTMLParser:
    response = await client.get(path)
    assert response.status_code == status
    return LexborHTMLParser(await response.get_data(as_text=True))


def texts(page: LexborHTMLParser, selector: str) -> list[str]:
    return [" ".join(node.text().split()) for node in page.css(selector)]


async def test_an_empty_site_says_so_instead_of_looking_broken(client: Client) -> None:
    page = await read(client, "/")

    assert texts(page, ".empty__title") == ["Nobody has moved in yet"]
    assert texts(page, "h1") == ["Everything on round here, in one cart"]


async def test_the_home_page_names_the_places_and_what_each_sells(session: AsyncSession, client: Client) -> None:
    await make_page(session, slug="barn", title="The Barn", has_calendar=True, has_market=True)
    await session.commit()

    card = (await read(client, "/")).css_first(".card--accent")

    assert card is not None
    assert card.css_first("a").attributes["href"] == "/barn/"
    assert [tag.text() for tag in card.css(".tag")] == ["Events and tickets", "Shop"]


async def test_the_home_page_of_the_demo_shows_what_is_on_next(
    client: Client, database_url: str, settings: Settings
) -> None:
    await load_demo(settings, database_url)

    page = await read(client, "/")

    assert len(page.css(".event")) == 4
    assert "http://localhost:8003/entries/" in page.css_first(".event__title a").attributes["href"]
    assert texts(page, ".event .price")[0].startswith("£")


async def test_a_demo_page_tells_what_is_sold_out_and_nearly_so(
    client: Client, database_url: str, settings: Settings
) -> None:
    await load_demo(settings, database_url)

    notes = texts(await read(client, "/lantern-theatre/"), ".event .tag")

    assert "3 left" in notes
    assert "Sold out" in notes


async def test_an_event_without_tickets_says_that_none_is_needed(
    client: Client, database_url: str, settings: Settings
) -> None:
    await load_demo(settings, database_url)

    notes = texts(await read(client, "/thornby-village-hall/"), ".event .tag")

    assert notes == ["No ticket needed"]


async def test_a_page_shows_its_text_shop_seller_and_news(session: AsyncSession, client: Client) -> None:
    page_post_id = await make_page(session, slug="barn", title="The Barn", body="## Hay\n\nPlenty.", has_market=True)
    await make_product(session, page_post_id, slug="straw", title="Straw", price="3.20")
    await make_post(session, title="A new roof", page_post_id=page_post_id)
    await session.commit()

    page = await read(client, "/barn/")

    assert texts(page, "h1") == ["The Barn"]
    assert "Hay" in texts(page, ".prose h2")
    assert page.css_first(".lines a").attributes["href"] == "http://localhost:8001/barn/straw/"
    assert texts(page, ".lines .price") == ["£3.20"]
    assert "A new roof" in texts(page, ".card__title")
    assert "The Barn Trust" in texts(page, "aside strong")


async def test_a_page_says_how_its_seller_is_written_to_and_rung(session: AsyncSession, client: Client) -> None:
    await make_page(session, slug="barn", seller_email="o'hara@barn.example", seller_phone="+44 (0)1632 960123")
    await session.commit()

    links = (await read(client, "/barn/")).css("aside a")

    assert [(link.attributes["href"], link.text()) for link in links] == [
        ("mailto:o%27hara@barn.example", "o'hara@barn.example"),
        ("tel:+441632960123", "+44 (0)1632 960123"),
    ]


@pytest.mark.parametrize(
    ("facts", "shown"),
    [
        ({}, ["The Barn Trust", "1 Barn Lane"]),
        ({"seller_phone": "01632 960123"}, ["The Barn Trust", "1 Barn Lane", "01632 960123"]),
        ({"seller_name": "", "seller_email": "ann@barn.example"}, ["The Barn", "1 Barn Lane", "ann@barn.example"]),
        ({"seller_name": ""}, []),
    ],
)
async def test_a_page_shows_what_there_is_to_find_its_seller_by_and_no_more(
    session: AsyncSession, client: Client, facts: dict[str, str], shown: list[str]
) -> None:
    await make_page(session, slug="barn", **facts)  # type: ignore[arg-type]
    await session.commit()

    assert texts(await read(client, "/barn/"), "aside p") == shown


async def test_a_page_leads_to_the_times_of_its_calendars_that_can_be_booked(
    session: AsyncSession, client: Client
) -> None:
    page_post_id = await make_page(session, slug="barn", has_calendar=True)
    await make_calendar(session, container_id=page_post_id, name="The attic", slug="attic")
    await make_rule(session, await make_calendar(session, container_id=page_post_id, name="The hall", slug="hall"))
    await session.commit()

    links = (await read(client, "/barn/")).css("aside a")

    assert [link.attributes["href"] for link in links] == [
        "http://localhost:8003/calendars/attic/",
        "http://localhost:8003/calendars/hall/",
        "http://localhost:8003/calendars/hall/book/",
    ]


async def test_a_calendar_without_events_leads_to_its_times_and_is_empty_only_without_those(
    session: AsyncSession, client: Client
) -> None:
    page_post_id = await make_page(session, slug="barn", has_calendar=True)
    await make_calendar(session, container_id=page_post_id, name="The attic")
    await make_rule(session, await make_calendar(session, container_id=page_post_id, name="The hall", slug="hall"))
    stage = await make_calendar(session, container_id=page_post_id, name="The stage", slug="stage")
    await make_rule(session, stage)
    await make_entry(session, stage, name="The Tempest")
    await session.commit()

    attic, hall, on_stage = (await read(client, "/barn/")).css("section[aria-labelledby^=calendar-]")

    assert attic.css_first(".empty__title").text() == "Nothing in the diary just now"
    assert attic.css_first(".empty a") is None
    assert hall.css_first(".empty__title").text() == "There are times to book"
    assert hall.css_first(".empty a").attributes["href"] == "http://localhost:8003/calendars/hall/book/"
    assert (on_stage.css_first(".empty"), on_stage.css_first(".event__title").text()) == (None, "The Tempest")


@pytest.mark.parametrize("path", ["/no-such-page/", "/posts/no-such-post/", "/posts/barn/", "/a-post/"])
async def test_what_is_not_there_is_told_kindly(session: AsyncSession, client: Client, path: str) -> None:
    await make_page(session, slug="barn")
    await make_post(session, slug="a-post")
    await session.commit()

    page = await read(client, path, 404)

    assert "mistyped" in texts(page, "main")[0]
    assert page.css_first("main a") is not None


async def test_a_post_shows_its_day_in_the_sites_own_zone(session: AsyncSession, client: Client) -> None:
    await make_post(session, slug="late", title="Late", published_at=datetime(2026, 6, 30, 23, 30, tzinfo=UTC))
    await session.commit()

    assert texts(await read(client, "/posts/late/"), ".eyebrow") == ["1 July 2026"]


async def test_a_title_with_markup_in_it_stays_text(session: AsyncSession, client: Client) -> None:
    await make_post(session, slug="evil", title="<img src=x onerror=alert(1)>", excerpt="<b>bold</b>")
    await session.commit()

    page = await read(client, "/posts/evil/")

    assert texts(page, "h1") == ["<img src=x onerror=alert(1)>"]
    assert page.css_first("main img, main b") is None


async def test_the_list_of_posts_leads_on_to_the_last_one(session: AsyncSession, client: Client) -> None:
    for number in range(POSTS_A_PAGE + 3):
        await make_post(session, title=f"Post {number}", published_at=LONG_AGO + timedelta(hours=number))
    await session.commit()

    first = await read(client, "/posts/")
    second = await read(client, first.css_first("a[rel=next]").attributes["href"])

    assert texts(first, ".card__title")[0] == f"Post {POSTS_A_PAGE + 2}"
    assert texts(second, ".card__title") == ["Post 2", "Post 1", "Post 0"]
    assert second.css_first("a[rel=next]") is None


@pytest.mark.parametrize("key", ["x", "1-", "-1-1", "1" * 18 + "-1", "1-" + "1" * 19, "1-1\n", "\uff11-1"])
async def test_a_key_that_is_none_of_ours_gets_a_clear_answer(client: Client, key: str) -> None:
    response = await client.get("/posts/", query_string={"before": key})

    assert response.status_code == 422
    assert "start again from the newest" in await response.get_data(as_text=True)


async def test_a_key_keeps_the_microsecond(session: AsyncSession) -> None:
    moment = datetime(2026, 3, 1, 9, 0, 0, 123457, tzinfo=UTC)
    post_id = await make_post(session, slug="exact", published_at=moment)
    post = await SqlBlogService().post_by_slug(session, "exact")

    assert post is not None
    assert read_moment_key(key_of(post)) == (moment, post_id)


QUERIES = {
    "/": (2, 2),  # pages, posts; of the events app: events and their ticket types
    "/posts/": (1, 0),
    "/posts/nineteen-cows/": (1, 0),
    "/hollin-bank-farm-shop/": (2, 7),  # page, posts; of the events app: four; of the market app: three
    "/lantern-theatre/": (2, 4),  # the same without a shop
}
"""How many queries a page costs the blog, and the apps that it asks: as many as their own tests say of a call."""


async def test_the_number_of_queries_does_not_grow_with_what_is_shown(
    client: Client, lonely_client: Client, database_url: str, settings: Settings
) -> None:
    await load_demo(settings, database_url)
    counts = {}

    for path in QUERIES:
        with counted_queries() as own:
            await read(lonely_client, path)
        with counted_queries() as all_apps:
            await read(client, path)
        counts[path] = (len(own), len(all_apps) - len(own))

    assert counts == QUERIES


def test_no_page_can_hide_an_address_of_the_site_itself(settings: Settings) -> None:
    first_parts = {rule.rule.split("/")[1] for rule in create_app(settings).url_map.iter_rules()}

    assert {part for part in first_parts if part and "<" not in part} <= RESERVED_SLUGS
