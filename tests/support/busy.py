"""A busy day: a shop on which every kind of order has been through everything that may become of one."""

from __future__ import annotations

import uuid
from datetime import timedelta
from decimal import Decimal
from secrets import token_urlsafe

from sqlalchemy import select

from cart.bp.bookings.services import decide_booking
from cart.orders.mails import write_order_mails
from cart.payments.create_checkout import TRIES
from cart.payments.notices import store_notice
from cart.payments.open_payment import open_payment
from cart.payments.settle import settle
from cart.provider.reconcile import look_at_payment
from cart.refunds.refund import refund_debt, settle_refund
from shared.contracts.journal import JournalThing
from shared.contracts.states import DebtState, OrderState, PaymentState
from shared.db.uow import unit_of_work
from shared.models import CalendarEntry, Debt, Mail, Order, Payment
from shared.services.journal import record, user_actor
from tests.support.mixed import book, check_out, make_goods, make_guest, make_hall, put
from tests.support.shop import Shop


async def have_a_busy_day(shop: Shop) -> None:
    """Let shoppers and an admin do all that they can."""
    admin = await shop.shopper()
    await _mixed_orders(shop)
    await _late_and_lost(shop, admin)
    await _bookings_decided(shop, admin)
    await _attempts(shop, admin)
    await _open_ends(shop)
    await tell_everybody(shop)


async def tell_everybody(shop: Shop) -> None:
    """Write and send the mails."""
    async with unit_of_work(shop.context.database) as uow:
        order_ids = list(await uow.session.scalars(select(Order.id).where(Order.paid_at.is_not(None))))
    for order_id in order_ids:
        await write_order_mails(shop.context, order_id)
    async with unit_of_work(shop.context.database) as uow:
        for mail in await uow.session.scalars(select(Mail)):
            mail.sent_at = shop.clock()
        await uow.session.flush()
        await uow.commit()


async def _mixed_orders(shop: Shop) -> None:
    """Sell tickets, an hour and jars to a user and to a guest, and something for nothing."""
    show, goods, hall = await shop.show(capacity=20), await make_goods(shop, stock=9), await make_hall(shop)
    user = await shop.shopper()
    await shop.buy_and_pay(user, show, 2)
    guest = await make_guest(shop)
    await put(shop, guest, goods, 2)
    await book(shop, guest, hall)
    await check_out(shop, guest, "17.00")
    await _notify(shop, await _pay_last(shop))
    free = await shop.show(cost="0.00")
    await shop.add(user, free)
    await shop.check_out(user, "0.00")
    await put(shop, guest, goods, 1)
    await book(shop, guest, hall, 1)
    await check_out(shop, guest, "12.50")  # stays open


async def _late_and_lost(shop: Shop, admin: int) -> None:
    """Let money come late: where the seats are still there, where they are gone, and where they were bought again."""
    ada, bob, show = await shop.shopper(), await shop.shopper(), await shop.show(capacity=2)
    late, lost = await shop.buy(ada, show, 2), await shop.show(capacity=1)
    other = await shop.buy(bob, lost)
    shop.clock.forward(minutes=31)
    await shop.work()
    await shop.buy_and_pay(await shop.shopper(), lost)
    for payment in (late, other):
        shop.pay(payment, force=True)
        await settle(shop.context, payment.id)
    again = await shop.buy(bob, show := await shop.show(capacity=5))
    shop.clock.forward(minutes=31)
    await shop.work()
    await shop.check_out(bob, show.cost)
    await _pay_last(shop)
    shop.pay(again, force=True)
    await settle(shop.context, again.id)
    sold_out, paid_twice = await shop.debts()
    await refund_debt(shop.context, debt_id=sold_out.id, actor_user_id=admin)
    shop.gateway.refuse_refunds("Not enough balance")
    await refund_debt(shop.context, debt_id=paid_twice.id, actor_user_id=admin)
    shop.gateway.refuse_refunds("")
    await _settle_by_hand(shop, paid_twice.id, admin)


async def _settle_by_hand(shop: Shop, debt_id: int, admin: int) -> None:
    """Pay a debt back by bank transfer."""
    async with unit_of_work(shop.context.database) as uow:
        debt = await uow.session.get_one(Debt, debt_id)
        debt.state, debt.settled_at, debt.by_hand = "settled", shop.clock(), True
        debt.settled_by, debt.note = admin, "bank transfer"
        (await uow.session.get_one(Order, debt.order_id)).state = "refunded"
        await uow.session.flush()
        actor, order_id = user_actor(admin), debt.order_id
        await record(
            uow.session,
            thing=JournalThing.DEBT,
            thing_id=debt.id,
            order_id=order_id,
            event=DebtState.SETTLED,
            actor=actor,
        )
        await record(
            uow.session,
            thing=JournalThing.ORDER,
            thing_id=order_id,
            order_id=order_id,
            event=OrderState.REFUNDED,
            actor=actor,
        )
        await uow.commit()


async def _bookings_decided(shop: Shop, admin: int) -> None:
    """Approve one booking, decline another, and leave a third waiting."""
    hall, user = await make_hall(shop, needs_approval=True), await shop.shopper()
    for number, approved in enumerate((True, False, None)):
        buyer = await make_guest(shop)
        await book(shop, buyer, hall, number)
        await check_out(shop, buyer, "8.00")
        await _pay_last(shop)
        if approved is not None:
            await decide_booking(
                shop.context, entry_id=await _last_booking(shop), approved=approved, actor_user_id=user
            )
    await refund_debt(shop.context, debt_id=(await shop.debts())[-1].id, actor_user_id=admin)


async def _attempts(shop: Shop, admin: int) -> None:
    """Let an order be paid by two attempts, a refund's answer be lost, and another amount arrive than was asked for."""
    user, show = await shop.shopper(), await shop.show(capacity=9)
    first = await shop.buy_and_pay(user, show)
    second = await _second_attempt(shop, first)
    shop.pay(second)
    await settle(shop.context, second.id)
    shop.gateway.drop_next_answer("refund")
    shop.gateway.hold_refunds()
    debt = (await shop.debts())[-1]
    assert debt.reason == "paid_twice"
    refund = await refund_debt(shop.context, debt_id=debt.id, actor_user_id=admin)
    await settle_refund(shop.context, (await shop.refunds())[-1].id)
    assert refund == "unknown"
    mismatch = await shop.buy(user, show)
    assert mismatch.checkout_id is not None
    shop.gateway.pay(mismatch.checkout_id, amount=Decimal("1.00"))
    assert await settle(shop.context, mismatch.id) == PaymentState.REVIEW


async def _open_ends(shop: Shop) -> None:
    """Leave an order waiting for its payment, one whose answer was lost, and full carts."""
    show, goods = await shop.show(capacity=9), await make_goods(shop, stock=3)
    for lost in (False, True):
        user = await shop.shopper()
        await shop.add(user, show)
        if lost:
            shop.gateway.drop_next_answer("create", TRIES)
        await shop.check_out(user, show.cost)
    guest = await make_guest(shop)
    await put(shop, guest, goods)
    await shop.add(await shop.shopper(), show, 3)


async def _notify(shop: Shop, payment_id: int) -> None:
    """Let the provider call, and look at the payment because of it."""
    async with unit_of_work(shop.context.database) as uow:
        await store_notice(uow.session, payment_id=payment_id, event_type="CHECKOUT_STATUS_CHANGED")
        await uow.commit()
    await look_at_payment(shop.context, payment_id)


async def _pay_last(shop: Shop) -> int:
    """Pay the newest payment of all, and return its id."""
    async with unit_of_work(shop.context.database) as uow:
        payment = (await uow.session.scalars(select(Payment).order_by(Payment.id.desc()).limit(1))).one()
    shop.pay(payment)
    assert await settle(shop.context, payment.id) == PaymentState.PAID
    return payment.id


async def _last_booking(shop: Shop) -> int:
    """Return the id of the newest booking."""
    async with unit_of_work(shop.context.database) as uow:
        newest = select(CalendarEntry.id).where(CalendarEntry.kind == "booking").order_by(CalendarEntry.id.desc())
        return (await uow.session.scalars(newest.limit(1))).one()


async def _second_attempt(shop: Shop, first: Payment) -> Payment:
    """Open a second attempt to pay an order that is paid: what no page of ours does."""
    async with unit_of_work(shop.context.database) as uow:
        second = Payment(
            order_id=first.order_id,
            merchant_code=first.merchant_code,
            amount=first.amount,
            currency=first.currency,
            checkout_reference=str(uuid.uuid4()),
            return_token=token_urlsafe(16),
            webhook_token=token_urlsafe(16),
            valid_until=shop.clock() + timedelta(minutes=30),
            created_at=shop.clock(),
            next_check_at=shop.clock(),
        )
        uow.session.add(second)
        await uow.session.flush()
        named = {"thing": JournalThing.PAYMENT, "thing_id": second.id, "order_id": second.order_id}
        await record(uow.session, **named, event=PaymentState.CREATED, actor="system")
        await uow.commit()
    await open_payment(shop.context, second.id)
    async with unit_of_work(shop.context.database) as uow:
        return await uow.session.get_one(Payment, second.id)
