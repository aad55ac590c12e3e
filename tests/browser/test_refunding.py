"""An admin refunds money: an answer that is lost, and who may not."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from playwright.async_api import Locator, expect
from sqlalchemy import select, update

from shared.contracts.states import Role
from shared.db.uow import unit_of_work
from shared.models import Calendar, Order, Payment, Refund, User
from shared.services.identity import ensure_user, grant_role
from tests.browser.conftest import PHONE, PutOn, Visit
from tests.browser.records import make_person, order_states
from tests.browser.shop import Shop, Show
from tests.support.sandbox import SandboxControl
from tests.support.site import Site, wait_until


async def test_a_refund_that_the_provider_leaves_unknown_is_told_as_that_and_found_later(
    visit: Visit, put_on: PutOn, email: str, sandbox: SandboxControl
) -> None:
    show = await put_on(Adult="12.50")
    ada, admin = await visit(), await visit(width=PHONE, javascript=False)
    await _buy_two(ada, show, email)
    await _sign_in_as(admin, f"admin.{email}")

    await _open_refund(admin, email)
    await admin.main.get_by_label("How much?").fill("5.00")
    await admin.button("Go on").click()
    before = len(await sandbox.calls("refund"))
    await sandbox.refund_next("pending")
    await sandbox.fail_next("refund", "cut_after")
    await admin.button("Give £5.00 back").click()
    await expect(admin.heading("Not known yet")).to_be_visible()
    await expect(admin.main).to_contain_text("Nothing is sent twice")
    await admin.fits()

    await admin.open("cart", "/admin/refunds/")
    await expect(_row(admin, email)).to_have_count(1)
    await expect(_row(admin, email).get_by_role("button", name=re.compile("^Refund"))).to_have_count(0)

    await sandbox.settle_refunds(await _transaction_of(ada.site, email), "REFUNDED")
    await _hurry(ada.site, email)

    async def it_is_settled() -> bool:
        return await order_states(ada.site, email) == ["partially_refunded"]

    await wait_until(it_is_settled, "the worker has looked the refund up")
    await admin.open("cart", "/admin/refunds/?state=settled")
    await expect(_row(admin, email)).to_contain_text("£5.00")
    assert len(await sandbox.calls("refund")) == before + 1


async def test_a_role_on_a_page_sees_its_orders_and_gives_back_what_it_may(
    visit: Visit, put_on: PutOn, email: str
) -> None:
    show, other = await put_on(Adult="12.50"), await put_on(Adult="9.00")
    ada, clerk = await visit(), await visit()
    await _buy_two(ada, show, email)
    await _grant(ada.site, f"clerk.{email}", Role.ORDERS, other)
    await clerk.sign_in(f"clerk.{email}")
    order_id = await _order_id(ada.site, email)

    await clerk.open("cart", "/admin/orders/")
    await expect(clerk.main.get_by_text(email)).to_have_count(0)
    assert await clerk.open("cart", f"/admin/orders/{order_id}/") == 404
    assert await clerk.open("cart", f"/admin/orders/{order_id}/refund/") == 403
    assert await clerk.open("cart", "/admin/refunds/") == 403

    await _grant(ada.site, f"clerk.{email}", Role.ORDERS, show)
    assert await clerk.open("cart", f"/admin/orders/{order_id}/") == 200
    await expect(_refund_link(clerk)).to_have_count(0)
    assert await clerk.open("cart", f"/admin/orders/{order_id}/refund/") == 403

    await _grant(ada.site, f"clerk.{email}", Role.REFUNDS, show)
    await clerk.open("cart", f"/admin/orders/{order_id}/")
    await _refund_link(clerk).click()
    await expect(clerk.main).to_contain_text("can still be refunded")


# --- ways and records ---


async def _buy_two(shop: Shop, show: Show, email: str) -> None:
    """Buy two tickets, and pay them."""
    await shop.sign_in(email)
    await shop.buy(show, Adult=2)
    await shop.check_out()
    await shop.pay()


async def _sign_in_as(admin: Shop, email: str) -> None:
    """Sign in as an admin."""
    await make_person(admin.site, email, [Role.ADMIN])
    await admin.sign_in(email)


async def _open_refund(admin: Shop, email: str) -> None:
    """Find somebody's order, and begin to refund it."""
    await admin.open("cart", "/admin/orders/")
    await admin.main.get_by_label("Search").fill(email)
    await admin.button("Search").click()
    await admin.main.get_by_role("row").filter(has_text=email).get_by_role("link").first.click()
    await expect(admin.main).to_contain_text(email)
    await _refund_link(admin).click()


def _refund_link(admin: Shop) -> Locator:
    return admin.main.get_by_role("link", name="Refund…", exact=True)


def _row(admin: Shop, email: str) -> Locator:
    """Return somebody's row in the queue."""
    return admin.main.get_by_role("row").filter(has_text=email)


async def _order_id(site: Site, email: str) -> int:
    async with unit_of_work(site.database) as uow:
        mine = select(Order.id).join(User, User.id == Order.user_id).where(User.email == email)
        return (await uow.session.scalars(mine)).one()


async def _transaction_of(site: Site, email: str) -> str:
    async with unit_of_work(site.database) as uow:
        mine = select(Payment.transaction_id).join(Payment.order).join(User, User.id == Order.user_id)
        return (await uow.session.scalars(mine.where(User.email == email))).one() or ""


async def _hurry(site: Site, email: str) -> None:
    """Let the worker look at somebody's refunds now, and not only when they are due."""
    async with unit_of_work(site.database) as uow:
        mine = select(Payment.id).join(Payment.order).join(User, User.id == Order.user_id).where(User.email == email)
        due = update(Refund).where(Refund.payment_id.in_(mine), Refund.next_check_at.is_not(None))
        await uow.session.execute(due.values(next_check_at=datetime.now(UTC)))
        await uow.commit()


async def _grant(site: Site, email: str, role: Role, show: Show) -> None:
    """Give a role on the page that puts on a show, as ``maypole user role`` does."""
    async with unit_of_work(site.database) as uow:
        page_post_id = await uow.session.scalar(select(Calendar.container_id).where(Calendar.id == show.calendar_id))
        user = await ensure_user(uow.session, email)
        await grant_role(uow.session, user.id, role, page_post_id=page_post_id)
        await uow.commit()
