"""Whole journeys: on a phone without script, at a desk with htmx, and those that do not go straight."""

from __future__ import annotations

import re

import pytest
from playwright.async_api import expect

from tests.browser.conftest import PHONE, PutOn, Visit
from tests.browser.records import order_states, ticket_states
from tests.browser.shop import Shop


async def test_the_whole_journey_on_a_phone_without_javascript(visit: Visit, put_on: PutOn, email: str) -> None:
    show = await put_on(Adult="12.50", Child="0.00")
    shop = await visit(width=PHONE, javascript=False)
    await shop.open_entry(show)
    await shop.link("Sign in to buy tickets").click()
    await shop.sign_in_here(email)
    await shop.arrives("events", show.path)
    await shop.buy(show, Adult=2, Child=1)
    await shop.check_out()
    await shop.pay()
    codes = await shop.codes()
    assert len(set(codes)) == 3

    await shop.link("Go to this order").click()
    await shop.arrives("cart", "/orders/")
    assert await shop.codes() == codes
    await shop.open("events", "/tickets/")
    assert sorted(await shop.codes()) == sorted(codes)
    await shop.link(re.compile(f"Show or print.*{codes[0]}")).click()
    await expect(shop.qr_codes).to_have_count(1)
    await shop.fits()


async def test_the_confirmation_mail_arrives_with_the_codes(shop: Shop, put_on: PutOn, email: str) -> None:
    show = await put_on(Adult="12.50")
    await shop.sign_in(email)
    await shop.buy(show, Adult=2)
    await shop.check_out()
    await shop.pay()
    codes = await shop.codes()
    assert len(codes) == 2
    await shop.open_mail(email, f"Your tickets for {show.name}")
    for code in codes:
        await expect(shop.main).to_contain_text(code)


async def test_at_a_desk_htmx_changes_the_page_without_loading_it_again(shop: Shop, put_on: PutOn, email: str) -> None:
    show = await put_on(Adult="12.50")
    await shop.sign_in(email)
    await shop.open_entry(show)
    await shop.page.evaluate("window.sameDocument = true")
    await shop.quantity("Adult").fill("3")
    await shop.button("Buy tickets").click()
    await expect(shop.heading("Added to cart")).to_be_visible()
    await expect(shop.badge_number).to_have_text("3")
    assert await shop.page.evaluate("window.sameDocument")

    await shop.open_cart()
    await shop.page.evaluate("window.sameDocument = true")
    await shop.cart_quantity(show, "Adult").fill("2")
    await shop.button(f"Update Adult, {show.name}").click()
    await expect(shop.page.locator("#grand-total")).to_have_text("£25.00")
    await expect(shop.badge_number).to_have_text("2")
    await shop.button(f"Remove Adult, {show.name}").click()
    await expect(shop.main).to_contain_text("Your cart is empty")
    await expect(shop.badge_number).to_have_count(0)
    assert await shop.page.evaluate("window.sameDocument")


async def test_a_refused_number_stands_on_the_form_with_its_reason(shop: Shop, put_on: PutOn, email: str) -> None:
    show = await put_on(Adult="12.50", max_per_order=4)
    await shop.sign_in(email)
    await shop.open_entry(show)
    await shop.quantity("Adult").evaluate("field => field.removeAttribute('max')")
    await shop.quantity("Adult").fill("5")
    await shop.button("Buy tickets").click()
    await expect(shop.page.get_by_role("alert")).to_be_focused()
    await expect(shop.quantity("Adult")).to_have_value("5")
    assert await ticket_states(shop.site, email) == []


@pytest.mark.parametrize("javascript", [True, False])
async def test_a_choice_made_when_signed_out_is_kept_through_the_sign_in(
    visit: Visit, put_on: PutOn, email: str, javascript: bool
) -> None:
    show = await put_on(Adult="12.50", Child="6.00")
    shop = await visit(javascript=javascript)
    await shop.sign_in(email)
    await shop.open_entry(show)
    await shop.page.context.clear_cookies()  # the sign-in runs out while the form is open
    await shop.quantity("Adult").fill("2")
    await shop.quantity("Child").fill("1")
    await shop.button("Buy tickets").click()
    await expect(shop.main).to_contain_text("Your choice is kept.")
    await expect(shop.main).to_contain_text("2 × Adult")  # noqa: RUF001 - as the page writes it

    await shop.link("Sign in to buy tickets").click()
    await shop.sign_in_here(email)
    await shop.arrives("events", show.path)
    await expect(shop.quantity("Adult")).to_have_value("2")
    await expect(shop.quantity("Child")).to_have_value("1")
    await shop.button("Buy tickets").click()
    await expect(shop.heading("Added to cart")).to_be_visible()
    assert await ticket_states(shop.site, email) == ["pending"] * 3


async def test_a_declined_payment_can_be_made_good(shop: Shop, put_on: PutOn, email: str) -> None:
    show = await put_on(Adult="12.50")
    await shop.sign_in(email)
    await shop.buy(show, Adult=1)
    await shop.check_out()
    await shop.decline()
    await shop.leave_payment()
    await expect(shop.heading("Not paid")).to_be_visible()
    await expect(shop.main).to_contain_text("nothing was charged")
    assert await ticket_states(shop.site, email) == ["reserved"]

    await shop.button("Continue to payment").click()
    await shop.arrives_at_payment()
    await shop.pay()
    assert await ticket_states(shop.site, email) == ["confirmed"]
    assert await order_states(shop.site, email) == ["paid"]


async def test_who_leaves_the_payment_finds_the_order_in_the_cart_and_goes_on_with_it(
    shop: Shop, put_on: PutOn, email: str
) -> None:
    show = await put_on(Adult="12.50")
    await shop.sign_in(email)
    await shop.buy(show, Adult=2)
    await shop.check_out()
    payment = shop.page.url
    await shop.leave_payment()
    await expect(shop.heading("No payment has reached us yet")).to_be_visible()
    await shop.open_cart()
    await expect(shop.heading("Waiting for your payment")).to_be_visible()
    await expect(shop.main).to_contain_text(re.compile(r"\d+:\d\d left"))
    await expect(shop.badge).to_contain_text("an order waits for its payment")

    await shop.button("Continue to payment").click()
    await shop.arrives_at_payment()
    assert shop.page.url == payment
    await shop.pay()
    await shop.open_cart()
    await expect(shop.main).to_contain_text("Your cart is empty")


async def test_an_unpaid_order_can_be_put_back_into_the_cart_and_then_no_longer_be_paid(
    shop: Shop, put_on: PutOn, email: str
) -> None:
    show = await put_on(Adult="12.50")
    await shop.sign_in(email)
    await shop.buy(show, Adult=2)
    await shop.check_out()
    payment = shop.page.url
    await shop.open("cart")
    await shop.button("Put back into the cart").click()
    await expect(shop.main).to_contain_text("What you ordered is back in your cart")
    await expect(shop.cart_quantity(show, "Adult")).to_have_value("2")
    assert await ticket_states(shop.site, email) == ["pending", "pending"]
    await shop.page.goto(payment)
    await expect(shop.heading("Payment closed")).to_be_visible()


async def test_the_back_button_and_a_second_press_make_no_second_order(shop: Shop, put_on: PutOn, email: str) -> None:
    show = await put_on(Adult="12.50")
    await shop.sign_in(email)
    await shop.buy(show, Adult=1)
    await shop.open_cart()
    await shop.button(re.compile("^Check out and pay")).dblclick()
    await shop.arrives_at_payment()
    payment = shop.page.url
    await shop.page.go_back()
    await shop.button(re.compile("^(Check out and pay|Continue to payment)")).click()
    await shop.arrives_at_payment()
    assert shop.page.url == payment
    assert await order_states(shop.site, email) == ["pending"]


async def test_sold_out_at_checkout_marks_the_line_and_says_what_is_left(
    visit: Visit, put_on: PutOn, email: str
) -> None:
    show = await put_on(Adult="12.50", capacity=3)
    slow, quick = await visit(width=PHONE), await visit()
    await slow.sign_in(email)
    await slow.buy(show, Adult=3)
    await quick.sign_in(f"quick.{email}")
    await quick.buy(show, Adult=2)
    await quick.check_out()

    await slow.press_check_out()
    await expect(slow.page.get_by_role("alert")).to_contain_text("Something is no longer available")
    await expect(slow.page.get_by_role("alert")).to_contain_text("Nothing was charged.")
    line = slow.main.get_by_role("listitem").filter(has=slow.link(show.name))
    await expect(line).to_contain_text("Only 1 left.")
    assert await ticket_states(slow.site, email) == ["pending"] * 3
    await slow.fits()

    await slow.cart_quantity(show, "Adult").fill("1")
    await slow.button(f"Update Adult, {show.name}").click()
    await expect(slow.page.locator("#grand-total")).to_have_text("£12.50")
    await slow.button(re.compile("^Check out and pay £12.50")).click()
    await slow.arrives_at_payment()


async def test_a_page_of_somebody_elses_order_is_not_found(visit: Visit, put_on: PutOn, email: str) -> None:
    show = await put_on(Adult="12.50")
    owner, stranger = await visit(), await visit()
    await owner.sign_in(email)
    await owner.buy(show, Adult=1)
    await owner.check_out()
    await owner.pay()
    await owner.link("Go to this order").click()
    await owner.arrives("cart", "/orders/")
    await stranger.sign_in(f"stranger.{email}")
    answer = await stranger.page.goto(owner.page.url)
    assert answer is not None
    assert answer.status == 404
