"""A product's page: what it is, what it is sold as, and who sells it where."""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncSession

from tests.factories.blog import make_page
from tests.factories.market import make_product, make_variant
from tests.integration.market.conftest import JAM, SMOCK, Goods, set_stock
from tests.support.visitor import Visitor


async def test_a_product_shows_its_whole_story_and_its_neighbours(session: AsyncSession, visitor: Visitor) -> None:
    page_post_id = await make_page(session, slug="barn", has_market=True)
    for title in ("Apples", "Beans", "Cider"):
        await make_product(
            session, page_post_id, slug=title.lower(), title=title, description="Short.\n\nLong history."
        )
    await session.commit()

    page = await visitor.get("/barn/beans/")

    assert page.text("h1") == "Beans"
    assert "Long history." in page.text("article")
    assert page.texts("section h3") == ["Apples", "Cider"]


async def test_a_product_of_one_kind_leaves_nothing_to_choose(visitor: Visitor, goods: Goods) -> None:
    page = await visitor.get(JAM)

    assert not page.has("#buy [type=radio]")
    assert page.attribute("#buy [name=variant_id]", "value") == str(goods.jam)
    assert page.attribute("#buy [name=quantity]", "value") == "1"
    assert page.text("#buy .price--big") == "£4.50"
    assert page.text("#buy button") == "Add to cart"


async def test_the_only_kind_that_is_on_show_is_named(visitor: Visitor, session: AsyncSession) -> None:
    product = await make_product(
        session, await make_page(session, slug="barn", has_market=True), slug="smock", price=None
    )
    await make_variant(session, product, size="Large", colour="green")
    await make_variant(session, product, size="Small", published=False)
    await session.commit()

    page = await visitor.get(SMOCK)

    assert not page.has("#buy [type=radio]")
    assert page.text("#buy .line__title") == "Large, green"


async def test_each_kind_says_its_size_colour_price_and_what_is_left(visitor: Visitor, goods: Goods) -> None:
    page = await visitor.get(SMOCK)

    assert page.text("#buy legend") == "Which one"
    assert page.texts("#buy .choice label") == [
        "Small, green £38.00",
        "Medium, green £38.00 2 left",
        "Large, grey £42.00 Sold out",
    ]
    radios = page.html.css("#buy [type=radio]")
    assert [radio.attributes["value"] for radio in radios] == [str(goods.small), str(goods.medium), str(goods.large)]
    assert ["disabled" in radio.attributes for radio in radios] == [False, False, True]
    assert ["checked" in radio.attributes for radio in radios] == [False, False, False]
    labels = [label.attributes["for"] for label in page.html.css("#buy .choice label")]
    assert labels == [radio.attributes["id"] for radio in radios]


async def test_the_last_kind_that_can_be_had_is_chosen_already(
    visitor: Visitor, session: AsyncSession, goods: Goods
) -> None:
    await set_stock(session, goods.medium, 0)

    page = await visitor.get(SMOCK)

    assert page.attribute("#buy [checked]", "value") == str(goods.small)


async def test_no_more_can_be_typed_than_are_left_of_any_kind(
    visitor: Visitor, session: AsyncSession, goods: Goods
) -> None:
    assert (await visitor.get(SMOCK)).attribute("#f-quantity", "max") is None

    await set_stock(session, goods.small, 7)

    assert (await visitor.get(SMOCK)).attribute("#f-quantity", "max") == "7"


async def test_what_is_sold_out_has_no_form(visitor: Visitor, session: AsyncSession, goods: Goods) -> None:
    for variant_id in (goods.jam, goods.small, goods.medium):
        await set_stock(session, variant_id, 0)

    jam, smock = await visitor.get(JAM), await visitor.get(SMOCK)

    assert not jam.has("#buy form")
    assert (jam.texts("#buy .tag"), smock.texts("#buy .tag")) == (["Sold out"], ["Sold out"])
    assert not smock.has("#buy form")
    assert smock.texts("#buy .lines li") == ["Small, green £38.00", "Medium, green £38.00", "Large, grey £42.00"]


async def test_who_sells_and_on_which_terms_can_be_read(visitor: Visitor, session: AsyncSession) -> None:
    page_post_id = await make_page(
        session,
        slug="barn",
        has_market=True,
        seller_name="Barn Ltd",
        seller_address="1 Barn Lane",
        seller_email="ann@barn.example",
        seller_phone="01632 960123",
        terms="As seen.",
        refund_policy="Within two days.",
        collection_place="The apple store",
        collection_times="Sundays",
    )
    await make_product(session, page_post_id, slug="jam", vat_rate="20")
    await session.commit()

    page = await visitor.get(JAM)

    assert page.texts("[aria-labelledby=seller] > *") == [
        "Sold by Barn Ltd",
        "1 Barn Lane",
        "ann@barn.example 01632 960123",
        "Terms. As seen.",
        "Refunds. Within two days.",
    ]
    links = page.html.css("[aria-labelledby=seller] a")
    assert [link.attributes["href"] for link in links] == ["mailto:ann@barn.example", "tel:01632960123"]
    assert page.texts(".notice p")[:3] == ["Buy here, collect there", "The apple store", "Sundays"]
    assert page.texts("article .small") == ["20% VAT is included in the price."]


async def test_a_page_that_says_nothing_of_its_seller_shows_nothing_of_it(
    visitor: Visitor, session: AsyncSession
) -> None:
    await make_product(
        session, await make_page(session, slug="barn", has_market=True, seller_name="", seller_address=""), slug="jam"
    )
    await session.commit()

    page = await visitor.get(JAM)

    assert not page.has("[aria-labelledby=seller]")
    assert page.texts(".notice p")[1] == "You collect what you have bought from The Barn."


async def test_a_seller_without_a_name_can_still_be_asked(visitor: Visitor, session: AsyncSession) -> None:
    page_post_id = await make_page(
        session, slug="barn", has_market=True, seller_name="", seller_address="", seller_phone="01632 960123"
    )
    await make_product(session, page_post_id, slug="jam")
    await session.commit()

    assert (await visitor.get(JAM)).texts("[aria-labelledby=seller] > *") == ["Sold by The Barn", "01632 960123"]


async def test_what_a_page_says_is_shown_and_not_obeyed(visitor: Visitor, session: AsyncSession) -> None:
    evil = "<script>alert(1)</script>"
    page_post_id = await make_page(session, slug="barn", title=evil, has_market=True, seller_name=evil, terms=evil)
    product = await make_product(
        session, page_post_id, slug="smock", title=evil, description=evil, unit=evil, price=None
    )
    for size in (evil, "Small"):
        await make_variant(session, product, size=size)
    await session.commit()

    page = await visitor.get(SMOCK)

    assert page.texts("main script") == []
    assert page.text("h1") == evil
