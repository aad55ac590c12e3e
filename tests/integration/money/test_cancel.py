"""Cancelling lines of a paid order: what they gave is for sale again, once, and no money moves (promise 11)."""

from __future__ import annotations

from collections.abc import Collection
from decimal import Decimal

import pytest
from sqlalchemy import select, update

from cart.orders.buyer import Buyer
from cart.orders.cancel import cancel_lines
from cart.orders.guest import order_url
from cart.orders.queries import order_to_dto
from cart.payments.fence import put_back
from cart.payments.settle import settle
from shared.contracts.errors import Conflict, NotFound
from shared.contracts.owner import CartOwner
from shared.contracts.states import LineKind
from shared.db.locks import lock_order
from shared.db.uow import unit_of_work
from shared.models import JournalEntry, Mail, Order, OrderLine, Ticket
from tests.support.mixed import (
    Goods,
    Hall,
    allocations_of,
    book,
    check_out,
    entries_of,
    let_ask,
    lines_of,
    make_goods,
    make_hall,
    orders_of,
    payment_of,
    put,
    slots_held,
    stock_of,
)
from tests.support.shop import Shop, Show

ACTOR = "user:7"


@pytest.fixture
async def goods(shop: Shop) -> Goods:
    """Four jars at 4.50."""
    return await make_goods(shop, stock=4)


@pytest.fixture
async def hall(shop: Shop) -> Hall:
    """A hall at 8.00 an hour."""
    return await make_hall(shop)


@pytest.fixture
def buyer(ada: int) -> Buyer:
    return Buyer.of_user(ada)


@pytest.fixture
async def paid(shop: Shop, buyer: Buyer, goods: Goods, hall: Hall, show: Show) -> Order:
    """Two jars, an hour and two tickets, paid: 42.00."""
    await put(shop, buyer, goods, 2)
    await book(shop, buyer, hall)
    assert buyer.user_id is not None
    await shop.add(buyer.user_id, show, 2)
    return await pay_for_cart(shop, buyer, "42.00")


async def pay_for_cart(shop: Shop, buyer: Buyer, total: str) -> Order:
    """Check out what is in the cart, and pay it."""
    await check_out(shop, buyer, total)
    payment = await payment_of(shop, buyer)
    shop.pay(payment)
    await settle(shop.context, payment.id)
    [order] = await orders_of(shop, buyer)
    return order


async def cancel(shop: Shop, order_id: int, line_ids: Collection[int]) -> list[int]:
    """Cancel lines in a transaction of its own."""
    async with unit_of_work(shop.context.database) as uow:
        order = await lock_order(uow.session, order_id)
        assert order is not None
        done = await cancel_lines(uow.session, shop.context, order, line_ids, actor=ACTOR, why="without a refund")
        await uow.commit()
    return done


async def mails_of(shop: Shop) -> list[Mail]:
    """Return the mails about what was cancelled."""
    async with unit_of_work(shop.context.database) as uow:
        statement = select(Mail).where(Mail.kind == "lines-cancelled").order_by(Mail.id)
        return list(await uow.session.scalars(statement))


def ids_of(lines: list[OrderLine], *kinds: LineKind) -> list[int]:
    """Return the ids of the lines of these kinds."""
    return [line.id for line in lines if line.kind in kinds]


async def test_everything_of_an_order_is_for_sale_again(
    shop: Shop, paid: Order, ada: int, goods: Goods, hall: Hall, show: Show
) -> None:
    lines = await lines_of(shop, paid.id)

    done = await cancel(shop, paid.id, [line.id for line in lines])

    assert done == [line.id for line in lines]
    assert (await shop.tickets(ada), await shop.held(show)) == (["cancelled"] * 2, (0, 0, 0))
    assert (await entries_of(shop, hall), await slots_held(shop, hall)) == (["cancelled"], 0)
    assert (await allocations_of(shop, goods), await stock_of(shop, goods)) == (["cancelled"], (0, 0))


async def test_only_the_chosen_lines_are_cancelled(shop: Shop, paid: Order, ada: int, hall: Hall, show: Show) -> None:
    tickets = ids_of(await lines_of(shop, paid.id), LineKind.TICKET)

    assert await cancel(shop, paid.id, tickets[:1]) == tickets[:1]

    assert sorted(await shop.tickets(ada)) == ["cancelled", "confirmed"]
    assert (await shop.held(show), await entries_of(shop, hall)) == ((1, 1, 1), ["confirmed"])


async def test_no_money_moves(shop: Shop, paid: Order, buyer: Buyer) -> None:
    await cancel(shop, paid.id, ids_of(await lines_of(shop, paid.id), *LineKind))
    [order] = await orders_of(shop, buyer)
    assert (order.state, await shop.debts(), await shop.refunds()) == ("paid", [], [])


async def test_a_second_press_cancels_nothing_and_writes_no_second_mail(shop: Shop, paid: Order) -> None:
    lines = ids_of(await lines_of(shop, paid.id), *LineKind)
    await cancel(shop, paid.id, lines[:2])
    assert await cancel(shop, paid.id, lines[:2]) == []
    assert await cancel(shop, paid.id, lines) == lines[2:]
    assert len(await mails_of(shop)) == 2


async def test_a_seat_that_comes_free_can_be_bought(shop: Shop, paid: Order, bob: int, show: Show) -> None:
    tickets = ids_of(await lines_of(shop, paid.id), LineKind.TICKET)
    await cancel(shop, paid.id, tickets[:1])
    await shop.buy_and_pay(bob, show)
    assert await shop.tickets(bob) == ["confirmed"]


async def test_a_ticket_that_was_used_stays_as_it_is(shop: Shop, paid: Order, ada: int, show: Show) -> None:
    tickets = ids_of(await lines_of(shop, paid.id), LineKind.TICKET)
    async with unit_of_work(shop.context.database) as uow:
        first = select(Ticket.id).where(Ticket.user_id == ada).order_by(Ticket.id).limit(1).scalar_subquery()
        used = update(Ticket).where(Ticket.id == first)
        await uow.session.execute(used.values(state="checked_in", checked_in_at=shop.clock()))
        await uow.commit()
    assert await cancel(shop, paid.id, tickets) == tickets[1:]
    assert (sorted(await shop.tickets(ada)), await shop.held(show)) == (["cancelled", "checked_in"], (1, 1, 1))


async def test_a_booking_that_waits_for_approval_is_cancelled(shop: Shop, buyer: Buyer) -> None:
    hall = await make_hall(shop, needs_approval=True)
    await book(shop, buyer, hall)
    await check_out(shop, buyer, "8.00")
    payment = await payment_of(shop, buyer)
    shop.pay(payment)
    await settle(shop.context, payment.id)
    lines = ids_of(await lines_of(shop, payment.order_id), LineKind.BOOKING)
    assert await entries_of(shop, hall) == ["provisional"]
    assert await cancel(shop, payment.order_id, lines) == lines
    assert (await entries_of(shop, hall), await slots_held(shop, hall)) == (["cancelled"], 0)


async def test_what_late_money_took_anew_is_cancelled_by_the_line_of_the_old(
    shop: Shop, buyer: Buyer, ada: int, hall: Hall, show: Show
) -> None:
    await book(shop, buyer, hall)
    await shop.add(ada, show)
    await check_out(shop, buyer, "20.50")
    payment = await payment_of(shop, buyer)
    await put_back(shop.context, buyer, order_id=payment.order_id)
    async with unit_of_work(shop.context.database) as uow:
        calendar = shop.context.services.calendar
        await calendar.set_pending_tickets(
            uow.session,
            user_id=ada,
            entry_id=show.entry_id,
            ticket_type_id=show.type_id,
            quantity=0,
            now=shop.clock(),
        )
        [entry] = await calendar.pending_entries(uow.session, CartOwner.of_user(ada))
        await calendar.remove_pending_booking(uow.session, CartOwner.of_user(ada), entry_id=entry.id)
        await uow.commit()
    shop.pay(payment, force=True)
    await settle(shop.context, payment.id)
    assert await shop.tickets(ada) == ["cancelled", "confirmed"]
    assert await entries_of(shop, hall) == ["cancelled", "confirmed"]
    lines = ids_of(await lines_of(shop, payment.order_id), *LineKind)

    assert await cancel(shop, payment.order_id, lines) == lines

    assert (await shop.held(show), await slots_held(shop, hall)) == ((0, 0, 0), 0)


async def test_the_journal_says_who_and_why(shop: Shop, paid: Order) -> None:
    await cancel(shop, paid.id, ids_of(await lines_of(shop, paid.id), *LineKind))
    async with unit_of_work(shop.context.database) as uow:
        told = await uow.session.execute(
            select(JournalEntry.thing, JournalEntry.actor, JournalEntry.why, JournalEntry.order_id)
            .where(JournalEntry.event == "cancelled")
            .order_by(JournalEntry.thing)
        )
        rows = [tuple(row) for row in told]
    assert rows == [(thing, ACTOR, "without a refund", paid.id) for thing in ("entry", "stock", "ticket", "ticket")]


async def test_the_buyer_reads_what_was_cancelled(shop: Shop, paid: Order) -> None:
    lines = await lines_of(shop, paid.id)
    await cancel(shop, paid.id, [line.id for line in lines])
    [mail] = await mails_of(shop)
    assert (mail.recipient, mail.key) == ("shopper1@maypole.example", f"lines-cancelled:{paid.id}:{lines[0].id}")
    assert mail.subject == f"Cancelled in your order {paid.number}"
    assert all(f"{line.quantity} x {line.title}" in mail.text and line.title in mail.html for line in lines)
    assert order_url(shop.context.settings, order_to_dto(paid, [])) in mail.text


async def test_the_buyer_reads_whom_to_ask_about_what_was_cancelled_and_nobody_else(
    shop: Shop, buyer: Buyer, goods: Goods, hall: Hall
) -> None:
    await let_ask(shop, goods.page_post_id, "ann@barn.example")
    await let_ask(shop, hall.page_post_id, "hall@barn.example")
    await put(shop, buyer, goods, 2)
    await book(shop, buyer, hall)
    order = await pay_for_cart(shop, buyer, "17.00")
    await cancel(shop, order.id, ids_of(await lines_of(shop, order.id), LineKind.BOOKING))
    [mail] = await mails_of(shop)
    assert mail.reply_to == "hall@barn.example"
    assert "\n\nQuestions? Write to hall@barn.example.\n\n" in mail.text
    assert "mailto:hall@barn.example" in mail.html
    assert "ann@" not in mail.text + mail.html


async def test_lines_of_another_order_are_not_found(shop: Shop, paid: Order, bob: int, hall: Hall) -> None:
    other = await make_goods(shop)
    await put(shop, Buyer.of_user(bob), other)
    await check_out(shop, Buyer.of_user(bob), Decimal("4.50"))
    [theirs] = await orders_of(shop, Buyer.of_user(bob))
    mixed = ids_of(await lines_of(shop, paid.id), *LineKind) + ids_of(await lines_of(shop, theirs.id), *LineKind)
    with pytest.raises(NotFound):
        await cancel(shop, paid.id, mixed)
    assert await entries_of(shop, hall) == ["confirmed"]


async def test_an_unpaid_order_is_not_cancelled_this_way(shop: Shop, ada: int, show: Show) -> None:
    payment = await shop.buy(ada, show)
    with pytest.raises(Conflict, match="not paid"):
        await cancel(shop, payment.order_id, ids_of(await lines_of(shop, payment.order_id), *LineKind))
    assert (await shop.tickets(ada), await shop.held(show)) == (["reserved"], (1, 1, 1))
