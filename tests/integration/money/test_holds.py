"""How long an unpaid order holds its things, and how many orders may wait at once."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select

from cart.orders import holds
from cart.orders.buyer import Buyer
from cart.orders.holds import HeldTooOften, ManyOfNetwork, TooManyUnpaid
from cart.payments.fence import PutBackOutcome, put_back
from shared.contracts.errors import AuthFailed, Unavailable
from shared.contracts.states import OrderState
from shared.db.uow import unit_of_work
from shared.models import Order
from shared.services.forgetting import empty_networks
from tests.support.mixed import Goods, check_out, join, make_goods, make_guest, orders_of, put
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


# --- guests of one network ---

GUESTS = 4
SCHOOL = "192.0.2.7"


def _with(shop: Shop, **settings: object) -> Shop:
    changed = shop.context.settings.model_copy(update=settings)
    return replace(shop, context=replace(shop.context, settings=changed))


async def _order(shop: Shop, network: str = SCHOOL) -> bool:
    """Let a guest with a browser and an address of their own check something out; tell whether they could."""
    # Something of its own: a lock on what all want would hide that the network's is missing.
    guest, goods = replace(await make_guest(shop), network=network), await make_goods(shop)
    await put(shop, guest, goods)
    try:
        await check_out(shop, guest, goods.price)
    except ManyOfNetwork:
        return False
    return True


async def test_guests_of_one_network_have_so_many_unpaid_orders_together(shop: Shop) -> None:
    shop = _with(shop, unpaid_orders_per_network=3)
    assert sum(await asyncio.gather(*(_order(shop) for _ in range(GUESTS)))) == 3
    assert await _order(shop, "198.51.100.1")
    assert await _order(shop, "")


async def test_control_without_its_lock_a_network_has_more(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    async def nobody_waits(*_: object) -> None:
        await together.wait()

    together = asyncio.Barrier(GUESTS)
    monkeypatch.setattr(holds, "lock_name", nobody_waits)
    monkeypatch.setattr(holds, "_names_of", lambda _: [SCHOOL])
    shop = _with(shop, unpaid_orders_per_network=3)
    assert sum(await asyncio.gather(*(_order(shop) for _ in range(GUESTS)))) == GUESTS


async def test_an_account_does_not_suffer_from_its_network(shop: Shop, ada: int, show: Show) -> None:
    shop = _with(shop, unpaid_orders_per_network=2)
    assert [await _order(shop) for _ in range(3)] == [True, True, False]
    await shop.add(ada, show)
    await check_out(shop, replace(Buyer.of_user(ada), network=SCHOOL), show.cost)


async def test_a_network_is_forgotten_after_a_day(shop: Shop) -> None:
    await _order(shop)
    for older, left in ((shop.clock(), SCHOOL), (shop.clock() + timedelta(minutes=1), "")):
        async with unit_of_work(shop.context.database) as uow:
            await empty_networks(uow.session, older_than=older)
            assert (await uow.session.scalars(select(Order.network))).one() == left
            await uow.commit()


# --- a guest's orders that join an account ---


async def _guest_with_orders(shop: Shop, goods: Goods) -> Buyer:
    guest = await make_guest(shop)
    for _ in range(2):
        await put(shop, guest, goods)
        await check_out(shop, guest, goods.price)
    return guest


async def test_what_joins_an_account_gives_it_no_third_unpaid_order(shop: Shop, ada: int, show: Show) -> None:
    goods = await make_goods(shop)
    await shop.buy(ada, show)
    guest = await _guest_with_orders(shop, goods)
    newest = (await orders_of(shop, guest))[-1].id
    await join(shop, guest, ada)
    assert [order.id for order in await shop.orders(ada)][1:] == [newest]
    assert len(await orders_of(shop, guest)) == 1


async def test_whoever_signs_in_while_checking_out_passes_no_limit(shop: Shop, ada: int) -> None:
    goods, shows = await make_goods(shop), [await shop.show() for _ in range(2)]
    for show in shows:
        await shop.add(ada, show)
    guest = await _guest_with_orders(shop, goods)
    buying = (check_out(shop, Buyer.of_user(ada), each.cost, each.page_post_id) for each in shows)
    answers = await asyncio.gather(*buying, join(shop, guest, ada), return_exceptions=True)
    assert {type(answer) for answer in answers} <= {str, type(None), TooManyUnpaid}
    assert len([order for order in await shop.orders(ada) if order.state is OrderState.PENDING]) == 2


async def test_an_address_begins_not_anew_once_its_orders_have_joined_an_account(shop: Shop, ada: int) -> None:
    goods = await make_goods(shop)
    guest = await _guest_with_orders(shop, goods)
    await join(shop, guest, ada)
    again = replace(await make_guest(shop), email=guest.email)
    await put(shop, again, goods)
    with pytest.raises(TooManyUnpaid, match="e-mail address"):
        await check_out(shop, again, goods.price)
