"""What somebody put in before they signed in joins their account: all of it, once, and nobody else's."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import pytest
from quart import Quart
from sqlalchemy import select

from cart.orders.buyer import Buyer
from cart.payments.settle import settle
from shared.contracts.owner import CartOwner
from shared.db.engine import Database
from shared.db.uow import unit_of_work
from shared.models import CartNotice, LoginSession, Mail, User
from shared.services.identity import ensure_user, start_session
from shared.settings import Settings
from shared.web.state import EXTENSION, AppState
from tests.factories.users import Client
from tests.support.mixed import (
    book,
    bookings_of,
    check_out,
    make_goods,
    make_hall,
    orders_of,
    payment_of,
    put,
    quantities_of,
    slots_held,
    stock_of,
    summary_of,
)
from tests.support.shop import Shop, open_shop

OURS = {"Origin": "http://localhost:8000", "Sec-Fetch-Site": "same-origin"}
ADA = "ada@maypole.example"


@dataclass(frozen=True, slots=True)
class Browser:
    """A browser that has a cart and no account."""

    client: Client
    buyer: Buyer


Enter = Callable[[], Awaitable[Browser]]
SignIn = Callable[..., Awaitable[Buyer]]


@pytest.fixture
def shop(database: Database, settings: Settings) -> Shop:
    return open_shop(database, settings)


@pytest.fixture
def enter(blog: Quart, shop: Shop) -> Enter:
    """Let somebody in who has no account."""
    state: AppState = blog.extensions[EXTENSION]

    async def enter() -> Browser:
        async with unit_of_work(shop.context.database) as uow:
            made = await start_session(uow.session, user_id=None, now=shop.clock(), days=30)
            await uow.commit()
        client = blog.test_client()
        client.set_cookie("localhost", str(state.auth.cookie_name), state.auth.dump_token(made.token, app=blog))
        return Browser(client, Buyer(CartOwner.of_session(made.id), email="guest@maypole.example"))

    return enter


@pytest.fixture
def sign_in(shop: Shop) -> SignIn:
    """Have a link mailed, and press its button in somebody's browser."""

    async def sign_in(browser: Browser, email: str = ADA) -> Buyer:
        await browser.client.post("/auth/sign-in", headers=OURS, form={"email": email, "next": ""})
        async with unit_of_work(shop.context.database) as uow:
            newest = select(Mail.text).where(Mail.recipient == email).order_by(Mail.id.desc()).limit(1)
            found = re.search(r"http://localhost:8000(/auth/link/\S+)", await uow.session.scalar(newest) or "")
        assert found is not None
        answer = await browser.client.post(found.group(1), headers=OURS)
        assert answer.status_code == 303
        return await buyer_of(shop, email)

    return sign_in


async def buyer_of(shop: Shop, email: str = ADA) -> Buyer:
    """Return the buyer that an account is."""
    async with unit_of_work(shop.context.database) as uow:
        user = await ensure_user(uow.session, email)
        await uow.commit()
    return Buyer.of_user(user.id)


async def test_products_add_up_to_what_one_may_have_at_the_most(shop: Shop, enter: Enter, sign_in: SignIn) -> None:
    jam, jelly, soap = [await make_goods(shop) for _ in range(3)]
    ada, browser = await buyer_of(shop), await enter()
    await put(shop, ada, jam, 60)
    await put(shop, ada, soap, 1)
    await put(shop, browser.buyer, jam, 60)
    await put(shop, browser.buyer, jelly, 2)

    assert await sign_in(browser) == ada

    assert await quantities_of(shop, ada) == {jam.variant_id: 99, jelly.variant_id: 2, soap.variant_id: 1}
    assert await quantities_of(shop, browser.buyer) == {}


async def test_signing_in_twice_is_the_same_as_once(shop: Shop, enter: Enter, sign_in: SignIn) -> None:
    jam, hall, browser = await make_goods(shop), await make_hall(shop), await enter()
    await put(shop, browser.buyer, jam, 2)
    await book(shop, browser.buyer, hall)

    ada = await sign_in(browser)
    once = await summary_of(shop, ada)
    assert await sign_in(browser) == ada

    assert await summary_of(shop, ada) == once
    assert (once.count, once.calendar_count) == (2, 1)


async def test_bookings_join_and_an_hour_of_a_whole_room_is_had_once(shop: Shop, enter: Enter, sign_in: SignIn) -> None:
    hall, workshop = await make_hall(shop), await make_hall(shop, whole_room=False, places=4)
    ada, browser = await buyer_of(shop), await enter()
    for buyer in (ada, browser.buyer):
        await book(shop, buyer, hall, 0)
        await book(shop, buyer, workshop, 0)
    await book(shop, browser.buyer, hall, 1)

    await sign_in(browser)

    joined = await bookings_of(shop, ada)
    starts = sorted((entry.calendar_slug, entry.start_at) for entry in joined)
    assert len(joined) == 4  # two hours of the hall, and two places of the workshop
    assert len(set(starts)) == 3
    assert all(entry.sale.is_open for entry in joined)
    assert await bookings_of(shop, browser.buyer) == []


async def test_an_order_that_waits_for_its_payment_becomes_the_users_and_one_that_is_paid_stays_the_guests(
    shop: Shop, enter: Enter, sign_in: SignIn
) -> None:
    jam, hall, browser = await make_goods(shop, stock=5), await make_hall(shop), await enter()
    await put(shop, browser.buyer, jam, 1)
    await check_out(shop, browser.buyer, jam.price)
    paid = await payment_of(shop, browser.buyer)
    shop.pay(paid)
    await settle(shop.context, paid.id)
    await book(shop, browser.buyer, hall)
    await check_out(shop, browser.buyer, hall.price)

    ada = await sign_in(browser)

    [order] = await orders_of(shop, ada)
    assert (order.state, order.total, (await summary_of(shop, ada)).open_orders) == ("pending", hall.price, 1)
    shop.clock.forward(minutes=31)
    await shop.work()
    assert [entry.start_at for entry in await bookings_of(shop, ada)] == [hall.hour(shop.clock())[0]]
    assert (await slots_held(shop, hall), await stock_of(shop, jam)) == (0, (1, 1))


async def test_what_was_not_told_yet_is_told_to_the_user(shop: Shop, enter: Enter, sign_in: SignIn) -> None:
    jam, browser = await make_goods(shop), await enter()
    await put(shop, browser.buyer, jam, 2)
    shop.clock.forward(days=31)
    await shop_sweep(shop)
    shop.clock.forward(days=-31)

    ada = await sign_in(browser)

    async with unit_of_work(shop.context.database) as uow:
        [notice] = await uow.session.scalars(select(CartNotice))
    assert (notice.user_id, notice.session_id, notice.quantity) == (ada.user_id, None, 2)


async def shop_sweep(shop: Shop) -> None:
    """Take out of the carts what has waited too long."""
    async with unit_of_work(shop.context.database) as uow:
        await shop.context.services.cart.drop_stale(uow.session, older_than=shop.clock())
        await uow.commit()


async def test_the_account_is_known_to_have_a_cart(shop: Shop, enter: Enter, sign_in: SignIn) -> None:
    jam, browser, other = await make_goods(shop), await enter(), await enter()
    await put(shop, browser.buyer, jam)
    await sign_in(browser)
    await sign_in(other, "bob@maypole.example")
    async with unit_of_work(shop.context.database) as uow:
        assert list(await uow.session.scalars(select(User.email).where(User.has_cart))) == [ADA]


async def test_the_next_person_at_the_same_browser_gets_nothing_of_it(
    shop: Shop, enter: Enter, sign_in: SignIn
) -> None:
    jam, browser = await make_goods(shop), await enter()
    await put(shop, browser.buyer, jam, 2)
    ada = await sign_in(browser)
    bob = await sign_in(browser, "bob@maypole.example")
    assert (await quantities_of(shop, ada), await quantities_of(shop, bob)) == ({jam.variant_id: 2}, {})
    async with unit_of_work(shop.context.database) as uow:
        assert list(await uow.session.scalars(select(LoginSession.user_id))) == [bob.user_id]


async def test_other_guests_keep_their_carts(shop: Shop, enter: Enter, sign_in: SignIn) -> None:
    jam, hall, browser, other = await make_goods(shop), await make_hall(shop), await enter(), await enter()
    await put(shop, other.buyer, jam, 3)
    await book(shop, other.buyer, hall)
    before = await summary_of(shop, other.buyer)
    ada = await sign_in(browser)
    assert await summary_of(shop, other.buyer) == before
    assert (await summary_of(shop, ada)).badge_count == 0
