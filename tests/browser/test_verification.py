"""The specification's "Verification": its eight points, in its order and words, through the pages of the running site."""

from __future__ import annotations

from playwright.async_api import expect

from shared.settings import APPS
from tests.browser.conftest import PutOn, Visit
from tests.browser.records import add_booking, entry_state, ticket_states
from tests.browser.shop import Shop


async def test_1_go_to_an_event_entry_with_tickets_configured(shop: Shop, put_on: PutOn, email: str) -> None:
    show = await put_on(price="12.50")
    await shop.open_entry(show)
    await expect(shop.main).to_contain_text("£12.50")
    assert await entry_state(shop.site, show) == "confirmed"
    await shop.sign_in(email)
    await shop.open_entry(show)
    await expect(shop.button("Buy tickets")).to_be_visible()


async def test_2_click_buy_tickets_while_not_logged_in_and_see_the_sign_in_prompt(shop: Shop, put_on: PutOn) -> None:
    show = await put_on(Adult="12.50")
    await shop.open_entry(show)
    await expect(shop.button("Buy tickets")).to_have_count(0)
    await shop.link("Sign in to buy tickets").click()
    await shop.arrives("blog", "/auth/sign-in")
    await expect(shop.heading("Sign in to buy tickets")).to_be_visible()


async def test_3_log_in_click_buy_tickets_and_the_ticket_is_pending(shop: Shop, put_on: PutOn, email: str) -> None:
    show = await put_on(Adult="12.50")
    await shop.sign_in(email)
    await shop.buy(show, Adult=2)
    await expect(shop.main).to_contain_text("If the event sells out before payment, you will be refunded.")
    assert await ticket_states(shop.site, email) == ["pending", "pending"]


async def test_4_navigate_to_cart_and_the_ticket_appears_alongside_any_bookings(
    shop: Shop, put_on: PutOn, email: str
) -> None:
    show = await put_on(Adult="12.50")
    await shop.sign_in(email)
    await add_booking(shop.site, show, email, name="Rehearsal room", cost="8.00")
    await shop.buy(show, Adult=2)
    await shop.open_cart()
    await expect(shop.heading("Bookings").locator("..")).to_contain_text("Rehearsal room")
    await expect(shop.heading("Tickets").locator("..")).to_contain_text(show.name)
    await expect(shop.page.locator("#grand-total")).to_have_text("£33.00")


async def test_5_proceed_to_checkout_and_the_sumup_payment_page_opens(shop: Shop, put_on: PutOn, email: str) -> None:
    show = await put_on(Adult="12.50")
    await shop.sign_in(email)
    await shop.buy(show, Adult=2)
    await shop.check_out()
    await expect(shop.heading("Pay £25.00")).to_be_visible()
    assert await ticket_states(shop.site, email) == ["reserved", "reserved"]


async def test_6_complete_payment_and_the_ticket_state_becomes_confirmed(shop: Shop, put_on: PutOn, email: str) -> None:
    show = await put_on(Adult="12.50")
    await shop.sign_in(email)
    await shop.buy(show, Adult=2)
    await shop.check_out()
    await shop.pay()
    await expect(shop.qr_codes).to_have_count(2)
    assert await ticket_states(shop.site, email) == ["confirmed", "confirmed"]


async def test_7_check_that_the_cart_mini_badge_shows_the_ticket_count(shop: Shop, put_on: PutOn, email: str) -> None:
    show = await put_on(Adult="12.50")
    await shop.sign_in(email)
    await expect(shop.badge_number).to_have_count(0)
    await shop.buy(show, Adult=3)
    for app in APPS:
        await shop.open(app)
        await expect(shop.badge_number, f"the badge of {app}").to_have_text("3")
        await expect(shop.badge, f"the badge of {app}").to_contain_text("3 tickets")


async def test_8_verify_that_the_availability_count_does_not_include_pending_tickets(
    visit: Visit, put_on: PutOn, email: str
) -> None:
    show = await put_on(Adult="12.50", capacity=9)
    buyer, reader = await visit(), await visit()
    await buyer.sign_in(email)
    await buyer.buy(show, Adult=2)
    await reader.open_entry(show)
    await expect(reader.main).to_contain_text("9 left")
    await buyer.check_out()
    await reader.open_entry(show)
    await expect(reader.main).to_contain_text("7 left")
