"""Money that comes too late: it becomes a debt, the buyer is told, and an admin gives it back with one button."""

from __future__ import annotations

import re

from playwright.async_api import expect

from shared.contracts.states import Role
from tests.browser.conftest import PutOn, Visit
from tests.browser.records import make_person, order_states, ticket_states
from tests.support.sandbox import SandboxControl
from tests.support.site import wait_until


async def test_a_payment_after_the_last_seat_has_gone_is_refunded_with_one_button(
    visit: Visit, put_on: PutOn, email: str, sandbox: SandboxControl
) -> None:
    show = await put_on(Adult="12.50", capacity=1)
    late, quick, admin = await visit(), await visit(), await visit()
    await late.sign_in(email)
    await late.buy(show, Adult=1)
    await late.check_out()
    checkout_id = late.checkout_id
    await late.open("cart")
    await late.button("Put back into the cart").click()
    await expect(late.main).to_contain_text("What you ordered is back in your cart")
    await quick.sign_in(f"quick.{email}")
    await quick.buy(show, Adult=1)
    await quick.check_out()
    await quick.pay()

    await sandbox.pay(checkout_id, force=True)  # it was under way when the order was closed

    async def it_is_owed() -> bool:
        return await ticket_states(late.site, email) == ["oversold"]

    await wait_until(it_is_owed, "the late payment is a debt")
    await late.open("cart", "/orders/")
    await late.main.get_by_role("rowheader").get_by_role("link").click()
    await expect(late.main).to_contain_text("You get money back")
    await expect(late.main).to_contain_text("£12.50: sold out")
    await late.open_mail(email, "About your order")

    await make_person(admin.site, f"admin.{email}", [Role.ADMIN])
    await admin.sign_in(f"admin.{email}")
    await admin.open("cart", "/admin/refunds/")
    row = admin.main.get_by_role("row").filter(has_text=email)
    await expect(row).to_contain_text("Sold out")
    await row.get_by_role("button", name=re.compile("^Refund £12.50")).click()
    await expect(admin.main).to_contain_text("The money is on its way back to the buyer.")
    await expect(row).to_have_count(0)
    await admin.link("Settled").click()
    await expect(row).to_contain_text("Refunded")

    (paid,) = [each for each in await sandbox.checkouts() if each["id"] == checkout_id]
    assert await ticket_states(late.site, email) == ["refunded"]
    assert await order_states(late.site, email) == ["refunded"]
    assert [attempt["movements"][0]["amount"] for attempt in paid["attempts"]] == ["12.50"]
    await late.page.reload()
    await late.open("cart", "/orders/")
    await expect(late.main).to_contain_text("Refunded")


async def test_one_of_two_tickets_is_refunded_and_its_seat_is_for_sale_again(
    visit: Visit, put_on: PutOn, email: str
) -> None:
    show = await put_on(Adult="12.50", capacity=2)
    shopper, admin, next_one = await visit(), await visit(), await visit()
    await shopper.sign_in(email)
    await shopper.buy(show, Adult=2)
    await shopper.check_out()
    await shopper.pay()

    await make_person(admin.site, f"admin.{email}", [Role.ADMIN])
    await admin.sign_in(f"admin.{email}")
    await admin.open("cart", f"/admin/orders/?q={email}")
    await admin.main.get_by_role("rowheader").get_by_role("link").click()
    await admin.page.get_by_role("link", name="Refund…", exact=True).click()
    await admin.main.get_by_role("checkbox", name=re.compile(show.name)).first.check()
    await admin.main.get_by_label("Also take back what was bought").check()
    await admin.button("Go on").click()
    await expect(admin.heading("Give £12.50 back?")).to_be_visible()
    await expect(admin.main).to_contain_text("Others can have this again")
    await admin.fits()
    assert await ticket_states(shopper.site, email) == ["confirmed", "confirmed"]
    await admin.button("Give £12.50 back and cancel").click()
    await expect(admin.heading("£12.50 went back")).to_be_visible()
    await admin.fits()

    assert sorted(await ticket_states(shopper.site, email)) == ["cancelled", "confirmed"]
    assert await order_states(shopper.site, email) == ["partially_refunded"]
    await shopper.open_mail(email, "You get £12.50 back")
    await next_one.sign_in(f"next.{email}")
    await next_one.buy(show, Adult=1)
    await next_one.check_out()


async def test_the_refunds_are_for_admins_alone(visit: Visit, email: str) -> None:
    shopper = await visit()
    await shopper.sign_in(email)
    assert await shopper.open("cart", "/admin/refunds/") == 403
