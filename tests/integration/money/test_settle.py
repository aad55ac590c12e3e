"""Settling, late money and fencing (docs/money.md, promises 4 to 10)."""

from __future__ import annotations

import asyncio
from decimal import Decimal

import pytest
from sqlalchemy import select

from cart.orders.buyer import Buyer
from cart.orders.mails import write_order_mails
from cart.payments.create_checkout import TRIES
from cart.payments.fence import PutBackOutcome, put_back
from cart.payments.resume import continue_payment
from cart.payments.settle import record_status, settle
from shared.contracts.errors import Conflict, GatewayUnavailable, NotFound, SoldOut
from shared.db.uow import unit_of_work
from shared.models import Mail
from tests.support.shop import Shop, Show


async def test_a_paid_checkout_confirms_the_tickets_once(shop: Shop, ada: int, show: Show) -> None:
    payment = await shop.buy(ada, show, 2)
    shop.pay(payment)
    states = await asyncio.gather(*(settle(shop.context, payment.id) for _ in range(8)))
    assert set(states) == {"paid"}
    assert await shop.tickets(ada) == ["confirmed", "confirmed"]
    assert (await shop.journal("order")).count("paid") == 1


async def test_a_declined_card_leaves_the_order_open_and_it_can_still_be_paid(shop: Shop, ada: int, show: Show) -> None:
    payment = await shop.buy(ada, show)
    shop.gateway.decline_next()
    shop.pay(payment)
    assert await settle(shop.context, payment.id) == "open"
    shop.pay(payment)
    assert await settle(shop.context, payment.id) == "paid"


async def test_nobody_being_told_the_reconciler_finds_the_payment(shop: Shop, ada: int, show: Show) -> None:
    payment = await shop.buy(ada, show)
    shop.pay(payment)
    shop.clock.forward(seconds=31)
    await shop.work()
    assert await shop.tickets(ada) == ["confirmed"]


@pytest.mark.parametrize("seconds", [0, 130, 250, 570, 850])
async def test_nobody_being_told_it_is_settled_within_two_minutes_of_payment(
    shop: Shop, ada: int, show: Show, seconds: int
) -> None:
    payment = await shop.buy(ada, show, 2)
    pause = shop.context.settings.reconcile_every_s

    async def let_the_worker_work(for_s: float) -> None:
        for _ in range(int(for_s / pause)):
            shop.clock.forward(seconds=pause)
            await shop.work()

    await let_the_worker_work(seconds)
    shop.pay(payment)
    await let_the_worker_work(120)

    assert await shop.tickets(ada) == ["confirmed", "confirmed"]


async def test_a_crash_between_recording_and_giving_is_made_good(shop: Shop, ada: int, show: Show) -> None:
    payment = await shop.buy(ada, show)
    shop.pay(payment)
    assert payment.checkout_id is not None
    await record_status(shop.context, payment.id, await shop.gateway.get(payment.checkout_id))
    assert await shop.tickets(ada) == ["reserved"]
    await shop.work()
    assert await shop.tickets(ada) == ["confirmed"]


async def test_a_provider_that_does_not_answer_changes_nothing(shop: Shop, ada: int, show: Show) -> None:
    payment = await shop.buy(ada, show)
    shop.pay(payment)
    shop.gateway.fail_next(GatewayUnavailable(), "get")
    assert await settle(shop.context, payment.id) == "open"
    assert await shop.tickets(ada) == ["reserved"]
    assert await settle(shop.context, payment.id) == "paid"


async def test_another_amount_is_never_paid(shop: Shop, ada: int, show: Show) -> None:
    payment = await shop.buy(ada, show)
    assert payment.checkout_id is not None
    shop.gateway.pay(payment.checkout_id, amount=Decimal("1.00"))
    assert await settle(shop.context, payment.id) == "review"
    assert await shop.tickets(ada) == ["reserved"]
    assert (await shop.payments(ada))[0].review_reason == "amount"


# --- the deadline ---


async def test_an_unpaid_order_is_released_at_its_deadline_and_not_before(shop: Shop, ada: int, show: Show) -> None:
    await shop.buy(ada, show, 2)
    shop.clock.forward(minutes=29)
    await shop.work()
    assert await shop.tickets(ada) == ["reserved", "reserved"]
    shop.clock.forward(minutes=2)
    await shop.work()
    assert await shop.tickets(ada) == ["pending", "pending"]
    assert [order.state for order in await shop.orders(ada)] == ["expired"]
    assert await shop.held(show) == (0, 0, 0)


async def test_seats_are_kept_while_the_provider_is_out_of_reach(shop: Shop, ada: int, show: Show) -> None:
    payment = await shop.buy(ada, show)
    shop.clock.forward(minutes=31)
    shop.gateway.fail_next(GatewayUnavailable(), "cancel")
    await shop.work()
    assert (await shop.tickets(ada), (await shop.payments(ada))[0].state) == (["reserved"], "closing")
    with pytest.raises(Conflict):
        await continue_payment(shop.context, Buyer.of_user(ada), order_id=payment.order_id)


async def test_money_that_meets_the_fence_is_honoured(shop: Shop, ada: int, show: Show) -> None:
    payment = await shop.buy(ada, show)
    shop.pay(payment)
    shop.clock.forward(minutes=31)
    await shop.work()
    assert shop.gateway.calls["cancel"] == 1
    assert await shop.tickets(ada) == ["confirmed"]


async def test_a_checkout_that_finds_nothing_left_frees_overdue_seats(
    shop: Shop, ada: int, bob: int, show: Show
) -> None:
    await shop.buy(ada, show, 2)
    await shop.add(bob, show)
    with pytest.raises(SoldOut):
        await shop.check_out(bob, "12.50")
    shop.clock.forward(minutes=31)
    await shop.check_out(bob, "12.50")
    assert (await shop.tickets(ada), await shop.tickets(bob)) == (["pending", "pending"], ["reserved"])


async def test_an_attempt_that_never_reached_the_provider_is_released(shop: Shop, ada: int, show: Show) -> None:
    await shop.add(ada, show)
    shop.gateway.drop_next_answer("create", TRIES)
    await shop.check_out(ada, "12.50")
    (payment,) = await shop.payments(ada)
    shop.gateway.forget(payment.checkout_reference)
    shop.clock.forward(minutes=31)
    await shop.work()
    assert (await shop.tickets(ada), (await shop.payments(ada))[0].state) == (["pending"], "cancelled")


# --- put back ---


async def test_putting_back_fences_first(shop: Shop, ada: int, show: Show) -> None:
    payment = await shop.buy(ada, show)
    assert await put_back(shop.context, Buyer.of_user(ada), order_id=payment.order_id) is PutBackOutcome.RELEASED
    assert (await shop.tickets(ada), await shop.held(show)) == (["pending"], (0, 0, 0))
    assert payment.checkout_id is not None
    assert (await shop.gateway.get(payment.checkout_id)).status == "expired"


async def test_putting_back_what_is_paid_keeps_it(shop: Shop, ada: int, show: Show) -> None:
    payment = await shop.buy(ada, show)
    shop.pay(payment)
    assert await put_back(shop.context, Buyer.of_user(ada), order_id=payment.order_id) is PutBackOutcome.PAID
    assert await shop.tickets(ada) == ["confirmed"]


async def test_putting_back_waits_for_the_provider(shop: Shop, ada: int, show: Show) -> None:
    payment = await shop.buy(ada, show)
    shop.gateway.fail_next(GatewayUnavailable(), "cancel")
    assert await put_back(shop.context, Buyer.of_user(ada), order_id=payment.order_id) is PutBackOutcome.CHECKING
    assert await shop.tickets(ada) == ["reserved"]
    shop.clock.forward(minutes=1)
    await shop.work()
    assert await shop.tickets(ada) == ["pending"]


async def test_nobody_else_can_put_it_back_or_pay_it(shop: Shop, ada: int, bob: int, show: Show) -> None:
    payment = await shop.buy(ada, show)
    with pytest.raises(NotFound):
        await put_back(shop.context, Buyer.of_user(bob), order_id=payment.order_id)
    with pytest.raises(NotFound):
        await continue_payment(shop.context, Buyer.of_user(bob), order_id=payment.order_id)
    assert await shop.tickets(ada) == ["reserved"]


# --- late money ---


async def released(shop: Shop, user_id: int) -> None:
    """Let the deadline pass and the order go."""
    shop.clock.forward(minutes=31)
    await shop.work()
    assert "reserved" not in await shop.tickets(user_id)


async def test_late_money_takes_the_old_tickets_while_there_are_seats(shop: Shop, ada: int, show: Show) -> None:
    payment = await shop.buy(ada, show, 2)
    await released(shop, ada)
    shop.pay(payment, force=True)
    await settle(shop.context, payment.id)
    assert await shop.tickets(ada) == ["confirmed", "confirmed"]
    assert ([order.state for order in await shop.orders(ada)], await shop.debts()) == (["paid"], [])


async def test_late_money_makes_new_tickets_where_the_old_ones_were_taken_out(shop: Shop, ada: int, show: Show) -> None:
    payment = await shop.buy(ada, show)
    await released(shop, ada)
    async with shop.context.database.sessions() as session:
        await shop.context.services.calendar.set_pending_tickets(
            session, user_id=ada, entry_id=show.entry_id, ticket_type_id=show.type_id, quantity=0, now=shop.clock()
        )
        await session.commit()
    shop.pay(payment, force=True)
    await settle(shop.context, payment.id)
    await settle(shop.context, payment.id)
    assert await shop.tickets(ada) == ["cancelled", "confirmed"]


@pytest.mark.parametrize("both_at_once", [True, False])
async def test_two_late_payments_for_the_same_ticket_give_it_once_and_owe_the_other(
    shop: Shop, ada: int, show: Show, *, both_at_once: bool
) -> None:
    first = await shop.buy(ada, show)
    await released(shop, ada)
    await shop.check_out(ada, show.cost)
    second = (await shop.payments(ada))[-1]
    await released(shop, ada)
    async with shop.context.database.sessions() as session:
        await shop.context.services.calendar.set_pending_tickets(
            session, user_id=ada, entry_id=show.entry_id, ticket_type_id=show.type_id, quantity=0, now=shop.clock()
        )
        await session.commit()
    for payment in (first, second):
        shop.pay(payment, force=True)
        if not both_at_once:
            await settle(shop.context, payment.id)
    for payment in (first, second, second):
        await settle(shop.context, payment.id)
    assert await shop.tickets(ada) == ["cancelled", "confirmed"]
    assert [(debt.payment_id, debt.reason) for debt in await shop.debts()] == [(second.id, "paid_twice")]


async def test_late_money_for_a_sold_out_event_is_a_debt(shop: Shop, ada: int, bob: int, show: Show) -> None:
    payment = await shop.buy(ada, show, 2)
    await released(shop, ada)
    await shop.buy_and_pay(bob, show)
    shop.pay(payment, force=True)
    await settle(shop.context, payment.id)
    await settle(shop.context, payment.id)
    assert await shop.tickets(ada) == ["oversold", "oversold"]
    assert [(debt.amount, debt.reason, debt.state) for debt in await shop.debts()] == [
        (Decimal("12.50"), "sold_out", "owed")
    ] * 2
    assert await shop.held(show) == (1, 1, 1)
    await write_order_mails(shop.context, payment.order_id)
    async with unit_of_work(shop.context.database) as uow:
        [text] = await uow.session.scalars(select(Mail.text).where(Mail.kind == "order-oversold"))
    assert "what you paid for could not be given to you any more" in text


async def test_late_money_for_what_was_bought_again_is_a_debt(shop: Shop, ada: int) -> None:
    show = await shop.show(capacity=10)
    payment = await shop.buy(ada, show)
    await released(shop, ada)
    await shop.check_out(ada, "12.50")
    second = (await shop.payments(ada))[-1]
    shop.pay(second)
    await settle(shop.context, second.id)
    shop.pay(payment, force=True)
    await settle(shop.context, payment.id)
    assert await shop.tickets(ada) == ["confirmed"]
    assert [(debt.amount, debt.reason) for debt in await shop.debts()] == [(Decimal("12.50"), "paid_twice")]


async def test_late_money_is_found_by_the_reconciler_alone(shop: Shop, ada: int, show: Show) -> None:
    payment = await shop.buy(ada, show)
    await released(shop, ada)
    shop.pay(payment, force=True)
    shop.clock.forward(minutes=61)
    await shop.work()
    assert await shop.tickets(ada) == ["confirmed"]
