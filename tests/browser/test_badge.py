"""The cart in the header while its number is fetched: it can be pressed, keeps the focus, and says what it shows."""

from __future__ import annotations

import asyncio
import re

from playwright.async_api import Route, expect

from tests.browser.conftest import PutOn
from tests.browser.shop import Shop

A_WHILE_MS = 20_000


async def buy_and_hold_the_badge_back(
    shop: Shop, put_on: PutOn, email: str, answer: str | None = None
) -> asyncio.Event:
    """Put two tickets into the cart; the badge is fetched anew, or is ``answer``, once the event is set."""
    is_released = asyncio.Event()

    async def hold(route: Route) -> None:
        await is_released.wait()
        if answer is None:
            await route.continue_()
        else:
            await route.fulfill(body=answer, content_type="text/html")

    show = await put_on(Adult="12.50")
    await shop.sign_in(email)
    await shop.page.route("**/cart-badge", hold)
    await shop.buy(show, Adult=2)
    return is_released


async def test_a_press_that_meets_the_new_number_leads_to_the_cart(shop: Shop, put_on: PutOn, email: str) -> None:
    # The answer has the form of the header's badge; it is made up so that a busy machine cannot keep the number back.
    answer = '<a id="cart-mini" href="/"><span>Cart</span><span class="cart-badge__count">2</span></a>'
    is_released = await buy_and_hold_the_badge_back(shop, put_on, email, answer)
    await shop.badge.get_by_text("Cart", exact=True).evaluate("label => label.scrollIntoView()")
    box = await shop.badge.get_by_text("Cart", exact=True).bounding_box()
    assert box is not None
    await shop.page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    await shop.page.mouse.down()
    is_released.set()
    await expect(shop.badge_number).to_have_text("2")
    await shop.page.mouse.up()
    await shop.arrives("cart")


async def test_the_focus_stays_on_the_badge_and_a_screen_reader_hears_the_new_number(
    shop: Shop, put_on: PutOn, email: str
) -> None:
    is_released = await buy_and_hold_the_badge_back(shop, put_on, email)
    await shop.badge.focus()
    is_released.set()
    await expect(shop.badge_number).to_have_text("2", timeout=A_WHILE_MS)
    await expect(shop.badge).to_be_focused()
    await expect(shop.badge).to_have_accessible_name(re.compile(r"^Cart\s*: 2 tickets"))
    await shop.page.keyboard.press("Enter")
    await shop.arrives("cart")
