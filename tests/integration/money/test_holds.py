"""How long an unpaid order holds its things, and how many orders may wait at once."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from cart.orders.buyer import Buyer
from cart.orders.holds import HeldTooOften, TooManyUnpaid
from cart.payments.fence import PutBackOutcome, put_back
from shared.contracts.errors import AuthFailed, Unavailable
from shared.contracts.states import OrderState
from shared.models import Order
from tests.support.mixed import check_out, make_goods, make_guest, put
from tests.support.shop import Shop, Show


async def _put_newest_back(shop: Shop, who: int) -> None:
    order = (await shop.orders(who))[-1]
    assert await put_back(shop.context, Buyer.of_user(who), order_id=order.id) is PutBackOutcome.RELEASED


def _minutes(order: Order) -> float:
    return (order.expires_at - order.created_at) / timedelta(minutes=1)


async def _again(shop: Shop, who: int, show: Show) -> float:
    await _put_newest_back(shop, who)
    await shop.check_out(who, show.cost)
    return _minutes((await shop.orders(who))[-1])


# --- for how long ---


async def test_what_was_put_back_is_held_for_a_shorter_time_and_then_waits(shop: Shop, ada: int, show: Show) -> None:
    await shop.buy(ada, show)
    first = _minutes((await shop.orders(ada))[0])
    assert [first, await _again(shop, ada, show), await _again(shop, ada, show)] == [30, 10, 5]

    with pytest.raises(HeldTooOften, match="3 times within a day"):
        await _again(shop, ada, show)
    assert await shop.tickets(ada) == ["pending"]

    shop.clock.forward(days=1)
    await shop.check_out(ada, show.cost)
    assert _minutes((await shop.orders(ada))[-1]) == 30


async def test_letting_an_order_lapse_counts_as_putting_it_back(shop: Shop, ada: int, show: Show) -> None:
    await shop.buy(ada, show)
    shop.clock.forward(minutes=31)
    await shop.work(2)
    assert [order.state for order in await shop.orders(ada)] == [OrderState.EXPIRED]
    await shop.check_out(ada, show.cost)
    assert _minutes((await shop.orders(ada))[-1]) == 10


async def test_other_things_and_other_people_are_held_as_long_as_ever(shop: Shop, ada: int, show: Show) -> None:
    await shop.buy(ada, show)
    await _put_newest_back(shop, ada)
    bob = await shop.shopper()
    await shop.buy(bob, show)
    assert _minutes((await shop.orders(bob))[0]) == 30

    other = await shop.show()
    await shop.buy(bob, other)
    assert _minutes((await shop.orders(bob))[-1]) == 30


async def test_what_was_paid_for_does_not_count(shop: Shop, ada: int) -> None:
    show = await shop.show()
    for _ in range(4):
        await shop.buy_and_pay(ada, show)
    assert {_minutes(order) for order in await shop.orders(ada)} == {30}


async def test_a_failure_of_the_provider_does_not_count(shop: Shop, ada: int, show: Show) -> None:
    await shop.add(ada, show)
    for _ in range(4):
        shop.gateway.fail_next(AuthFailed("no such key"), "create")
        with pytest.raises(Unavailable):
            await shop.check_out(ada, show.cost)
    await shop.check_out(ada, show.cost)
    assert _minutes((await shop.orders(ada))[-1]) == 30


async def test_without_the_setting_nothing_is_shortened(shop: Shop, ada: int, show: Show) -> None:
    settings = shop.context.settings.model_copy(update={"hold_again_minutes": ()})
    patient = replace(shop, context=replace(shop.context, settings=settings))
    await patient.buy(ada, show)
    assert [await _again(patient, ada, show) for _ in range(4)] == [30] * 4


# --- how many at once ---


async def test_a_third_unpaid_order_is_refused_and_changes_nothing(shop: Shop, ada: int) -> None:
    shows = [await shop.show() for _ in range(3)]
    for each in shows[:2]:
        await shop.buy(ada, each)
    await shop.add(ada, shows[2])
    with pytest.raises(TooManyUnpaid, match="pay one of them first"):
        await shop.check_out(ada, shows[2].cost)
    assert await shop.tickets(ada) == ["reserved", "reserved", "pending"]

    await _put_newest_back(shop, ada)
    await shop.check_out(ada, shows[2].cost * 2)
    assert len([order for order in await shop.orders(ada) if order.state is OrderState.PENDING]) == 2


async def test_a_second_press_of_the_button_still_finds_its_order(shop: Shop, ada: int) -> None:
    shows = [await shop.show() for _ in range(2)]
    await shop.buy(ada, shows[0])
    await shop.add(ada, shows[1])
    assert await shop.check_out(ada, shows[1].cost) == await shop.check_out(ada, shows[1].cost)


async def test_free_orders_hold_nothing_unpaid(shop: Shop, ada: int) -> None:
    for _ in range(3):
        await _order_free(shop, ada)
    assert [order.state for order in await shop.orders(ada)] == [OrderState.PAID] * 3


async def _order_free(shop: Shop, who: int) -> None:
    show = await shop.show(cost="0.00")
    await shop.add(who, show)
    await shop.check_out(who, "0.00")


async def test_a_guest_is_one_buyer_in_many_browsers(shop: Shop) -> None:
    goods = await make_goods(shop)

    async def order(email: str) -> bool:
        guest = replace(await make_guest(shop), email=email)
        await put(shop, guest, goods)
        try:
            await check_out(shop, guest, goods.price)
        except TooManyUnpaid:
            return False
        return True

    assert sum(await asyncio.gather(*(order("eve@maypole.example") for _ in range(8)))) == 2
    assert await order("bob@maypole.example")
