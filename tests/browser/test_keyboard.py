"""A purchase with the keyboard alone."""

from __future__ import annotations

import re

from playwright.async_api import expect

from tests.browser.conftest import PutOn
from tests.browser.records import ticket_states
from tests.browser.shop import Shop


async def test_tickets_can_be_bought_without_a_mouse(shop: Shop, put_on: PutOn, email: str) -> None:
    show = await put_on(Adult="12.50")
    await shop.sign_in(email)
    press = shop.page.keyboard.press

    await shop.open_entry(show)
    await shop.tab_to(shop.quantity("Adult"))
    await press("ControlOrMeta+a")
    await shop.page.keyboard.type("2")
    await shop.tab_to(shop.button("Buy tickets"))
    await press("Enter")
    await expect(shop.heading("Added to cart")).to_be_visible()

    await shop.tab_to(shop.link("Go to the cart"))
    await press("Enter")
    await shop.arrives("cart")
    await shop.tab_to(shop.button(re.compile("^Check out and pay £25.00")))
    await press("Space")
    await shop.arrives_at_payment()
    await shop.tab_to(shop.button("Pay £25.00"))
    await press("Enter")
    await expect(shop.heading("Payment successful")).to_be_visible()
    await shop.tab_to(shop.link("Back to the shop"))
    await press("Enter")
    await expect(shop.heading("Paid. Thank you!")).to_be_visible()
    assert await ticket_states(shop.site, email) == ["confirmed", "confirmed"]


async def test_the_first_press_of_tab_offers_to_skip_to_the_content(shop: Shop, put_on: PutOn) -> None:
    show = await put_on(Adult="12.50")
    await shop.open_entry(show)
    await shop.tab_to(shop.link("Skip to the content"), most=1)
    await shop.page.keyboard.press("Enter")
    await shop.tab_to(shop.main.get_by_role("link").first, most=1)


async def test_the_focus_stays_with_what_has_changed(shop: Shop, put_on: PutOn, email: str) -> None:
    show = await put_on(Adult="12.50", Child="5.00")
    await shop.sign_in(email)
    await shop.buy(show, Adult=1, Child=1)
    await shop.open_cart()

    await shop.tab_to(shop.cart_quantity(show, "Adult"))
    await shop.page.keyboard.type("2")
    await shop.page.keyboard.press("Enter")
    await expect(shop.page.locator("#grand-total")).to_have_text("£30.00")
    await expect(shop.cart_quantity(show, "Adult")).to_be_focused()

    await shop.tab_to(shop.button(re.compile("^Remove Child")))
    await shop.page.keyboard.press("Enter")
    await expect(shop.page.locator("#grand-total")).to_have_text("£25.00")
    await expect(shop.page.locator("#cart-panel")).to_be_focused()


async def test_a_refusal_is_brought_before_the_reader(shop: Shop, put_on: PutOn, email: str) -> None:
    shows = [await put_on(Adult="12.50") for _ in range(3)]
    await shop.sign_in(email)
    for show in shows:
        await shop.buy(show)
    await shop.open_cart()
    last = shop.page.get_by_role("button", name=re.compile("^Update")).last
    await last.scroll_into_view_if_needed()
    form = shop.page.locator("form:has(button[id^='update-'])").last
    await form.locator("[name=entry_id]").evaluate("field => { field.value = '999999999' }")  # it has gone meanwhile
    await last.click()
    notice = shop.main.locator(".notice--bad")
    await expect(notice).to_be_focused()
    await expect(notice).to_be_in_viewport()
