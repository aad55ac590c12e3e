"""Every page that a purchase leads over, held against axe's rules: on a phone and at a desk, light and dark."""

from __future__ import annotations

from typing import Any

import pytest
from axe_playwright_python.async_playwright import Axe  # type: ignore[import-untyped]
from playwright.async_api import expect

from shared.contracts.states import Role
from tests.browser.conftest import DESK, PHONE, PutOn, Visit
from tests.browser.records import add_waiting_booking, make_person
from tests.browser.shop import Shop
from tests.browser.village import make_village

RULES = {
    "resultTypes": ["violations"],
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
}
GRAVE = frozenset({"serious", "critical"})


class Auditor:
    """Looks at the page that somebody has before them, in both colour schemes."""

    def __init__(self, shop: Shop) -> None:
        self.shop = shop
        self.findings: list[str] = []
        self.pages = 0

    async def look(self, what: str) -> None:
        await self.shop.fits()
        for scheme in ("light", "dark"):
            await self.shop.page.emulate_media(color_scheme=scheme)
            found: list[dict[str, Any]] = (await Axe().run(self.shop.page, options=RULES)).response["violations"]
            self.findings += [
                f"{what}, {scheme}: {each['id']}: {node['target']}"
                for each in found
                if each["impact"] in GRAVE
                for node in each["nodes"]
            ]
        self.pages += 1

    async def open(self, what: str, app: str, path: str = "/") -> None:
        await self.shop.open(app, path)
        await self.look(what)


@pytest.mark.long
@pytest.mark.parametrize("width", [PHONE, pytest.param(DESK, marks=pytest.mark.long)])
async def test_axe_finds_nothing_serious_on_the_way_of_a_purchase(
    visit: Visit, put_on: PutOn, email: str, width: int
) -> None:
    show = await put_on(Adult="12.50", Child="0.00", capacity=9)
    shop = await visit(width=width)
    await make_person(shop.site, email, [Role.ADMIN])
    audit = Auditor(shop)

    await audit.open("the sign-in page", "blog", "/auth/sign-in")
    await audit.open("an event, signed out", "events", show.path)
    await shop.sign_in(email)
    await audit.open("an event", "events", show.path)
    await shop.buy(show, Adult=2, Child=1)
    await audit.look("added to the cart")
    await shop.open_cart()
    await audit.look("the cart")
    await shop.check_out()
    await shop.leave_payment()
    await audit.look("the return page, not paid")
    await shop.open_cart()
    await audit.look("the cart with an unpaid order")
    await shop.button("Continue to payment").click()
    await shop.pay()
    await audit.look("the return page, paid")
    await shop.link("Go to this order").click()
    await shop.arrives("cart", "/orders/")
    await audit.look("an order")
    await audit.open("my tickets", "events", "/tickets/")
    await audit.open("the refunds", "cart", "/admin/refunds/")

    assert audit.pages == 11
    assert not audit.findings, "\n".join(audit.findings)


@pytest.mark.parametrize("width", [PHONE, pytest.param(DESK, marks=pytest.mark.long)])
async def test_axe_finds_nothing_serious_on_the_admins_pages(visit: Visit, email: str, width: int) -> None:
    shop = await visit(width=width)
    await make_person(shop.site, email, [Role.ADMIN])
    entry_id, page_post_id = await add_waiting_booking(shop.site, email)
    await shop.sign_in(email)
    audit = Auditor(shop)

    await audit.open("the bookings that wait", "cart", "/admin/bookings/")
    await audit.open("one of them", "cart", f"/admin/bookings/{entry_id}/")
    await audit.open("the orders", "cart", "/admin/orders/")
    await shop.page.locator("tbody th a").first.click()
    await audit.look("the history of an order")
    await shop.link("Cancel without a refund…").click()
    await audit.look("the choice of what is to be cancelled")
    await shop.page.get_by_role("checkbox").check()
    await shop.button("Go on").click()
    await audit.look("the question whether to cancel it")
    await audit.open("the orders, asked for wrongly", "cart", "/admin/orders/?q=a&state=lost")
    await audit.open("the question whether to decline it", "cart", f"/admin/bookings/{entry_id}/decline/")
    await shop.button("Decline the booking").click()
    await audit.look("the queue after a decision")
    await audit.open("the refunds, with a debt", "cart", "/admin/refunds/")
    await audit.open("the accounts", "cart", "/admin/accounts/")
    await audit.open("a page's account", "cart", f"/admin/accounts/{page_post_id}/")
    await shop.page.get_by_label("Merchant code").fill("MFARM")
    await shop.page.get_by_label("Secret API key").fill("sup_sk_nobody")
    await shop.button("Check and save").click()
    await audit.look("a page's account, refused")

    assert audit.pages == 13
    assert not audit.findings, "\n".join(audit.findings)


async def test_axe_finds_nothing_serious_on_the_first_pages_of_the_apps(visit: Visit, put_on: PutOn) -> None:
    await put_on(Adult="12.50")
    audit = Auditor(await visit(width=PHONE))
    for app in ("blog", "market", "events", "cart"):
        await audit.open(f"the first page of {app}", app)
        await audit.open(f"a page that {app} does not have", app, "/no/such/page")
    assert not audit.findings, "\n".join(audit.findings)


@pytest.mark.long
@pytest.mark.parametrize("width", [360, 375, 412])
async def test_the_header_leaves_a_phone_to_the_page(visit: Visit, put_on: PutOn, email: str, width: int) -> None:
    show = await put_on(Adult="12.50")
    shop = await visit(width=width)
    await shop.sign_in(email)
    await shop.buy(show, Adult=12)
    await shop.open_entry(show)
    rows = await shop.page.evaluate(
        "new Set([...document.querySelectorAll('.site-header__row a')].map(a => Math.round(a.getBoundingClientRect().top / 9))).size"
    )
    assert rows == 2


@pytest.mark.parametrize("width", [PHONE, pytest.param(DESK, marks=pytest.mark.long)])
async def test_axe_finds_nothing_serious_on_the_way_of_a_guest(visit: Visit, email: str, width: int) -> None:
    shop, quick = await visit(width=width), await visit()
    village = await make_village(shop.site)
    audit = Auditor(shop)

    await audit.open("a shop", "market", f"/{village.tasting.page_slug}/")
    await audit.open("a product", "market", village.box.path)
    await shop.take(village.box.path, "Large", 2)
    await audit.look("a product, added")
    await audit.open("a month", "events", f"/calendars/{village.hours.slug}/book/")
    await audit.open("a day", "events", village.hours.path)
    await shop.book(village.hours.path, "09:00", "10:00")
    await audit.look("times, added")
    await quick.book(village.hours.path, "09:00")
    await quick.open_cart()
    await quick.check_out_as_guest("and pay £18.00", f"quick.{email}")
    await quick.arrives_at_payment()
    await shop.open_cart()
    await audit.look("a guest's cart, with a line that cannot be had")
    await shop.open("cart", f"/{village.tasting.page_slug}/")
    await audit.look("one page's part of it")
    await shop.check_out_as_guest("and pay £28.00", "nobody@nowhere")
    await expect(shop.page.locator(".field__error")).to_be_visible()
    await expect(shop.page.get_by_label("Your e-mail address")).to_have_value("nobody@nowhere")
    await audit.look("an address that is none")
    await shop.check_out_as_guest("and pay £28.00", email)
    await shop.arrives_at_payment()
    await shop.pay()
    await audit.look("a guest's return page")
    await shop.open_mail(email, "Your order ")
    await shop.main.locator("a[href*='/orders/guest/']").first.click()
    await shop.arrives("cart", "/orders/guest/")
    await audit.look("a guest's order")
    await shop.link("Receipt").click()
    await expect(shop.heading("Receipt")).to_be_visible()
    await audit.look("a receipt")

    assert audit.pages == 12
    assert not audit.findings, "\n".join(audit.findings)
