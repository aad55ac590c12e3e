"""Parts of the site that are killed or missing: nothing paid is lost, and the rest goes on."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import expect

from shared.settings import APPS
from tests.browser.conftest import PutOn
from tests.browser.records import notices_of, order_states, ticket_states
from tests.browser.shop import Shop
from tests.support.postgres import TestPostgres
from tests.support.sandbox import SandboxControl
from tests.support.site import Site, wait_until


@pytest.fixture
async def outage(site: Site) -> AsyncIterator[Site]:
    """Give the site to a test that kills parts of it; what is missing afterwards is started again."""
    yield site
    missing = [name for name in site.programs if not site.is_running(name)]
    if missing:
        await site.start(*missing)


async def test_a_payment_is_found_by_the_reconciler_alone_when_cart_app_redirect_and_webhook_are_lost(
    shop: Shop, put_on: PutOn, email: str, outage: Site, sandbox: SandboxControl
) -> None:
    show = await put_on(Adult="12.50")
    await shop.sign_in(email)
    await shop.buy(show, Adult=2)
    await shop.check_out()
    checkout_id = shop.checkout_id
    outage.kill("cart", "worker")  # the worker, too: or it would be done before the cart app is back
    await shop.press_pay()  # and the window stays here: nobody opens the return page

    async def notice_is_lost() -> bool:
        return [0] in [each["answers"] for each in await sandbox.webhooks() if each["checkout_id"] == checkout_id]

    await wait_until(notice_is_lost, "the provider's notice met no cart app")
    await outage.start("cart")
    assert await order_states(outage, email) == ["pending"]
    await outage.start("worker")

    async def it_is_paid() -> bool:
        return await order_states(outage, email) == ["paid"]

    await wait_until(it_is_paid, "the reconciler has found the payment")
    assert await ticket_states(outage, email) == ["confirmed", "confirmed"]
    assert await notices_of(outage, checkout_id) == 0
    await shop.open("events", "/tickets/")
    assert len(await shop.codes()) == 2


@pytest.mark.long
async def test_without_the_cart_app_the_others_show_their_pages_without_a_number(
    shop: Shop, put_on: PutOn, email: str, outage: Site
) -> None:
    show = await put_on(Adult="12.50")
    await shop.sign_in(email)
    await shop.buy(show, Adult=2)
    await shop.open_entry(show)
    await expect(shop.badge_number).to_have_text("2")
    outage.kill("cart")
    for app, path in (("blog", "/"), ("market", "/"), ("events", show.path), ("events", "/tickets/")):
        assert await shop.open(app, path) == 200, app
        await expect(shop.badge).to_be_visible()
        await expect(shop.badge_number).to_have_count(0)
    await shop.buy(show, Adult=1)

    await outage.start("cart")
    for app in ("blog", "market", "events"):
        await wait_until(lambda app=app: number_is_back(shop, app), f"{app} shows the number again")  # type: ignore[misc]


async def number_is_back(shop: Shop, app: str) -> bool:
    """Load the first page of an app and look for the number: it does not ask a cart app that has just failed."""
    await shop.open(app)
    return await shop.badge_number.is_visible()


@pytest.mark.parametrize("app", APPS)
async def test_an_address_that_does_not_exist_is_answered_with_a_page_and_a_request_id(shop: Shop, app: str) -> None:
    assert await shop.open(app, "/no/such/page") == 404
    await expect(shop.heading("Not found")).to_be_visible()
    await expect(shop.main.get_by_text(re.compile("quote request"))).to_be_visible()
    assert re.fullmatch(r"[0-9a-f]{32}", await shop.main.locator("code").inner_text())


async def test_a_crash_shows_its_request_id_and_nothing_else_of_itself(
    shop: Shop, postgres: TestPostgres, tmp_path: Path
) -> None:
    async with postgres.empty_database() as urls:
        broken = Site(urls, tmp_path)  # nobody has run the migrations there
        try:
            await broken.start("events")
            shop.watch.expect(500)
            assert await Shop(broken, shop.page, shop.watch).open("events", "/") == 500
            await expect(shop.heading("Something went wrong")).to_be_visible()
            request_id, shown = await shop.main.locator("code").inner_text(), await shop.page.content()
            await shop.page.close()  # first: it asks for the site's icon when all else is there
        finally:
            await broken.end()
    crashes = [line for line in broken.new_complaints() if '"event": "crash"' in line]
    assert [request_id in line and "calendar" in line for line in crashes] == [True]
    assert not re.search("Traceback|relation|calendar_entries|sqlalchemy", shown, re.IGNORECASE)
