"""The account page."""

from __future__ import annotations

import pytest
from quart import Quart
from selectolax.lexbor import LexborHTMLParser as Html

from tests.factories.users import sign_in_client

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
    assert (await here.get("/account")).status_code == 303
    assert (await elsewhere.get("/account")).status_code == others
