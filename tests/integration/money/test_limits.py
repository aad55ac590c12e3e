"""How many tickets of an event one person may have: over all orders, whatever became of them meanwhile."""

from __future__ import annotations

import asyncio

import pytest
from sqlalchemy import update

from cart.orders.buyer import Buyer
from cart.payments.fence import put_back
from cart.payments.settle import settle
from shared.contracts.errors import TooManyTickets
from shared.contracts.states import TicketState
from shared.db.uow import unit_of_work
from shared.models import Ticket
from shared.services.calendar.limits import TicketLimit
from tests.support.shop import Shop, Show


@pytest.fixture
async def small(shop: Shop) -> Show:
    """An event of which an order may have four, and a person six."""
    return await shop.show(max_per_order=4, max_per_person=6)


@pytest.mark.parametrize(
    ("limit", "allowed", "of_person"),
    [
        (TicketLimit(4, 6), 4, False),
        (TicketLimit(4, 6, had=2), 4, False),
        (TicketLimit(4, 6, had=3), 3, True),
        (TicketLimit(4, 6, had=6), 0, True),
        (TicketLimit(4, 6, had=9), 0, True),
        (TicketLimit(4, 2), 2, False),
    ],
)
def test_the_tighter_of_two_limits_counts(limit: TicketLimit, allowed: int, of_person: bool) -> None:
    assert (limit.allowed, limit.is_of_person) == (allowed, of_person)


async def _refused(shop: Shop, who: int, show: Show, quantity: int) -> str:
    with pytest.raises(TooManyTickets) as refusal:
        await shop.add(who, show, quantity)
    return str(refusal.value)


@pytest.mark.parametrize("paid", [True, False])
async def test_tickets_of_earlier_orders_count_paid_or_not(shop: Shop, ada: int, small: Show, paid: bool) -> None:
    await (shop.buy_and_pay if paid else shop.buy)(ada, small, 4)
    said = await _refused(shop, ada, small, 3)
    assert said == "One person can have at most 6 tickets for The Tempest. You have 4 in your orders."
    await shop.add(ada, small, 1)
    assert "4 in your orders and 1 in your cart already" in await _refused(shop, ada, small, 2)
    await shop.add(ada, small, 1)
    await shop.check_out(ada, small.cost * 2)


async def test_an_event_that_says_nothing_lets_a_person_have_what_an_order_may(shop: Shop, ada: int) -> None:
    show = await shop.show(max_per_order=2)
    await shop.buy_and_pay(ada, show, 2)
    assert "at most 2 tickets" in await _refused(shop, ada, show, 1)


@pytest.mark.parametrize("state", [TicketState.CHECKED_IN, TicketState.CANCELLED])
async def test_used_tickets_count_and_cancelled_ones_do_not(
    shop: Shop, ada: int, small: Show, state: TicketState
) -> None:
    await shop.buy_and_pay(ada, small, 4)
    used = shop.clock() if state is TicketState.CHECKED_IN else None
    async with unit_of_work(shop.context.database) as uow:
        await uow.session.execute(update(Ticket).values(state=state, checked_in_at=used))
        await uow.commit()
    if state is TicketState.CHECKED_IN:
        await _refused(shop, ada, small, 3)
    else:
        await shop.buy(ada, small, 4)


async def test_a_limit_is_one_persons_and_one_events(shop: Shop, ada: int, small: Show) -> None:
    await shop.buy(ada, small, 4)
    await shop.buy(await shop.shopper(), small, 4)
    await shop.buy(ada, await shop.show(max_per_order=4), 4)


async def test_what_comes_back_to_the_cart_is_held_to_it_at_checkout(shop: Shop, ada: int, small: Show) -> None:
    await shop.buy(ada, small, 4)
    [order] = await shop.orders(ada)
    await put_back(shop.context, Buyer.of_user(ada), order_id=order.id)
    await shop.check_out(ada, small.cost * 4)
    await shop.add(ada, small, 2)
    [_, again] = await shop.orders(ada)
    await put_back(shop.context, Buyer.of_user(ada), order_id=again.id)

    with pytest.raises(TooManyTickets, match="take 2 out of your cart"):
        await shop.check_out(ada, small.cost * 6)


async def test_of_many_orders_at_once_none_goes_past_it(shop: Shop, ada: int) -> None:
    show = await shop.show(max_per_order=1, max_per_person=3)

    async def buy() -> bool:
        try:
            await shop.add(ada, show, 1)
            await shop.check_out(ada, show.cost)
        except TooManyTickets:
            return False
        return True

    await asyncio.gather(*(buy() for _ in range(12)), return_exceptions=True)
    assert (await shop.tickets(ada)).count("reserved") <= 3


async def test_late_money_is_given_what_it_paid_for_past_the_limit(shop: Shop, ada: int, small: Show) -> None:
    first = await shop.buy(ada, small, 4)
    await put_back(shop.context, Buyer.of_user(ada), order_id=first.order_id)
    async with unit_of_work(shop.context.database) as uow:
        await uow.session.execute(update(Ticket).values(state=TicketState.CANCELLED))
        await uow.commit()
    await shop.buy_and_pay(ada, small, 3)
    shop.pay(first, force=True)
    await settle(shop.context, first.id)

    assert sorted(await shop.tickets(ada)) == ["cancelled"] * 4 + ["confirmed"] * 7
    assert await shop.debts() == []
