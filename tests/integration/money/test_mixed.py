"""One order of products, an hour and tickets: all or none, let go together, taken again line by line (promises 2, 8, 9)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import text, update

from cart.orders.buyer import Buyer
from cart.payments.fence import put_back
from cart.payments.settle import settle
from shared.contracts.errors import NotOffered, NotOnSale, SoldOut, TotalChanged
from shared.contracts.states import LineKind
from shared.db.uow import unit_of_work
from shared.models import BookingRule, CalendarEntry, Product, ProductVariant
from tests.support.mixed import (
    Goods,
    Hall,
    allocations_of,
    book,
    bookings_of,
    check_out,
    entries_of,
    lines_of,
    make_goods,
    make_guest,
    make_hall,
    orders_of,
    payment_of,
    put,
    quantities_of,
    slots_held,
    stock_of,
    summary_of,
)
from tests.support.shop import Shop, Show

TOTAL = "29.50"


@pytest.fixture
async def goods(shop: Shop) -> Goods:
    """Four jars at 4.50."""
    return await make_goods(shop, stock=4, vat_rate="20")


@pytest.fixture
async def hall(shop: Shop) -> Hall:
    """A hall at 8.00 an hour."""
    return await make_hall(shop)


@pytest.fixture
def buyer(ada: int) -> Buyer:
    return Buyer.of_user(ada)


@pytest.fixture
async def full_cart(shop: Shop, buyer: Buyer, goods: Goods, hall: Hall, show: Show) -> None:
    """Two jars, an hour and a ticket: 29.50."""
    await put(shop, buyer, goods, 2)
    await book(shop, buyer, hall)
    assert buyer.user_id is not None
    await shop.add(buyer.user_id, show)


@pytest.mark.usefixtures("full_cart")
async def test_an_order_has_a_line_for_each_kind_and_their_sum(shop: Shop, buyer: Buyer, goods: Goods) -> None:
    await check_out(shop, buyer, TOTAL)
    [order] = await orders_of(shop, buyer)
    lines = {line.kind: line for line in await lines_of(shop, order.id)}
    assert {kind: (line.quantity, line.total) for kind, line in lines.items()} == {
        LineKind.TICKET: (1, Decimal("12.50")),
        LineKind.BOOKING: (1, Decimal("8.00")),
        LineKind.PRODUCT: (2, Decimal("9.00")),
    }
    assert (order.total, lines[LineKind.PRODUCT].variant_id) == (Decimal(TOTAL), goods.variant_id)
    assert lines[LineKind.PRODUCT].vat_rate == Decimal(20)


async def test_a_line_says_for_ever_what_was_bought_and_for_when(
    shop: Shop, buyer: Buyer, hall: Hall, show: Show
) -> None:
    evening = datetime(2027, 3, 5, 19, 30, tzinfo=ZoneInfo("Europe/London"))
    async with unit_of_work(shop.context.database) as uow:
        entry = await uow.session.get_one(CalendarEntry, show.entry_id)
        entry.start_at, entry.end_at = evening, evening + timedelta(hours=2)
        await uow.commit()
    shop.clock.forward(days=(datetime(2027, 3, 1, tzinfo=UTC) - shop.clock()).days)
    start = hall.hour(shop.clock())[0].astimezone(ZoneInfo("Europe/London"))
    assert buyer.user_id is not None
    await shop.add(buyer.user_id, show)
    await book(shop, buyer, hall)

    await check_out(shop, buyer, "20.50")

    [order] = await orders_of(shop, buyer)
    details = {line.kind: line.detail for line in await lines_of(shop, order.id)}
    assert details[LineKind.TICKET] == "Adult, Fri 5 Mar 2027, 19:30"
    assert details[LineKind.BOOKING].endswith(f", {start:%a} {start.day} {start:%b %Y}, 09:00 to 10:00")


@pytest.mark.usefixtures("full_cart")
async def test_checkout_holds_everything_and_payment_gives_it(
    shop: Shop, buyer: Buyer, goods: Goods, hall: Hall
) -> None:
    await check_out(shop, buyer, TOTAL)
    assert (await stock_of(shop, goods), await entries_of(shop, hall)) == ((2, 2), ["ordered"])
    assert (await summary_of(shop, buyer)).badge_count == 0
    payment = await payment_of(shop, buyer)
    shop.pay(payment)
    await settle(shop.context, payment.id)
    assert (await allocations_of(shop, goods), await entries_of(shop, hall)) == (["sold"], ["confirmed"])
    assert (await stock_of(shop, goods), await slots_held(shop, hall)) == ((2, 2), 1)
    assert not await quantities_of(shop, buyer)


@pytest.mark.usefixtures("full_cart")
@pytest.mark.parametrize("short", ["seats", "stock", "slot"])
async def test_when_one_kind_is_short_nothing_is_kept(
    shop: Shop, buyer: Buyer, bob: int, goods: Goods, hall: Hall, show: Show, short: str
) -> None:
    other = Buyer.of_user(bob)
    if short == "seats":
        await shop.buy(bob, show, 2)
    elif short == "stock":
        await put(shop, other, goods, 3)
        await check_out(shop, other, "13.50")
    else:
        await book(shop, other, hall)
        await check_out(shop, other, "8.00")
    held = (await stock_of(shop, goods), await slots_held(shop, hall), await shop.held(show))

    with pytest.raises(SoldOut) as refusal:
        await check_out(shop, buyer, TOTAL)

    kinds = {"seats": LineKind.TICKET, "stock": LineKind.PRODUCT, "slot": LineKind.BOOKING}
    assert [problem.key[0] for problem in refusal.value.problems] == [kinds[short]]
    assert (await stock_of(shop, goods), await slots_held(shop, hall), await shop.held(show)) == held
    assert await quantities_of(shop, buyer) == {goods.variant_id: 2}
    assert len(await bookings_of(shop, buyer)) == 1
    assert not await orders_of(shop, buyer)


@pytest.mark.usefixtures("full_cart")
async def test_an_order_that_expires_puts_everything_back(shop: Shop, buyer: Buyer, goods: Goods, hall: Hall) -> None:
    await check_out(shop, buyer, TOTAL)
    await put(shop, buyer, goods, 1)  # meanwhile, into the cart that is empty now
    shop.clock.forward(minutes=31)
    await shop.work()
    assert (await stock_of(shop, goods), await slots_held(shop, hall)) == ((0, 0), 0)
    assert await quantities_of(shop, buyer) == {goods.variant_id: 3}
    assert (await entries_of(shop, hall), await allocations_of(shop, goods)) == (["pending"], ["released"])


@pytest.mark.usefixtures("full_cart")
async def test_an_order_can_be_put_back_and_ordered_anew(shop: Shop, buyer: Buyer, goods: Goods, hall: Hall) -> None:
    await check_out(shop, buyer, TOTAL)
    [order] = await orders_of(shop, buyer)
    await put_back(shop.context, buyer, order_id=order.id)
    await check_out(shop, buyer, TOTAL)
    assert (await stock_of(shop, goods), await slots_held(shop, hall)) == ((2, 2), 1)
    assert await allocations_of(shop, goods) == ["released", "reserved"]


# --- what is known only at checkout ---


async def test_a_price_that_has_changed_is_charged_only_once_it_was_seen(
    shop: Shop, buyer: Buyer, goods: Goods
) -> None:
    await put(shop, buyer, goods, 2)
    async with unit_of_work(shop.context.database) as uow:
        await uow.session.execute(
            update(ProductVariant).where(ProductVariant.id == goods.variant_id).values(price=Decimal("5.00"))
        )
        await uow.commit()
    with pytest.raises(TotalChanged):
        await check_out(shop, buyer, "9.00")
    await check_out(shop, buyer, "10.00")
    assert (await payment_of(shop, buyer)).amount == Decimal("10.00")


async def test_a_booking_costs_what_its_rule_says_at_checkout(shop: Shop, buyer: Buyer, hall: Hall) -> None:
    await book(shop, buyer, hall)
    async with unit_of_work(shop.context.database) as uow:
        await uow.session.execute(
            update(BookingRule).where(BookingRule.calendar_id == hall.calendar_id).values(price=Decimal("9.00"))
        )
        await uow.commit()
    [entry] = await bookings_of(shop, buyer)
    assert (entry.cost, entry.cost_seen) == (Decimal("9.00"), Decimal("8.00"))
    with pytest.raises(TotalChanged):
        await check_out(shop, buyer, "8.00")
    await check_out(shop, buyer, "9.00")


async def test_what_was_taken_off_the_shelves_is_not_sold(shop: Shop, buyer: Buyer, goods: Goods) -> None:
    await put(shop, buyer, goods)
    async with unit_of_work(shop.context.database) as uow:
        await uow.session.execute(update(Product).where(Product.id == goods.product_id).values(published=False))
        await uow.commit()
    with pytest.raises(NotOnSale, match="no longer sold"):
        await check_out(shop, buyer, "4.50")
    assert await quantities_of(shop, buyer) == {goods.variant_id: 1}


async def test_a_time_that_is_no_longer_offered_is_not_ordered(shop: Shop, buyer: Buyer, hall: Hall) -> None:
    await book(shop, buyer, hall)
    shop.clock.forward(days=3)
    with pytest.raises(NotOffered, match="This time has passed"):
        await check_out(shop, buyer, "8.00")


# --- late money ---


async def late(shop: Shop, buyer: Buyer, total: str) -> None:
    """Let an order go, and pay it all the same."""
    await check_out(shop, buyer, total)
    payment = await payment_of(shop, buyer)
    shop.clock.forward(minutes=31)
    await shop.work()
    shop.pay(payment, force=True)


async def settled(shop: Shop, buyer: Buyer) -> list[tuple[str, Decimal]]:
    """Settle the newest payment, and give the debts that come of it."""
    await settle(shop.context, (await payment_of(shop, buyer)).id)
    return [(debt.reason, debt.amount) for debt in await shop.debts()]


@pytest.mark.usefixtures("full_cart")
async def test_late_money_takes_everything_again_out_of_the_cart(
    shop: Shop, buyer: Buyer, goods: Goods, hall: Hall
) -> None:
    await late(shop, buyer, TOTAL)
    assert await settled(shop, buyer) == []
    assert (await allocations_of(shop, goods), await entries_of(shop, hall)) == (["sold"], ["confirmed"])
    assert not await quantities_of(shop, buyer)
    assert not await bookings_of(shop, buyer)


@pytest.mark.usefixtures("full_cart")
async def test_late_money_owes_back_what_others_have_bought(
    shop: Shop, buyer: Buyer, bob: int, goods: Goods, hall: Hall
) -> None:
    await late(shop, buyer, TOTAL)
    other = Buyer.of_user(bob)
    await put(shop, other, goods, 3)
    await book(shop, other, hall)
    await check_out(shop, other, "21.50")
    assert sorted(await settled(shop, buyer)) == [("sold_out", Decimal("8.00")), ("sold_out", Decimal("9.00"))]
    assert await allocations_of(shop, goods) == ["oversold", "reserved"]
    [order] = await orders_of(shop, buyer)
    assert order.state == "paid"
    await settle(shop.context, (await payment_of(shop, buyer)).id)
    assert len(await shop.debts()) == 2


async def test_late_money_for_products_bought_again_is_owed_back(shop: Shop, buyer: Buyer, goods: Goods) -> None:
    await put(shop, buyer, goods, 2)
    await late(shop, buyer, "9.00")
    first = await payment_of(shop, buyer)
    await check_out(shop, buyer, "9.00")
    second = await payment_of(shop, buyer)
    shop.pay(second)
    await settle(shop.context, second.id)
    await settle(shop.context, first.id)
    assert [(debt.reason, debt.payment_id) for debt in await shop.debts()] == [("paid_twice", first.id)]
    assert await stock_of(shop, goods) == (2, 2)


async def test_late_money_for_a_booking_that_was_taken_out_makes_a_new_one(
    shop: Shop, buyer: Buyer, hall: Hall
) -> None:
    await book(shop, buyer, hall)
    await late(shop, buyer, "8.00")
    [entry] = await bookings_of(shop, buyer)
    async with unit_of_work(shop.context.database) as uow:
        await shop.context.services.calendar.remove_pending_booking(uow.session, buyer.owner, entry_id=entry.id)
        await uow.commit()
    assert await settled(shop, buyer) == []
    assert await entries_of(shop, hall) == ["cancelled", "confirmed"]


# --- without an account ---


async def test_a_guest_buys_products_and_an_hour(shop: Shop, goods: Goods, hall: Hall) -> None:
    guest = await make_guest(shop)
    await put(shop, guest, goods, 2)
    await book(shop, guest, hall)
    await check_out(shop, guest, "17.00")
    payment = await payment_of(shop, guest)
    shop.pay(payment)
    await settle(shop.context, payment.id)
    [order] = await orders_of(shop, guest)
    assert (order.user_id, order.guest_email, order.state) == (None, guest.email, "paid")
    assert order.access_token_hash is not None
    assert (await allocations_of(shop, goods), await entries_of(shop, hall)) == (["sold"], ["confirmed"])


async def test_a_guests_order_that_expires_goes_back_into_the_guests_cart(shop: Shop, goods: Goods, hall: Hall) -> None:
    guest = await make_guest(shop)
    await put(shop, guest, goods, 2)
    await book(shop, guest, hall)
    await check_out(shop, guest, "17.00")
    shop.clock.forward(minutes=31)
    await shop.work()
    assert await quantities_of(shop, guest) == {goods.variant_id: 2}
    assert len(await bookings_of(shop, guest)) == 1


async def test_a_guest_whose_session_is_gone_gets_nothing_back_and_holds_nothing(
    shop: Shop, goods: Goods, hall: Hall
) -> None:
    guest = await make_guest(shop)
    await put(shop, guest, goods, 2)
    await book(shop, guest, hall)
    await check_out(shop, guest, "17.00")
    async with unit_of_work(shop.context.database) as uow:
        await uow.session.execute(text("DELETE FROM sessions"))
        await uow.commit()
    shop.clock.forward(minutes=31)
    await shop.work()
    assert (await stock_of(shop, goods), await slots_held(shop, hall)) == ((0, 0), 0)
    assert await entries_of(shop, hall) == ["cancelled"]


async def test_a_booking_that_needs_approval_waits_for_it_once_it_is_paid(shop: Shop, buyer: Buyer) -> None:
    room = await make_hall(shop, needs_approval=True)
    await book(shop, buyer, room)
    await check_out(shop, buyer, "8.00")
    payment = await payment_of(shop, buyer)
    shop.pay(payment)
    await settle(shop.context, payment.id)
    assert (await entries_of(shop, room), await slots_held(shop, room)) == (["provisional"], 1)


async def test_what_costs_nothing_is_confirmed_at_once_and_once(shop: Shop, buyer: Buyer) -> None:
    free = await make_goods(shop, price="0.00", stock=1)
    await put(shop, buyer, free)
    url = await check_out(shop, buyer, "0.00")
    [order] = await orders_of(shop, buyer)
    assert (order.state, url) == ("paid", f"http://localhost:8002/orders/{order.id}/")
    assert (await allocations_of(shop, free), not shop.gateway.calls) == (["sold"], True)
    assert (await shop.journal("order")).count("paid") == 1
