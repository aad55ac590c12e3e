"""What the provider and the network may do between any two steps: nothing is released, paid or refunded by guess."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import func, select

from cart.orders.buyer import Buyer
from cart.payments.create_checkout import TRIES
from cart.payments.fence import PutBackOutcome, put_back
from cart.payments.notices import store_notice
from cart.payments.open_payment import open_payment
from cart.payments.resume import continue_payment
from cart.payments.settle import record_status, settle, settle_or_raise
from cart.provider.reconcile import look_at_payment
from cart.refunds.refund import refund_debt
from shared.contracts.errors import Conflict, GatewayNotFound, GatewayUnavailable, RateLimited, Unavailable
from shared.db.engine import Database
from shared.db.uow import unit_of_work
from shared.models import Payment, PaymentNotice
from shared.payments.accounts import OneGateway
from shared.settings import Settings
from tests.fakes.interrupted import InterruptedGateway
from tests.support.shop import Shop, Show, open_shop


@pytest.fixture
def shop(database: Database, settings: Settings) -> Shop:
    """A shop whose provider can be interrupted."""
    opened = open_shop(database, settings)
    gateway = InterruptedGateway(clock=opened.clock)
    return replace(opened, gateway=gateway, context=replace(opened.context, gateways=OneGateway(gateway)))


@pytest.fixture
def gateway(shop: Shop) -> InterruptedGateway:
    assert isinstance(shop.gateway, InterruptedGateway)
    return shop.gateway


async def state_of(shop: Shop, user_id: int) -> tuple[str, str, list[str]]:
    """Give the states of somebody's last order and payment, and of their tickets."""
    return (
        (await shop.orders(user_id))[-1].state,
        (await shop.payments(user_id))[-1].state,
        await shop.tickets(user_id),
    )


# --- an attempt whose answer was lost ---


async def lose_create(shop: Shop, user_id: int, show: Show) -> Payment:
    """Check out, and lose the answer."""
    await shop.add(user_id, show)
    shop.gateway.drop_next_answer("create", TRIES)
    await shop.check_out(user_id, show.cost)
    return (await shop.payments(user_id))[-1]


async def test_seats_are_kept_while_a_lost_attempt_cannot_be_looked_up(shop: Shop, ada: int, show: Show) -> None:
    payment = await lose_create(shop, ada, show)
    shop.clock.forward(minutes=3)
    shop.gateway.fail_next(GatewayUnavailable(), "find")
    assert await put_back(shop.context, Buyer.of_user(ada), order_id=payment.order_id) is PutBackOutcome.CHECKING
    assert await state_of(shop, ada) == ("pending", "closing", ["reserved"])
    shop.clock.forward(minutes=1)
    await shop.work()
    assert await state_of(shop, ada) == ("cancelled", "expired", ["pending"])


async def test_an_attempt_that_never_arrived_is_released_by_itself_long_before_its_deadline(
    shop: Shop, ada: int, show: Show
) -> None:
    payment = await lose_create(shop, ada, show)
    shop.gateway.forget(payment.checkout_reference)
    shop.clock.forward(minutes=1)
    await shop.work()
    assert await state_of(shop, ada) == ("pending", "unknown", ["reserved"])
    shop.clock.forward(minutes=2)
    await shop.work()
    assert await state_of(shop, ada) == ("failed", "cancelled", ["pending"])


async def test_a_known_checkout_that_the_provider_does_not_find_keeps_its_seats(
    shop: Shop, ada: int, show: Show
) -> None:
    payment = await shop.buy(ada, show)
    shop.gateway.fail_next(GatewayNotFound("NOT_FOUND"), "cancel")
    shop.clock.forward(minutes=10)
    assert await put_back(shop.context, Buyer.of_user(ada), order_id=payment.order_id) is PutBackOutcome.CHECKING
    assert await state_of(shop, ada) == ("pending", "closing", ["reserved"])
    shop.pay(payment)  # on the page that is still open
    shop.clock.forward(minutes=1)
    await shop.work()
    assert await state_of(shop, ada) == ("paid", "paid", ["confirmed"])


async def test_of_two_presses_whose_first_is_slow_no_second_checkout_stays_payable(
    shop: Shop, gateway: InterruptedGateway, ada: int, show: Show
) -> None:
    await shop.add(ada, show)

    async def press_again() -> None:
        gateway.fail_next(RateLimited(), "create")
        with pytest.raises(Unavailable):
            await open_payment(shop.context, (await shop.payments(ada))[0].id)

    gateway.interrupt("create", press_again)
    await shop.check_out(ada, show.cost)

    (payment,) = await shop.payments(ada)
    assert payment.checkout_id is not None
    assert (await gateway.get(payment.checkout_id)).status == "expired"
    assert await state_of(shop, ada) == ("failed", "cancelled", ["pending"])


async def test_a_closed_payment_that_is_not_known_is_not_asked_about_for_ever(shop: Shop, ada: int, show: Show) -> None:
    payment = await shop.buy(ada, show)
    shop.clock.forward(minutes=31)
    await shop.work()
    shop.gateway.forget(payment.checkout_reference)
    for _ in range(20):
        shop.clock.forward(minutes=10)
        await shop.work()
    assert (await shop.payments(ada))[0].next_check_at is None


# --- a webhook that came while the provider could not be asked ---


async def unhandled(shop: Shop) -> int:
    """Count the notices that wait for an answer."""
    async with unit_of_work(shop.context.database) as uow:
        statement = select(func.count()).select_from(PaymentNotice).where(PaymentNotice.handled_at.is_(None))
        return await uow.session.scalar(statement) or 0


async def test_a_notice_is_answered_once_the_provider_could_be_asked(shop: Shop, ada: int, show: Show) -> None:
    payment = await shop.buy(ada, show)
    shop.clock.forward(minutes=31)
    await shop.work()
    for _ in range(20):  # past the last look at a closed payment
        shop.clock.forward(minutes=10)
        await shop.work()
    shop.pay(payment, force=True)
    async with unit_of_work(shop.context.database) as uow:
        await store_notice(uow.session, payment_id=payment.id, event_type="CHECKOUT_STATUS_CHANGED")
        await uow.commit()
    shop.gateway.fail_next(GatewayUnavailable(), "get")
    await look_at_payment(shop.context, payment.id)
    assert (await unhandled(shop), await shop.tickets(ada)) == (1, ["pending"])
    shop.clock.forward(minutes=1)
    await shop.work()
    assert (await unhandled(shop), await shop.tickets(ada)) == (0, ["confirmed"])


# --- recorded, and not fulfilled yet ---


async def test_what_is_recorded_as_paid_is_not_offered_for_payment_again(shop: Shop, ada: int, show: Show) -> None:
    payment = await shop.buy(ada, show)
    shop.pay(payment)
    assert payment.checkout_id is not None
    await record_status(shop.context, payment.id, await shop.gateway.get(payment.checkout_id))
    url = await continue_payment(shop.context, Buyer.of_user(ada), order_id=payment.order_id)
    assert "/checkout/return/" in url
    assert await state_of(shop, ada) == ("paid", "paid", ["confirmed"])


async def test_what_a_person_has_to_look_at_is_being_checked(shop: Shop, ada: int, show: Show) -> None:
    payment = await shop.buy(ada, show)
    assert payment.checkout_id is not None
    shop.gateway.pay(payment.checkout_id, amount=show.cost - 1)
    assert await settle(shop.context, payment.id) == "review"
    url = await continue_payment(shop.context, Buyer.of_user(ada), order_id=payment.order_id)
    assert "/checkout/return/" in url
    assert await state_of(shop, ada) == ("pending", "review", ["reserved"])


async def test_an_open_checkout_that_is_not_what_was_asked_for_is_closed(shop: Shop, ada: int, show: Show) -> None:
    payment = await shop.buy(ada, show)
    assert payment.checkout_id is not None
    shop.gateway.change(payment.checkout_id, amount=show.cost + 1)
    assert (await settle_or_raise(shop.context, payment.id)).state == "closing"
    shop.clock.forward(minutes=31)
    with pytest.raises(Conflict):
        await continue_payment(shop.context, Buyer.of_user(ada), order_id=payment.order_id)
    assert (await shop.gateway.get(payment.checkout_id)).status == "expired"
    assert await state_of(shop, ada) == ("expired", "expired", ["pending"])


# --- a refund between whose steps another one is made ---


async def test_a_refund_made_meanwhile_is_not_taken_for_ours(
    shop: Shop, gateway: InterruptedGateway, ada: int, bob: int, show: Show
) -> None:
    late = await shop.buy(ada, show, 2)
    shop.clock.forward(minutes=31)
    await shop.work()
    await shop.buy_and_pay(bob, show, 2)
    shop.pay(late, force=True)
    await settle(shop.context, late.id)
    first, second = await shop.debts()

    async def other_admin() -> None:
        with pytest.raises(Conflict):
            await refund_debt(shop.context, debt_id=second.id, actor_user_id=bob)

    gateway.interrupt("transaction", other_admin)
    gateway.fail_next(GatewayUnavailable(), "refund")
    await refund_debt(shop.context, debt_id=first.id, actor_user_id=bob)
    shop.clock.forward(minutes=11)
    await shop.work()

    assert [refund.state for refund in await shop.refunds()] == ["failed"]
    assert [debt.state for debt in await shop.debts()] == ["owed", "owed"]
