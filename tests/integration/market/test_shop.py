"""The shops, as a visitor gets them."""

from __future__ import annotations

import pytest
from quart.typing import TestClientProtocol as Client
from selectolax.lexbor import LexborHTMLParser
from sqlalchemy.ext.asyncio import AsyncSession

from market.app import create_app
from shared.services.blog_impl import RESERVED_SLUGS
from shared.settings import Settings
from tests.factories.blog import make_page
from tests.factories.market import make_product, make_variant


@pytest.fixture
async def barn(session: AsyncSession) -> AsyncSession:
    """Give a shop with three products, another page's shop with one, and a page without a shop."""
    barn = await make_page(session, slug="barn", title="The Barn", has_market=True)
    mill = await make_page(session, slug="mill", title="The Mill", has_market=True)
    await make_page(session, slug="chapel", title="The Chapel")
    for title in ("Apples", "Beans", "Cider"):
        await make_product(
            session, barn, slug=title.lower(), title=title, price="4.50", description="Short.\n\nLong history."
        )
    await make_product(session, mill, slug="flour", title="Flour", price="2.10", unit="per kg")
    await session.commit()
    return session


async def read(client: Client, path: str, status: int = 200) -> LexborHTMLParser:
    response = await client.get(path)
    assert response.status_code == status
    return LexborHTMLParser(await response.get_data(as_text=True))


def texts(page: LexborHTMLParser, selector: str) -> list[str]:
    return [" ".join(node.text().split()) for node in page.css(selector)]


async def test_the_shop_shows_every_pages_products_under_its_page(barn: AsyncSession, client: Client) -> None:
    page = await read(client, "/")

    assert texts(page, "h2") == ["The Barn", "The Mill"]
    assert texts(page, "h3") == ["Apples", "Beans", "Cider", "Flour"]
    assert [a.attributes["href"] for a in page.css(".card__title a")][-1] == "/mill/flour/"


async def test_a_site_without_shops_leads_on_to_what_is_on(client: Client) -> None:
    page = await read(client, "/")

    assert texts(page, ".empty__title") == ["No shop has opened yet"]
    assert page.css_first(".empty a").attributes["href"] == "http://localhost:8003/"


async def test_a_pages_shop_shows_its_own_products_with_price_and_unit(barn: AsyncSession, client: Client) -> None:
    page = await read(client, "/mill/")

    assert texts(page, ".card__body") == ["Flour £2.10 per kg Plums and sugar. Add to cart Flour"]


async def test_an_empty_shop_says_so(session: AsyncSession, client: Client) -> None:
    await make_page(session, slug="new", has_market=True)
    await session.commit()

    assert texts(await read(client, "/new/"), ".empty__title") == ["The shelves are empty just now"]


async def test_variants_of_several_prices_have_a_lowest_one(session: AsyncSession, client: Client) -> None:
    page_post_id = await make_page(session, slug="barn", has_market=True)
    for title, prices in (("Cap", ("9.00", "9.00")), ("Smock", ("42.00", "38.00"))):
        product = await make_product(session, page_post_id, title=title, unit="each", price=None)
        for number, price in enumerate(prices):
            await make_variant(session, product, price=price, size=f"Size {number}")
    await session.commit()

    page = await read(client, "/barn/")

    assert texts(page, ".card__title + p") == ["£9.00 each", "from £38.00 each"]


async def test_the_lowest_price_is_of_what_is_left(session: AsyncSession, client: Client) -> None:
    page_post_id = await make_page(session, slug="barn", has_market=True)
    smock = await make_product(session, page_post_id, unit="each", price=None)
    await make_variant(session, smock, price="30.00", size="Small", stock=0)
    await make_variant(session, smock, price="42.00", size="Large", stock=20)
    gone = await make_product(session, page_post_id, title="Wellies", unit="each", price=None)
    await make_variant(session, gone, price="30.00", size="Small", stock=0)
    await make_variant(session, gone, price="42.00", size="Large", stock=0)
    await session.commit()

    page = await read(client, "/barn/")

    assert texts(page, ".card__title + p") == ["£42.00 each", "from £30.00 each Sold out"]


@pytest.mark.parametrize(
    ("stocks", "mark"),
    [
        ([None], []),
        ([0], ["Sold out"]),
        ([5], ["5 left"]),
        ([6], []),
        ([0, 3], ["3 left"]),
        ([0, 0], ["Sold out"]),
        ([3, 3], []),
        ([0, None], []),
    ],
)
async def test_a_list_marks_what_is_sold_out_or_nearly_so(
    session: AsyncSession, client: Client, stocks: list[int | None], mark: list[str]
) -> None:
    page_post_id = await make_page(session, slug="barn", has_market=True)
    product = await make_product(session, page_post_id, price=None)
    for number, stock in enumerate(stocks):
        await make_variant(session, product, size=f"Size {number}", stock=stock)
    await session.commit()

    assert texts(await read(client, "/barn/"), ".card .tag") == mark


async def test_what_is_hidden_is_in_no_list(session: AsyncSession, client: Client) -> None:
    page_post_id = await make_page(session, slug="barn", has_market=True)
    await make_product(session, page_post_id, title="Hidden", published=False)
    await make_product(session, page_post_id, title="Without a kind", price=None)
    shy = await make_product(session, page_post_id, title="All kinds hidden", price=None)
    await make_variant(session, shy, size="Small", published=False)
    half = await make_product(session, page_post_id, title="One kind hidden", unit="each", price="9.00")
    await make_variant(session, half, price="1.00", size="Small", published=False)
    await session.commit()

    for path in ("/", "/barn/"):
        page = await read(client, path)

        assert texts(page, ".card__title") == ["One kind hidden"]
        assert texts(page, ".card__title + p") == ["£9.00 each"]


async def test_a_list_has_a_button_where_there_is_nothing_to_choose(session: AsyncSession, client: Client) -> None:
    page_post_id = await make_page(session, slug="barn", has_market=True)
    await make_product(session, page_post_id, title="Jam")
    await make_product(session, page_post_id, title="Sold out", stock=0)
    smock = await make_product(session, page_post_id, title="To choose", price=None)
    for size in ("Small", "Large"):
        await make_variant(session, smock, size=size)
    await session.commit()

    for path in ("/", "/barn/"):
        assert texts(await read(client, path), "main form") == ["Add to cart Jam"]


async def test_a_shop_says_where_and_when_things_are_collected(session: AsyncSession, client: Client) -> None:
    await make_page(
        session, slug="barn", has_market=True, collection_place="The apple store", collection_times="Sundays\n10 to 1"
    )
    await make_page(session, slug="mill", title="The Mill", has_market=True, seller_name="Mill Ltd")
    await session.commit()

    assert texts(await read(client, "/barn/"), ".notice p")[:3] == [
        "Buy here, collect there",
        "The apple store",
        "Sundays 10 to 1",
    ]
    assert texts(await read(client, "/mill/"), ".notice p")[:3] == [
        "Buy here, collect there",
        "You collect what you have bought from Mill Ltd.",
        "About The Mill",
    ]


@pytest.mark.parametrize("path", ["/nowhere/", "/chapel/", "/barn/nothing/", "/barn/flour/", "/mill/beans/"])
async def test_what_is_not_sold_there_is_not_found(barn: AsyncSession, client: Client, path: str) -> None:
    page = await read(client, path, 404)

    assert texts(page, "h1") == ["Not found"]


def test_no_page_can_hide_an_address_of_the_site_itself(settings: Settings) -> None:
    first_parts = {rule.rule.split("/")[1] for rule in create_app(settings).url_map.iter_rules()}

    assert {part for part in first_parts if part and "<" not in part} <= RESERVED_SLUGS
