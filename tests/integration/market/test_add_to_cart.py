"""Pressing "Add to cart": what goes into whose cart, and what is refused."""

from __future__ import annotations

from http.cookies import SimpleCookie

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from shared.models import LoginSession, User
from tests.factories.blog import make_page
from tests.factories.market import make_product, make_variant
from tests.integration.market.conftest import (
    JAM,
    SMOCK,
    Goods,
    all_carts,
    anonymous_sessions,
    cart_of,
    cart_of_session,
    fill_cart,
    set_stock,
)
from tests.support.visitor import Visitor

ADD_JAM, ADD_SMOCK = f"{JAM}add/", f"{SMOCK}add/"
TIMES = "\u00d7"
CART = "http://localhost:8002/"


def smock_form(variant_id: object, quantity: str = "1") -> dict[str, str]:
    """What the smock's form sends."""
    return {"variant_id": str(variant_id), "quantity": quantity}


# --- Into the cart ---


async def test_who_is_signed_in_has_it_in_their_own_cart(ada: Visitor, session: AsyncSession, goods: Goods) -> None:
    answer = await ada.post(ADD_JAM, goods.jam_form | {"quantity": "2"})

    assert answer.status == 303
    assert await cart_of(session, ada) == {goods.jam: 2}
    assert await anonymous_sessions(session) == []
    assert await session.scalar(select(User.has_cart).where(User.id == ada.id)) is True


async def test_who_is_not_signed_in_is_given_a_cart_of_their_own(
    visitor: Visitor, session: AsyncSession, goods: Goods
) -> None:
    answer = await visitor.post(ADD_JAM, goods.jam_form)
    await visitor.post(ADD_SMOCK, smock_form(goods.small, "3"))

    (session_id,) = await anonymous_sessions(session)
    assert answer.status == 303
    assert await cart_of_session(session, session_id) == {goods.jam: 1, goods.small: 3}
    assert await session.scalar(select(LoginSession.has_cart)) is True


async def test_looking_at_a_product_makes_no_session(visitor: Visitor, session: AsyncSession, goods: Goods) -> None:
    page = await visitor.get(JAM)

    assert "Set-Cookie" not in page.headers
    assert await anonymous_sessions(session) == []


async def test_the_form_of_the_page_itself_can_be_sent(ada: Visitor, session: AsyncSession, goods: Goods) -> None:
    for path in (JAM, "/barn/"):
        page = await ada.get(path)
        form = page.html.css_first("main form")
        body = {str(node.attributes["name"]): str(node.attributes["value"]) for node in form.css("input")}

        assert (await ada.post(str(form.attributes["action"]), body)).status == 303

    assert await cart_of(session, ada) == {goods.jam: 2}


async def test_a_choice_of_the_page_itself_can_be_sent(ada: Visitor, session: AsyncSession, goods: Goods) -> None:
    page = await ada.get(SMOCK)
    medium = page.html.css("#buy [type=radio]")[1]
    body = {str(medium.attributes["name"]): str(medium.attributes["value"]), "quantity": "1"}

    await ada.post(str(page.attribute("#buy form", "action")), body)

    assert await cart_of(session, ada) == {goods.medium: 1}


async def test_what_is_added_goes_on_top_of_what_is_there(ada: Visitor, session: AsyncSession, goods: Goods) -> None:
    for quantity in ("1", " 2 ", "007"):
        await ada.post(ADD_JAM, goods.jam_form | {"quantity": quantity})

    assert await cart_of(session, ada) == {goods.jam: 10}


# --- What is said about it ---


async def test_the_result_says_what_was_added_and_reloading_it_adds_nothing(
    visitor: Visitor, session: AsyncSession, goods: Goods
) -> None:
    await visitor.post(ADD_SMOCK, smock_form(goods.small))
    answer = await visitor.post(ADD_SMOCK, smock_form(goods.small, "2"))

    page = await visitor.get(answer.location)
    await visitor.get(answer.location)

    assert page.text("#buy-title") == "Added to cart"
    assert page.text("#buy .line__title") == f"2 {TIMES} Smock"
    assert page.text("#buy .line__detail") == "Small, green"
    assert page.text("#buy .price") == "£76.00"
    assert "You now have 3 in your cart." in page.text("#buy")
    links = [link.attributes["href"] for link in page.html.css("#buy a.btn")]
    assert links == [CART, "/barn/", SMOCK]
    assert await all_carts(session) == [(goods.small, 3)]


async def test_htmx_gets_the_result_in_the_forms_place(visitor: Visitor, session: AsyncSession, goods: Goods) -> None:
    await visitor.post(ADD_SMOCK, smock_form(goods.small), htmx=True)
    part = await visitor.post(ADD_SMOCK, smock_form(goods.small, "2"), htmx=True)

    assert part.status == 200
    assert not part.has("header")
    assert part.text("#buy #buy-title") == "Added to cart"
    assert part.text("#buy .line__title") == f"2 {TIMES} Smock"
    assert "You now have 3 in your cart." in part.text("#buy")
    assert part.html.css_first("#buy a.btn").attributes["href"] == CART
    assert part.attribute("#buy [hx-get='/cart-badge']", "hx-target") == "#cart-mini"
    assert await all_carts(session) == [(goods.small, 3)]


async def test_the_result_claims_no_more_than_the_cart_holds(ada: Visitor, goods: Goods) -> None:
    await ada.post(ADD_JAM, goods.jam_form)

    more = await ada.get(f"{JAM}added/?variant_id={goods.jam}&quantity=7")

    assert more.text("#buy .line__title") == f"1 {TIMES} Plum jam"


async def test_the_result_of_nothing_leads_back_to_the_product(
    ada: Visitor, goods: Goods, subtests: pytest.Subtests
) -> None:
    await ada.post(ADD_SMOCK, smock_form(goods.small))
    for query in (
        f"variant_id={goods.jam}&quantity=1",
        f"variant_id={goods.small}&quantity=1",
        f"variant_id={goods.jam}&quantity=0",
        "variant_id=x&quantity=1",
        "",
    ):
        with subtests.test(query=query):
            answer = await ada.get(f"{JAM}added/?{query}")

            assert (answer.status, answer.location) == (303, JAM)


async def test_the_address_of_a_refused_form_leads_back_to_the_product(visitor: Visitor, goods: Goods) -> None:
    answer = await visitor.get(ADD_JAM)
    elsewhere = await visitor.get("/%5Cevil.example/jam/add/")

    assert (answer.status, answer.location) == (303, JAM)
    assert elsewhere.location == "/%5Cevil.example/jam/"


# --- The short way in a list ---


async def test_a_lists_own_form_says_how_many_there_are_now(
    visitor: Visitor, session: AsyncSession, goods: Goods
) -> None:
    form = goods.jam_form | {"in_list": "yes"}
    await visitor.post(ADD_JAM, form, htmx=True)
    part = await visitor.post(ADD_JAM, form, htmx=True)

    assert part.status == 200
    assert not part.has("header, #buy")
    assert part.attribute("form", "action") == ADD_JAM
    assert part.text("form button") == "Add to cart Plum jam"
    assert part.text("form [role=status]") == "2 in your cart of Plum jam"
    assert part.attribute("form [role=status] a", "href") == CART
    assert part.has("form [hx-get='/cart-badge'][hx-target='#cart-mini']")
    assert await all_carts(session) == [(goods.jam, 2)]


async def test_without_script_a_lists_own_form_leads_to_the_result(visitor: Visitor, goods: Goods) -> None:
    answer = await visitor.post(ADD_JAM, goods.jam_form | {"in_list": "yes"})

    assert answer.location == f"{JAM}added/?variant_id={goods.jam}&quantity=1"


async def test_a_lists_own_form_says_what_is_wrong_in_its_place(
    visitor: Visitor, session: AsyncSession, goods: Goods
) -> None:
    await set_stock(session, goods.jam, 1)
    form = goods.jam_form | {"in_list": "yes"}
    await visitor.post(ADD_JAM, form, htmx=True)

    short = await visitor.post(ADD_JAM, form, htmx=True)
    await set_stock(session, goods.jam, 0)
    gone = await visitor.post(ADD_JAM, form, htmx=True)

    assert (short.status, gone.status) == (422, 422)
    assert short.text("form [role=alert]") == "Only 1 of Plum jam left. You have 1 in your cart already."
    assert gone.text("form [role=alert]") == "Plum jam is sold out."
    assert (short.has("button"), gone.has("button")) == (True, False)
    assert await all_carts(session) == [(goods.jam, 1)]


async def test_without_script_a_refused_form_of_a_list_is_the_products_own(visitor: Visitor, goods: Goods) -> None:
    answer = await visitor.post(ADD_JAM, {"variant_id": str(goods.jam), "quantity": "0", "in_list": "yes"})

    assert (answer.status, answer.text("h1")) == (422, "Plum jam")


# --- Refused ---

NUMBER = "Enter a whole number, such as 2."
ONE = "Enter at least 1."
MOST = "You can buy at most 99 of Smock, Small, green at once."
CHOOSE = "Choose which one you would like."
NOT_SOLD = "What you chose is not sold here any more. Please choose again."


@pytest.mark.parametrize("htmx", [False, True])
@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("0", ONE),
        ("000", ONE),
        ("-1", NUMBER),
        ("1.5", NUMBER),
        ("two", NUMBER),
        ("", NUMBER),
        (" ", NUMBER),
        ("\uff12", NUMBER),
        ("1\x00", NUMBER),
        ("<b>", NUMBER),
        ("100", MOST),
        ("1000000000", MOST),
        ("9" * 5000, MOST),
    ],
    ids=lambda value: repr(value)[:24],
)
async def test_a_number_that_cannot_be_is_refused_and_kept(
    visitor: Visitor, session: AsyncSession, goods: Goods, typed: str, words: str, htmx: bool
) -> None:
    answer = await visitor.post(ADD_SMOCK, smock_form(goods.small, typed), htmx=htmx)

    assert answer.status == 422
    assert answer.has("header") is not htmx
    assert answer.texts(".error-summary li") == [words]
    assert answer.attribute(".error-summary a", "href") == "#f-quantity"
    assert answer.text(".field__error") == words
    assert answer.attribute("#f-quantity", "value") == typed.replace("\x00", "\ufffd")
    assert answer.attribute("#f-quantity", "aria-invalid") == "true"
    assert answer.attribute("#buy [checked]", "value") == str(goods.small)
    assert await all_carts(session) == []


@pytest.mark.parametrize("htmx", [False, True])
async def test_a_variant_that_is_not_there_to_choose_is_refused_and_the_number_kept(
    visitor: Visitor, session: AsyncSession, goods: Goods, subtests: pytest.Subtests, htmx: bool
) -> None:
    named = {
        "": CHOOSE,
        " ": CHOOSE,
        str(goods.hidden): NOT_SOLD,
        str(goods.jam): NOT_SOLD,
        "999999": NOT_SOLD,
        "0": NOT_SOLD,
        "-1": NOT_SOLD,
        "x": NOT_SOLD,
        "9" * 5000: NOT_SOLD,
        "\x00": NOT_SOLD,
    }
    for variant, words in named.items():
        with subtests.test(variant=variant[:24]):
            answer = await visitor.post(ADD_SMOCK, smock_form(variant, "4"), htmx=htmx)

            assert answer.status == 422
            assert answer.texts(".error-summary li") == [words]
            assert answer.attribute(".error-summary a", "href") == f"#f-variant-{goods.small}"
            assert answer.attribute("#buy fieldset", "aria-describedby") == "f-variant-error"
            assert answer.text("#f-variant-error") == words
            assert answer.attribute("#f-quantity", "value") == "4"
            assert not answer.has("#buy [checked]")

    assert await all_carts(session) == []


async def test_a_form_without_anything_is_refused(visitor: Visitor, session: AsyncSession, goods: Goods) -> None:
    jam, smock = await visitor.post(ADD_JAM, {}), await visitor.post(ADD_SMOCK, {})

    assert (jam.status, smock.status) == (422, 422)
    assert jam.texts(".error-summary li") == ["The form did not arrive complete. Please try again."]
    assert smock.texts(".error-summary li") == [CHOOSE]
    assert await all_carts(session) == []


async def test_more_than_is_left_is_refused_and_what_is_in_the_cart_counts(
    ada: Visitor, session: AsyncSession, goods: Goods
) -> None:
    first = await ada.post(ADD_SMOCK, smock_form(goods.medium, "3"))
    await ada.post(ADD_SMOCK, smock_form(goods.medium, "1"))
    second = await ada.post(ADD_SMOCK, smock_form(goods.medium, "2"))

    assert (first.status, second.status) == (422, 422)
    assert first.texts(".error-summary li") == ["Only 2 of Smock, Medium, green left."]
    assert second.texts(".error-summary li") == [
        "Only 2 of Smock, Medium, green left. You have 1 in your cart already."
    ]
    assert await cart_of(session, ada) == {goods.medium: 1}


async def test_a_cart_holds_at_most_ninety_nine_of_one(ada: Visitor, session: AsyncSession, goods: Goods) -> None:
    assert (await ada.post(ADD_JAM, goods.jam_form | {"quantity": "99"})).status == 303

    answer = await ada.post(ADD_JAM, goods.jam_form)

    assert answer.texts(".error-summary li") == [
        "You can buy at most 99 of Plum jam at once. You have 99 in your cart already."
    ]
    assert await cart_of(session, ada) == {goods.jam: 99}


async def test_htmx_gets_the_very_form_of_the_page(visitor: Visitor, goods: Goods) -> None:
    body = smock_form(goods.small, "0")
    page, part = await visitor.post(ADD_SMOCK, body), await visitor.post(ADD_SMOCK, body, htmx=True)

    assert part.html.css_first("#buy").html == page.html.css_first("#buy").html


async def test_a_sold_out_kind_is_refused(visitor: Visitor, session: AsyncSession, goods: Goods) -> None:
    answer = await visitor.post(ADD_SMOCK, smock_form(goods.large))

    assert answer.status == 422
    assert answer.texts(".error-summary li") == ["Smock, Large, grey is sold out."]
    assert not answer.has("#buy [checked]")
    assert await all_carts(session) == []


async def test_what_sold_out_while_the_page_was_read_is_said_so(
    visitor: Visitor, session: AsyncSession, goods: Goods
) -> None:
    await visitor.get(JAM)
    await set_stock(session, goods.jam, 0)

    answer = await visitor.post(ADD_JAM, goods.jam_form)

    assert answer.status == 422
    assert answer.texts(".error-summary li") == ["Plum jam is sold out."]
    assert not answer.has("#buy form, #buy .error-summary a")


async def test_one_product_too_many_is_refused(ada: Visitor, session: AsyncSession, goods: Goods) -> None:
    cap = await make_product(session, goods.page_post_id, slug="cap", price=None)
    caps = [await make_variant(session, cap, size=str(number)) for number in range(101)]
    await session.commit()
    await fill_cart(session, ada, caps[:100])

    answer = await ada.post("/barn/cap/add/", smock_form(caps[100]))

    assert answer.status == 422
    assert answer.texts(".error-summary li") == [
        "A cart holds at most 100 different products. Please check out what you have first."
    ]
    assert not answer.has(".error-summary a, #buy .field__error")
    assert len(await cart_of(session, ada)) == 100


async def test_a_refusal_leaves_no_session_and_no_cookie(visitor: Visitor, session: AsyncSession, goods: Goods) -> None:
    early = await visitor.post(ADD_JAM, goods.jam_form | {"quantity": "0"})
    late = await visitor.post(ADD_SMOCK, smock_form(goods.large))

    assert (early.status, late.status) == (422, 422)
    assert "Set-Cookie" not in early.headers
    assert "Set-Cookie" not in late.headers
    assert await anonymous_sessions(session) == []


async def test_a_refusal_loses_nothing_of_the_cart(visitor: Visitor, session: AsyncSession, goods: Goods) -> None:
    await visitor.post(ADD_JAM, goods.jam_form | {"quantity": "5"})

    for typed in ("-3", "0", "100", "x"):
        assert (await visitor.post(ADD_JAM, goods.jam_form | {"quantity": typed})).status == 422

    assert await all_carts(session) == [(goods.jam, 5)]


@pytest.mark.parametrize("htmx", [False, True])
@pytest.mark.parametrize(
    "path", ["/barn/nothing/", "/barn/hidden/", "/barn/shy/", "/barn/flour/", "/chapel/candle/", "/nowhere/jam/"]
)
async def test_what_is_not_sold_there_is_not_found(
    visitor: Visitor, session: AsyncSession, goods: Goods, path: str, htmx: bool
) -> None:
    await make_product(session, goods.page_post_id, slug="hidden", published=False)
    shy = await make_product(session, goods.page_post_id, slug="shy", price=None)
    await make_variant(session, shy, published=False)
    await make_product(session, await make_page(session, slug="mill", has_market=True), slug="flour")
    await make_product(session, await make_page(session, slug="chapel"), slug="candle")
    await session.commit()

    answer = await visitor.post(f"{path}add/", goods.jam_form, htmx=htmx)

    assert answer.status == 404
    assert answer.headers.get("HX-Retarget") == ("#page-notice" if htmx else None)
    assert (await visitor.get(f"{path}added/?variant_id={goods.jam}&quantity=1")).status == 404
    assert await all_carts(session) == []


# --- Whose cart ---


async def test_nobody_elses_cart_is_touched(
    ada: Visitor, bob: Visitor, visitor: Visitor, session: AsyncSession, goods: Goods
) -> None:
    for who, quantity in ((ada, "1"), (bob, "2"), (visitor, "3")):
        await who.post(ADD_JAM, goods.jam_form | {"quantity": quantity})
    await bob.post(ADD_JAM, goods.jam_form | {"quantity": "4"})

    (session_id,) = await anonymous_sessions(session)
    assert await cart_of(session, ada) == {goods.jam: 1}
    assert await cart_of(session, bob) == {goods.jam: 6}
    assert await cart_of_session(session, session_id) == {goods.jam: 3}


async def test_nobody_elses_cart_is_shown(ada: Visitor, bob: Visitor, visitor: Visitor, goods: Goods) -> None:
    answer = await ada.post(ADD_JAM, goods.jam_form)

    for other in (bob, visitor):
        assert (await other.get(answer.location)).location == JAM


async def test_a_form_cannot_name_whose_cart_it_is_for(
    visitor: Visitor, ada: Visitor, session: AsyncSession, goods: Goods
) -> None:
    await visitor.post(ADD_JAM, goods.jam_form | {"user_id": str(ada.id)})

    assert await cart_of(session, ada) == {}


async def test_a_cookie_that_was_made_up_gets_a_cart_of_its_own(
    visitor: Visitor, session: AsyncSession, goods: Goods
) -> None:
    visitor.client.set_cookie("localhost", "maypole_session", "made-up")

    answer = await visitor.post(ADD_JAM, goods.jam_form)

    assert answer.status == 303
    (cookie,) = SimpleCookie(answer.headers["Set-Cookie"]).values()
    assert cookie.value != "made-up"
    assert len(await anonymous_sessions(session)) == 1


async def test_another_sites_form_adds_nothing(ada: Visitor, session: AsyncSession, goods: Goods) -> None:
    response = await ada.client.post(ADD_JAM, form=goods.jam_form, headers={"Origin": "https://evil.example"})

    assert response.status_code == 403
    assert await all_carts(session) == []


async def test_who_adds_too_often_is_asked_to_wait(ada: Visitor, bob: Visitor, goods: Goods) -> None:
    answers = [(await ada.post("/nowhere/jam/add/", {})).status for _ in range(60)]

    assert answers[:30] == [404] * 30
    assert 429 in answers  # one more is free every two seconds, and this may be a slow machine
    assert (await bob.post(ADD_JAM, goods.jam_form)).status == 303
    assert (await ada.get(JAM)).status == 200
