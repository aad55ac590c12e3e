"""The account page."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from quart import Quart
from quart.typing import TestClientProtocol as Client
from selectolax.lexbor import LexborHTMLParser as Html
from sqlalchemy.ext.asyncio import AsyncSession

from blog.app import create_app
from shared.contracts.owner import CartOwner
from shared.services.wiring import sql_services
from shared.settings import Settings
from shared.web.state import EXTENSION, AppState, utc_now
from tests.factories.blog import make_page
from tests.factories.market import make_product, make_variant
from tests.factories.users import sign_in_client
from tests.support.internal_api import PATIENT_MS
from tests.support.neighbours import no_apps, real_apps

OURS = {"Origin": "http://localhost:8000"}


async def test_a_stranger_is_sent_to_sign_in(blog: Quart) -> None:
    response = await blog.test_client().get("/account")
    assert response.headers["Location"].endswith("/auth/sign-in?next=http%3A%2F%2Flocalhost%3A8000%2Faccount")


async def test_the_account_leads_to_orders_and_tickets_and_is_not_kept(blog: Quart) -> None:
    client = blog.test_client()
    await sign_in_client(client, name="Ada")
    response = await client.get("/account")
    page = Html(await response.get_data())

    links = {link.attributes["href"] for link in page.css("main a")}
    assert {"http://localhost:8003/tickets/", "http://localhost:8002/orders/"} <= links
    assert page.css_first("#f-name").attributes["value"] == "Ada"
    assert response.headers["Cache-Control"] == "no-store"


async def test_a_name_is_kept(blog: Quart) -> None:
    client = blog.test_client()
    await sign_in_client(client)
    response = await client.post("/account", headers=OURS, form={"name": "  Ada   <b>Lovelace</b> "})

    assert response.status_code == 303
    page = Html(await (await client.get(response.headers["Location"])).get_data())
    assert page.css_first("#f-name").attributes["value"] == "Ada <b>Lovelace</b>"
    assert page.css_first("main [role=status]") is not None


@pytest.mark.parametrize("typed", ["a" * 101, "Ada\x07", "Ada\u202e"])
async def test_a_name_that_cannot_be_used_is_told_and_kept(blog: Quart, typed: str) -> None:
    client = blog.test_client()
    await sign_in_client(client, name="Ada")
    response = await client.post("/account", headers=OURS, form={"name": typed})

    assert response.status_code == 422
    assert Html(await response.get_data()).css_first("#f-name").attributes["value"] == typed
    page = Html(await (await client.get("/account")).get_data())
    assert page.css_first("#f-name").attributes["value"] == "Ada"


@pytest.mark.parametrize(("form", "others"), [({}, 200), ({"everywhere": "yes"}, 303)])
async def test_signing_out_is_for_this_browser_or_for_all(blog: Quart, form: dict[str, str], others: int) -> None:
    here, elsewhere = blog.test_client(), blog.test_client()
    for client in (here, elsewhere):
        await sign_in_client(client, email="ada@maypole.example")
    response = await here.post("/auth/sign-out", headers=OURS, form=form)

    assert (response.status_code, response.headers["Location"]) == (303, "/")
    assert response.headers["Clear-Site-Data"] == '"cache", "storage"'
    assert (await here.get("/account")).status_code == 303
    assert (await elsewhere.get("/account")).status_code == others


@pytest.fixture
async def beside_the_cart(settings: Settings, database_url: str) -> AsyncIterator[Quart]:
    """Give the blog app, and the cart app that it asks."""
    app = create_app(settings.model_copy(update={"internal_timeout_ms": PATIENT_MS}))
    async with real_apps(settings, "cart") as http, app.test_app():
        state: AppState = app.extensions[EXTENSION]
        state.http = http
        yield app


async def shopper_with_smocks(app: Quart, session: AsyncSession, settings: Settings) -> Client:
    """Sign somebody in, with a smock in the cart."""
    smock = await make_product(session, await make_page(session, has_market=True), title="Smock", price=None)
    small = await make_variant(session, smock, price="38.00", size="Small", stock=1)
    client = app.test_client()
    user = await sign_in_client(client)
    cart = sql_services(settings, utc_now).cart
    await cart.change_item(session, CartOwner.of_user(user.id), variant_id=small, quantity=1, more=True)
    await session.commit()
    return client


async def cart_on(client: Client) -> str | None:
    """Return what the account says of the cart; None where it says nothing of one."""
    response = await client.get("/account")
    assert response.status_code == 200
    card = Html(await response.get_data()).css_first("section[aria-labelledby=in-cart]")
    return None if card is None else " ".join(card.text().split())


async def test_the_account_shows_what_is_in_the_cart(
    beside_the_cart: Quart, session: AsyncSession, settings: Settings
) -> None:
    client = await shopper_with_smocks(beside_the_cart, session, settings)
    said = await cart_on(client) or ""
    assert said.startswith("In your cart 1 ")
    assert said.endswith(" Smock Small £38.00 Open the cart")
    refused = Html(await (await client.post("/account", headers=OURS, form={"name": "a" * 101})).get_data())
    assert "Smock Small £38.00" in " ".join(refused.css_first("main").text().split())


async def test_an_account_without_a_cart_says_nothing_of_one(beside_the_cart: Quart) -> None:
    client = beside_the_cart.test_client()
    await sign_in_client(client)
    assert await cart_on(client) is None


async def test_while_the_cart_app_is_down_the_account_says_so(
    blog: Quart, session: AsyncSession, settings: Settings
) -> None:
    client = await shopper_with_smocks(blog, session, settings)
    async with no_apps() as http:
        state: AppState = blog.extensions[EXTENSION]
        state.http = http
        assert (await cart_on(client) or "").startswith("In your cart What is in your cart cannot be shown just now.")


async def test_somebody_sees_where_they_are_signed_in_and_ends_one_of_them(blog: Quart) -> None:
    here, elsewhere, stranger = (blog.test_client() for _ in range(3))
    for client in (here, elsewhere):
        await sign_in_client(client, email="ada@maypole.example")
    await sign_in_client(stranger, email="eve@maypole.example")

    page = Html(await (await here.get("/account")).get_data())
    forms = [form.attributes["action"] for form in page.css("[aria-labelledby=devices] form")]
    assert len(forms) == 2
    assert [tag.text() for tag in page.css("[aria-labelledby=devices] .tag")] == ["This browser"]
    other = next(form for form in forms if form and not _is_of(page, form))
    assert (await stranger.post(other, headers=OURS)).status_code == 303  # none of theirs: nothing happens
    assert (await elsewhere.get("/account")).status_code == 200

    assert (await here.post(other, headers=OURS)).headers["Location"] == "/account?ended=yes"
    assert [(await client.get("/account")).status_code for client in (here, elsewhere)] == [200, 303]


def _is_of(page: Html, action: str) -> bool:
    """Tell whether a row's form is that of the browser that asks."""
    row = next(row for row in page.css("[aria-labelledby=devices] li") if action in (row.html or ""))
    return "This browser" in row.text()


async def test_ending_ones_own_session_is_signing_out(blog: Quart) -> None:
    client = blog.test_client()
    await sign_in_client(client)
    page = Html(await (await client.get("/account")).get_data())
    [form] = page.css("[aria-labelledby=devices] form")
    response = await client.post(str(form.attributes["action"]), headers=OURS)
    assert (response.headers["Location"], response.headers["Clear-Site-Data"]) == ("/", '"cache", "storage"')
    assert (await client.get("/account")).status_code == 303
