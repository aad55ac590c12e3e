"""One shopper in several tabs (MONEY.md, promise 5), and the same race without the owner's lock."""

from __future__ import annotations

import asyncio

from cart.bp.cart.services import settle
from tests.support.shop import Shop


async def test_ten_presses_of_the_button_make_one_order_and_one_checkout(shop: Shop) -> None:
    show, ada = await shop.show(), await shop.shopper()
    await shop.add(ada, show, 2)
    urls = await asyncio.gather(*(shop.check_out(ada, "25.00") for _ in range(10)))
    assert (len(await shop.orders(ada)), len(await shop.payments(ada)), len(set(urls))) == (1, 1, 1)


async def test_two_tabs_never_put_more_into_the_cart_than_is_allowed(shop: Shop) -> None:
    show, ada = await shop.show(max_per_order=3), await shop.shopper()
    await asyncio.gather(*(shop.add(ada, show) for _ in range(10)), return_exceptions=True)
    assert await shop.tickets(ada) == ["pending"] * 3


async def test_crossing_carts_do_not_deadlock(shop: Shop) -> None:
    first, second = await shop.show(capacity=40), await shop.show(capacity=40)
    people = [await shop.shopper() for _ in range(16)]
    for number, person in enumerate(people):
        for show in (first, second) if number % 2 else (second, first):
            await shop.add(person, show)
    results = await asyncio.gather(*(shop.check_out(person, "25.00") for person in people), return_exceptions=True)
    assert [result for result in results if isinstance(result, BaseException)] == []
    assert (await shop.held(first), await shop.held(second)) == ((16, 16, 16), (16, 16, 16))


async def test_everybody_settles_at_once_and_it_happens_once(shop: Shop) -> None:
    show, ada = await shop.show(), await shop.shopper()
    payment = await shop.buy(ada, show, 2)
    shop.pay(payment)
    await asyncio.gather(*(settle(shop.till, payment.id) for _ in range(30)), *(shop.work() for _ in range(5)))
    assert await shop.tickets(ada) == ["confirmed", "confirmed"]
    assert ((await shop.journal("order")).count("paid"), (await shop.journal("payment")).count("paid")) == (1, 1)


async def test_paying_and_putting_back_at_once_ends_in_one_of_the_two(shop: Shop) -> None:
    show, ada = await shop.show(capacity=1), await shop.shopper()
    payment = await shop.buy(ada, show)
    shop.pay(payment)
    shop.clock.forward(minutes=31)
    await asyncio.gather(settle(shop.till, payment.id), shop.work(), shop.work())
    assert await shop.tickets(ada) == ["confirmed"]
    assert await shop.held(show) == (1, 1, 1)
