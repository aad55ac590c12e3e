"""One cart for everything that pages sell: a product, hours of a hall and tickets of two pages, with an account or without."""

from __future__ import annotations

import re

import pytest
from playwright.async_api import expect

from tests.browser.conftest import DESK, PHONE, Visit
from tests.browser.records import order_states, ticket_states
from tests.browser.shop import Shop
from tests.browser.village import Village, make_village, raise_price
from tests.support.site import Site

with_and_without_javascript = pytest.mark.parametrize(
    ("javascript", "width"),
    [pytest.param(True, DESK, marks=pytest.mark.long), (False, PHONE)],
    ids=["javascript", "without-javascript"],
)


@pytest.fixture
async def village(site: Site) -> Village:
    return await make_village(site)


@with_and_without_javascript
async def test_one_cart_of_a_product_an_hour_and_tickets_of_two_pages_ends_in_two_orders(
    visit: Visit, village: Village, email: str, javascript: bool, width: int
) -> None:
    shop, quick = await visit(width=width, javascript=javascript), await visit()
    await shop.take(village.box.path, "Large", 2)
    await shop.book(village.hours.path, "10:00")
    await shop.sign_in(email)  # what was put in before comes along
    await shop.buy(village.concert, Adult=2)
    await shop.buy(village.tasting, Adult=1)
    await _take_it_away(quick, village, f"quick.{email}")

    await shop.open_cart()
    await expect(shop.badge_number).to_have_text("6")
    await expect(shop.page.locator("#grand-total")).to_have_text("£83.50")
    await expect(shop.line(village.box.title)).to_contain_text("Only 1 left.")
    await expect(shop.line("An hour of the hall")).to_contain_text("This time has been taken.")
    await shop.button(re.compile("^Take out what can.t be had$")).click()
    await expect(shop.main).to_contain_text("Please check the new total.")
    await expect(shop.page.locator("#grand-total")).to_have_text("£51.50")
    await shop.book(village.hours.path, "11:00")

    await shop.open_cart()
    await expect(shop.page.locator("#grand-total")).to_have_text("£69.50")
    await expect(shop.group(village.farm).locator(".totals")).to_contain_text("£26.50")
    await expect(shop.group(village.hall).locator(".totals")).to_contain_text("£43.00")
    await shop.check_out_page(village.farm)
    await shop.pay()
    await shop.open_cart()
    await shop.check_out()
    await shop.pay()
    await shop.open_cart()
    await expect(shop.main).to_contain_text("Your cart is empty")
    await expect(shop.badge_number).to_have_count(0)
    await _see_two_orders(shop, village)
    assert await order_states(shop.site, email) == ["paid", "paid"]
    assert await ticket_states(shop.site, email) == ["confirmed"] * 3


async def _take_it_away(quick: Shop, village: Village, email: str) -> None:
    """Somebody else orders the hour, and so many boxes that one is left; a guest needs no account for that."""
    await quick.take(village.box.path, "Large", 2)
    await quick.book(village.hours.path, "10:00")
    for what in (village.farm, "and pay £18.00"):
        await quick.open_cart()
        await quick.check_out_as_guest(what, email)
        await quick.arrives_at_payment()
        await quick.open("cart")


async def _see_two_orders(shop: Shop, village: Village) -> None:
    """Open both orders, the newest first: each has all that was paid for, and the tickets' codes."""
    await shop.open("cart", "/orders/")
    orders = shop.page.get_by_role("row").get_by_role("link")
    await expect(orders).to_have_count(2)
    await orders.nth(0).click()
    await shop.arrives("cart", "/orders/")
    await expect(shop.main).to_contain_text("An hour of the hall")
    await expect(shop.main).to_contain_text("11:00 to 12:00")
    assert len(await shop.codes()) == 2
    await expect(shop.main).to_contain_text(village.concert.name)
    await expect(shop.page.locator(".totals__grand").last).to_have_text("£43.00")

    await shop.page.go_back()
    await orders.nth(1).click()
    await shop.arrives("cart", "/orders/")
    await expect(shop.heading("Products").locator("..")).to_contain_text(f"1 × {village.box.title}")  # noqa: RUF001
    await expect(shop.main).to_contain_text("Collect at The apple store.")
    assert len(await shop.codes()) == 1
    await expect(shop.main).to_contain_text(village.tasting.name)
    await expect(shop.page.locator(".totals__grand").last).to_have_text("£26.50")


@with_and_without_javascript
async def test_a_guest_buys_products_and_hours_and_opens_the_orders_from_the_mail_alone(
    visit: Visit, village: Village, email: str, javascript: bool, width: int
) -> None:
    shop = await visit(width=width, javascript=javascript)
    await shop.take(village.box.path, "Large", 2)
    await shop.book(village.hours.path, "09:00", "10:00")
    await shop.open_cart()
    await raise_price(shop.site, village.box, village.box.large_price + 1)
    await shop.check_out_as_guest(village.farm, email)
    await expect(shop.page.get_by_role("alert")).to_contain_text("the total has changed")
    await expect(shop.line(village.box.title)).to_contain_text("The price has changed: it was £14.00.")
    await expect(shop.page.locator("#grand-total")).to_have_text("£30.00")
    await expect(shop.page.get_by_label("Your e-mail address")).to_have_value(email)
    await shop.button("Check out and pay £30.00").click()
    await shop.arrives_at_payment()
    await shop.pay()
    path = await _open_from_mail(shop, email, f"2 × {village.box.title}")  # noqa: RUF001
    await expect(shop.main).to_contain_text("Collect at The apple store.")
    await shop.link("Receipt").click()
    await expect(shop.heading("Receipt")).to_be_visible()
    await expect(shop.main).to_contain_text("Sold by Hollin Bank Farm")
    await expect(shop.page.locator(".totals__grand")).to_contain_text(["£30.00"])

    await shop.open_cart()
    await shop.check_out_as_guest("and pay £36.00", email)
    await shop.arrives_at_payment()
    await shop.pay()
    await _open_from_mail(shop, email, "09:00 to 10:00")
    await expect(shop.main).to_contain_text("10:00 to 11:00")
    await shop.open_cart()
    await expect(shop.main).to_contain_text("Your cart is empty")
    await _nothing_else_opens_it(shop, await visit(), path, email)


async def _open_from_mail(shop: Shop, email: str, what: str) -> str:
    """Open the order that the newest mail is about; return its address on the cart app."""
    await shop.open_mail(email, "Your order ")
    await shop.main.locator("a[href*='/orders/guest/']").first.click()
    await shop.arrives("cart", "/orders/guest/")
    await expect(shop.heading(re.compile("^Order "))).to_be_visible()
    await expect(shop.main).to_contain_text(what)
    return shop.page.url.removeprefix(shop.site.url("cart", ""))


async def _nothing_else_opens_it(guest: Shop, stranger: Shop, path: str, email: str) -> None:
    """Try every other way to an order: a token that is not quite it, the list of orders, and an account."""
    wrong = path[:-2] + ("A" if path[-2] != "A" else "B") + "/"
    for someone in (guest, stranger):
        assert await someone.open("cart", wrong) == 404
        await someone.open("cart", "/orders/")
        await someone.arrives("blog", "/auth/sign-in")
    await guest.sign_in(email)
    await guest.open("cart", "/orders/")
    await expect(guest.main).to_contain_text("You have no orders yet")


async def test_what_was_typed_beside_a_change_of_the_cart_is_used_and_not_lost(
    visit: Visit, village: Village, email: str
) -> None:
    shop = await visit()
    await shop.take(village.box.path, "Large", 1)
    await shop.open_cart()
    number, total = shop.line(village.box.title).get_by_label("How many"), shop.page.locator("#grand-total")
    address = shop.page.get_by_label("Your e-mail address")
    await address.fill(email)
    await number.fill("100")
    for _ in range(2):  # a number that is refused is held back as often as one tries
        await shop.button(re.compile("^Check out and pay £14.00")).click()
        await expect(number).to_be_focused()
        await expect(shop.line(village.box.title).locator(".field__error")).to_be_visible()
        await expect(total).to_have_text("£14.00")
    await expect(shop.main).not_to_contain_text("Please look at the new total")
    await expect(address).to_have_value(email)

    await number.fill("2")
    await shop.button(re.compile("^Check out and pay £14.00")).click()
    await expect(total).to_have_text("£28.00")
    await expect(shop.main).to_contain_text("Please look at the new total")
    await expect(address).to_have_value(email)
    await shop.button(re.compile("^Check out and pay £28.00")).click()
    await shop.arrives_at_payment()
