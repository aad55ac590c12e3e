"""One shopper in several tabs (docs/money.md, promise 5), and the same races without the owner's lock."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import insert, update
from sqlalchemy.ext.asyncio import AsyncSession

from cart.bp.cart.services.checkout import _fill, _intend_payment, _open_order
from cart.orders.buyer import Buyer
from cart.payments.attempts import read_payment
from cart.payments.fence import PutBackOutcome, put_back
from cart.payments.settle import settle
from cart.wiring import PaymentContext
from shared.contracts.dtos import CartItemDTO, TicketDTO
from shared.contracts.errors import CartEmpty, GatewayConflict, TooManyTickets
from shared.contracts.owner import CartOwner
from shared.contracts.states import TicketState
from shared.db.uow import unit_of_work
from shared.models import CartItem, Payment, Ticket
from shared.services.calendar_impl import SqlCalendarService
from shared.services.cart_impl import SqlCartService
from tests.concurrency.conftest import TakeAway
from tests.support.mixed import (
    Goods,
    Hall,
    book,
    bookings_of,
    check_out,
    join,
    lines_of,
    make_goods,
    make_guest,
    make_hall,
    orders_of,
    put,
    quantities_of,
    slots_held,
    stock_of,
)
from tests.support.shop import Shop

TABS = 10
TURNS = (0, 1, 2, 4, 8, 60)
"""How often a shopper looks elsewhere before paying, while another tab puts the order back: from at once to too late."""


class UnlockedCalendar(SqlCalendarService):
    """The calendar with its locks taken away: all tabs look first, and only then any of them takes."""

    barrier = asyncio.Barrier(TABS)

    async def add_pending_tickets(
        self, session: AsyncSession, *, user_id: int, entry_id: int, choice: dict[int | None, int], now: datetime
    ) -> list[TicketDTO]:
        entry, have = await self.entry(session, entry_id), await self.pending_tickets(session, user_id=user_id)
        assert entry is not None
        if len(have) + sum(choice.values()) > entry.max_per_order:
            raise TooManyTickets
        await self.barrier.wait()
        row = {"entry_id": entry_id, "user_id": user_id, "state": TicketState.PENDING}
        kinds = [kind for kind, quantity in choice.items() for _ in range(quantity)]
        await session.execute(insert(Ticket), [row | {"ticket_type_id": kind} for kind in kinds])
        return []

    async def claim_tickets_for_order(
        self, session: AsyncSession, order_id: int, user_id: int, page_post_id: int | None = None
    ) -> None:
        ids = [ticket.id for ticket in await self.pending_tickets(session, user_id=user_id)]
        await self.barrier.wait()
        await session.execute(
            update(Ticket).where(Ticket.id.in_(ids)).values(state=TicketState.RESERVED, order_id=order_id)
        )


def without_locks(shop: Shop) -> Shop:
    calendar = UnlockedCalendar(shop.clock, default_max_per_order=20)
    calendar.barrier = asyncio.Barrier(TABS)
    return replace(shop, context=replace(shop.context, services=replace(shop.context.services, calendar=calendar)))


async def place_unlocked(context: PaymentContext, buyer: Buyer) -> None:
    """Place an order as ``create_order_from_cart`` does, but for the lock on the cart's owner."""
    async with unit_of_work(context.database) as uow:
        order = await _open_order(uow.session, context, buyer)
        claimed = await context.sellables.claim(uow.session, order.id, buyer.owner, None)
        if claimed.is_empty:
            raise CartEmpty
        await _fill(uow.session, context, order, claimed, buyer)
        await _intend_payment(uow.session, context, order)
        await uow.commit()


async def test_ten_presses_of_the_button_make_one_order_and_one_checkout(shop: Shop) -> None:
    show, ada = await shop.show(), await shop.shopper()
    await shop.add(ada, show, 2)
    urls = await asyncio.gather(*(shop.check_out(ada, "25.00") for _ in range(10)))
    assert (len(await shop.orders(ada)), len(await shop.payments(ada)), len(set(urls))) == (1, 1, 1)


async def test_the_database_alone_lets_no_ticket_into_a_second_order(shop: Shop) -> None:
    show, ada = await shop.show(), await shop.shopper()
    await shop.add(ada, show, 2)
    context = without_locks(shop).context
    presses = (place_unlocked(context, Buyer.of_user(ada)) for _ in range(TABS))
    refused = [result for result in await asyncio.gather(*presses, return_exceptions=True) if result is not None]
    assert ["may not go from order" in str(refusal) for refusal in refused] == [True] * (TABS - 1)
    assert (len(await shop.orders(ada)), await shop.tickets(ada)) == (1, ["reserved"] * 2)


async def test_control_without_lock_and_guard_ten_presses_make_ten_orders(shop: Shop, take_away: TakeAway) -> None:
    await take_away("tickets", "stay_in_order")
    show, ada = await shop.show(), await shop.shopper()
    await shop.add(ada, show, 2)
    context = without_locks(shop).context
    await asyncio.gather(*(place_unlocked(context, Buyer.of_user(ada)) for _ in range(TABS)))
    assert (len(await shop.orders(ada)), len(await shop.payments(ada))) == (TABS, TABS)
    assert {order.total for order in await shop.orders(ada)} == {Decimal("25.00")}


async def test_two_tabs_never_put_more_into_the_cart_than_is_allowed(shop: Shop) -> None:
    show, ada = await shop.show(max_per_order=3), await shop.shopper()
    await asyncio.gather(*(shop.add(ada, show) for _ in range(10)), return_exceptions=True)
    assert await shop.tickets(ada) == ["pending"] * 3


async def test_control_without_the_lock_tabs_put_more_into_the_cart_than_is_allowed(shop: Shop) -> None:
    show, ada = await shop.show(max_per_order=3), await shop.shopper()
    unlocked = without_locks(shop)
    await asyncio.gather(*(unlocked.add(ada, show) for _ in range(TABS)))
    assert await shop.tickets(ada) == ["pending"] * TABS


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
    await asyncio.gather(*(settle(shop.context, payment.id) for _ in range(30)), *(shop.work() for _ in range(5)))
    assert await shop.tickets(ada) == ["confirmed", "confirmed"]
    assert ((await shop.journal("order")).count("paid"), (await shop.journal("payment")).count("paid")) == (1, 1)


async def test_paying_and_putting_back_at_once_ends_in_one_of_the_two(shop: Shop) -> None:
    ends = [await pay_and_put_back(shop, turns) for turns in TURNS]
    assert set(ends) == {("paid", "confirmed", PutBackOutcome.PAID), ("cancelled", "pending", PutBackOutcome.RELEASED)}
    assert (ends[0][0], ends[-1][0]) == ("paid", "cancelled")


async def pay_and_put_back(shop: Shop, turns: int) -> tuple[str, str, PutBackOutcome]:
    """Pay an order, after some turns, while it is put back; return how order and ticket end, and what the shopper reads."""
    show, ada = await shop.show(capacity=1), await shop.shopper()
    payment = await shop.buy(ada, show)
    outcome, *_ = await asyncio.gather(
        put_back(shop.context, Buyer.of_user(ada), order_id=payment.order_id),
        pay_after(shop, payment, turns),
        shop.work(),
    )
    [order], [ticket] = await shop.orders(ada), await shop.tickets(ada)
    held = int(order.state == "paid")
    assert await shop.held(show) == (held, held, held)
    return order.state, ticket, outcome


async def pay_after(shop: Shop, payment: Payment, turns: int) -> None:
    """Pay on the provider's page, which refuses once the checkout is closed, and come back."""
    for _ in range(turns):
        await read_payment(shop.context, payment.id)
    with suppress(GatewayConflict):
        shop.pay(payment)
    await settle(shop.context, payment.id)


async def test_what_was_paid_in_time_is_kept_however_late_anybody_looks(shop: Shop) -> None:
    show, ada = await shop.show(capacity=1), await shop.shopper()
    payment = await shop.buy(ada, show)
    shop.pay(payment)
    shop.clock.forward(minutes=31)
    await asyncio.gather(settle(shop.context, payment.id), shop.work(), shop.work())
    assert await shop.tickets(ada) == ["confirmed"]
    assert await shop.held(show) == (1, 1, 1)


# --- Signing in while another tab checks out ---


async def fill_as_guest(shop: Shop) -> tuple[Buyer, Goods, Hall]:
    """Let a guest have two jars and an hour of a hall in the cart: 17.00."""
    guest, goods, hall = await make_guest(shop), await make_goods(shop, stock=9), await make_hall(shop)
    await put(shop, guest, goods, 2)
    await book(shop, guest, hall)
    return guest, goods, hall


async def jars_of(shop: Shop, buyer: Buyer, goods: Goods) -> tuple[int, int]:
    """Return how many jars somebody has in the cart, and how many are in their orders."""
    orders = [await lines_of(shop, order.id) for order in await orders_of(shop, buyer)]
    ordered = sum(line.quantity for lines in orders for line in lines if line.variant_id == goods.variant_id)
    return (await quantities_of(shop, buyer)).get(goods.variant_id, 0), ordered


async def test_what_is_checked_out_while_its_owner_signs_in_is_ordered_or_joined_and_never_both(shop: Shop) -> None:
    for turn in range(8):
        ada, (guest, goods, hall) = Buyer.of_user(await shop.shopper()), await fill_as_guest(shop)
        both = [check_out(shop, guest, "17.00"), join(shop, guest, ada.user_id or 0)]
        answers = await asyncio.gather(*(both if turn % 2 else reversed(both)), return_exceptions=True)
        assert {type(answer) for answer in answers} <= {str, type(None), CartEmpty}

        assert (await jars_of(shop, guest, goods), await bookings_of(shop, guest)) == ((0, 0), [])
        in_cart, ordered = await jars_of(shop, ada, goods)
        assert (in_cart + ordered, len(await bookings_of(shop, ada)) + await slots_held(shop, hall)) == (2, 1)
        assert await stock_of(shop, goods) == (ordered, ordered)


class UnlockedCart(SqlCartService):
    """The cart with its locks taken away: who signs in and who checks out both look first, and only then take."""

    barrier = asyncio.Barrier(2)

    async def join_cart(self, session: AsyncSession, *, session_id: UUID, user_id: int) -> None:
        items = await self.cart_items(session, CartOwner.of_session(session_id))
        await self.barrier.wait()
        rows = [
            {
                "user_id": user_id,
                "variant_id": item.variant_id,
                "quantity": item.quantity,
                "price_seen": item.price_seen,
            }
            for item in items
        ]
        await session.execute(insert(CartItem), rows)

    async def claim_items_for_order(
        self,
        session: AsyncSession,
        order_id: int,
        owner: CartOwner,
        page_post_id: int | None = None,
    ) -> list[CartItemDTO]:
        items = await self.cart_items(session, owner)
        await self.barrier.wait()
        await self.market.claim_stock_for_order(session, order_id, {item.variant_id: item.quantity for item in items})
        return items


async def test_control_without_the_lock_what_is_ordered_joins_the_account_too(shop: Shop) -> None:
    ada, (guest, goods, _) = Buyer.of_user(await shop.shopper()), await fill_as_guest(shop)
    services = shop.context.services
    cart = UnlockedCart(services.calendar, services.market, shop.clock)
    unlocked = replace(shop, context=replace(shop.context, services=replace(services, cart=cart)))

    await asyncio.gather(place_unlocked(unlocked.context, guest), join(unlocked, guest, ada.user_id or 0))

    assert (await jars_of(shop, ada, goods))[0] + (await jars_of(shop, guest, goods))[1] == 4
