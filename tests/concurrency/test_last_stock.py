"""Sixty shoppers at once want the last twenty jars (docs/money.md, promise 1), and what happens without the guards."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal

from sqlalchemy import func, insert, select
from sqlalchemy.ext.asyncio import AsyncSession

from cart.orders.buyer import Buyer
from shared.contracts.errors import SoldOut
from shared.contracts.states import StockState
from shared.db.refusals import holding_refused
from shared.db.uow import unit_of_work
from shared.models import CartItem, StockAllocation
from shared.services.cart_impl import SqlCartService
from shared.services.market_impl import SqlMarketService
from tests.concurrency.conftest import TakeAway
from tests.support.mixed import Goods, check_out, make_goods, put, stock_of
from tests.support.shop import Shop

SHOPPERS, JARS = 60, 20
RACERS = 15
"""How many are released at the same moment in a race without locks: fewer than the pool has connections."""


class UnlockedMarket(SqlMarketService):
    """The market with its locks taken away: everybody looks first, and only then anybody takes."""

    barrier = asyncio.Barrier(RACERS)

    async def claim_stock_for_order(self, session: AsyncSession, order_id: int, wanted: Mapping[int, int]) -> None:
        found = await self.variants_by_id(session, wanted)
        if any((found[variant_id].available or 0) < quantity for variant_id, quantity in wanted.items()):
            raise SoldOut
        await self.barrier.wait()
        with holding_refused():
            await session.execute(
                insert(StockAllocation),
                [
                    {"order_id": order_id, "variant_id": variant_id, "quantity": quantity, "state": StockState.RESERVED}
                    for variant_id, quantity in wanted.items()
                ],
            )


async def make_shoppers(shop: Shop, number: int) -> list[Buyer]:
    return [Buyer.of_user(await shop.shopper()) for _ in range(number)]


async def press_at_once(shop: Shop, people: list[Buyer], total: Decimal) -> Counter[str]:
    """Let everybody press the button at the same moment; count the answers."""
    results = await asyncio.gather(*(check_out(shop, person, total) for person in people), return_exceptions=True)
    return Counter(type(result).__name__ for result in results)


async def rush(shop: Shop, goods: Goods, shoppers: int, quantity: int = 1) -> Counter[str]:
    """Let everybody put so many into the cart and press the button; count the answers."""
    people = await make_shoppers(shop, shoppers)
    for person in people:
        await put(shop, person, goods, quantity)
    return await press_at_once(shop, people, goods.price * quantity)


async def in_carts(shop: Shop) -> int:
    """Return how many things are in all carts together."""
    async with unit_of_work(shop.context.database) as uow:
        return int(await uow.session.scalar(select(func.coalesce(func.sum(CartItem.quantity), 0))) or 0)


def without_locks(shop: Shop) -> Shop:
    market = UnlockedMarket()
    market.barrier = asyncio.Barrier(RACERS)
    services = shop.context.services
    assert isinstance(services.cart, SqlCartService)
    cart = replace(services.cart, market=market)
    return replace(shop, context=replace(shop.context, services=replace(services, market=market, cart=cart)))


async def test_sixty_shoppers_get_exactly_twenty_jars(shop: Shop) -> None:
    jam = await make_goods(shop, stock=JARS)
    answers = await rush(shop, jam, SHOPPERS)
    assert answers == {"str": JARS, "SoldOut": SHOPPERS - JARS}
    assert await stock_of(shop, jam) == (JARS, JARS)
    assert await in_carts(shop) == SHOPPERS - JARS


async def test_nobody_gets_a_part_of_what_they_wanted(shop: Shop) -> None:
    jam = await make_goods(shop, stock=20)
    answers = await rush(shop, jam, RACERS, quantity=3)
    assert answers == {"str": 6, "SoldOut": RACERS - 6}
    assert await stock_of(shop, jam) == (18, 18)


async def test_who_gets_one_thing_but_not_the_other_gets_neither(shop: Shop) -> None:
    jam, honey = await make_goods(shop, stock=40), await make_goods(shop, stock=5)
    people = await make_shoppers(shop, RACERS)
    for number, person in enumerate(people):
        for goods in (jam, honey) if number % 2 else (honey, jam):
            await put(shop, person, goods)
    answers = await press_at_once(shop, people, jam.price + honey.price)
    assert answers == {"str": 5, "SoldOut": RACERS - 5}
    assert (await stock_of(shop, jam), await stock_of(shop, honey)) == ((5, 5), (5, 5))


async def test_two_tabs_never_put_more_into_the_cart_than_there_are(shop: Shop) -> None:
    jam, (ada,) = await make_goods(shop, stock=3), await make_shoppers(shop, 1)
    results = await asyncio.gather(*(put(shop, ada, jam) for _ in range(10)), return_exceptions=True)
    assert Counter(type(result).__name__ for result in results) == {"NoneType": 3, "TooManyProducts": 7}
    assert await in_carts(shop) == 3


async def test_the_database_alone_sells_no_jar_twice(shop: Shop) -> None:
    jam = await make_goods(shop, stock=5)
    answers = await rush(without_locks(shop), jam, RACERS)
    assert answers == {"str": 5, "SoldOut": RACERS - 5}
    assert await stock_of(shop, jam) == (5, 5)


async def test_control_without_lock_and_constraint_jars_are_sold_twice(shop: Shop, take_away: TakeAway) -> None:
    await take_away("product_variants", "ck_product_variants_held_within_stock")
    jam = await make_goods(shop, stock=5)
    await rush(without_locks(shop), jam, RACERS)
    assert await stock_of(shop, jam) == (RACERS, RACERS)
