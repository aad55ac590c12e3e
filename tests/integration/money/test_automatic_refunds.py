"""Refunds that go back by themselves, where a page says so (docs/money.md, promise 9)."""

from __future__ import annotations

from uuid import uuid4

import pytest
from sqlalchemy import select

from cart.bp.accounts.services import refund_page_automatically
from cart.payments.settle import settle
from cart.refunds.automatic import refund_automatically
from cart.refunds.refund_lines import Decision, refund_lines
from cart.refunds.refundable import Wish
from cart.worker import sweep
from shared.contracts.access import EVERYWHERE
from shared.contracts.dtos import MovementStatus
from shared.contracts.errors import GatewayUnavailable, NotFound
from shared.db.uow import unit_of_work
from shared.models import Debt, JournalEntry, Payment
from tests.support.shop import Shop, Show


async def choose(shop: Shop, admin: int, *shows: Show, automatic: bool = True) -> None:
    for show in shows:
        await refund_page_automatically(
            shop.context, page_post_id=show.page_post_id, automatic=automatic, actor_user_id=admin
        )


async def pay_too_late(shop: Shop, late: int, quick: int, *shows: Show) -> Payment:
    """Let somebody pay for the seats of some shows that somebody else has bought meanwhile."""
    for show in shows:
        await shop.add(late, show, 2)
    await shop.check_out(late, sum(show.cost * 2 for show in shows))
    payment = (await shop.payments(late))[-1]
    shop.clock.forward(minutes=31)
    await shop.work()
    for show in shows:
        await shop.buy_and_pay(quick, show, 2)
    shop.pay(payment, force=True)
    await settle(shop.context, payment.id)
    return payment


async def states(shop: Shop) -> list[str]:
    return [debt.state for debt in await shop.debts()]


async def test_what_is_owed_waits_for_a_person_unless_the_page_says_otherwise(
    shop: Shop, ada: int, bob: int, show: Show
) -> None:
    await pay_too_late(shop, ada, bob, show)
    await refund_automatically(shop.context)
    assert await states(shop) == ["owed", "owed"]
    await choose(shop, bob, show)
    await refund_automatically(shop.context)
    assert await states(shop) == ["settled", "settled"]
    await choose(shop, bob, show, automatic=False)


async def test_the_workers_sweep_does_it_and_the_journal_says_that_nobody_asked(
    shop: Shop, ada: int, bob: int, show: Show
) -> None:
    await choose(shop, bob, show)
    await pay_too_late(shop, ada, bob, show)
    await sweep(shop.context)
    assert await states(shop) == ["settled", "settled"]
    assert {refund.requested_by for refund in await shop.refunds()} == {None}
    async with unit_of_work(shop.context.database) as uow:
        asked = select(JournalEntry.actor).where(JournalEntry.thing == "refund", JournalEntry.event == "requested")
        assert set(await uow.session.scalars(asked)) == {"worker"}


async def test_all_pages_of_an_order_must_want_it_where_it_is_about_the_whole_payment(
    shop: Shop, ada: int, bob: int
) -> None:
    one, other = await shop.show(capacity=10), await shop.show(capacity=10)
    await choose(shop, bob, one)
    await shop.add(ada, one)
    await shop.add(ada, other)
    await shop.check_out(ada, one.cost + other.cost)
    payment = (await shop.payments(ada))[-1]
    shop.pay(payment)
    await settle(shop.context, payment.id)
    async with unit_of_work(shop.context.database) as uow:
        uow.session.add(
            Debt(
                order_id=payment.order_id,
                payment_id=payment.id,
                amount=payment.amount,
                currency=payment.currency,
                reason="paid_twice",
            )
        )
        await uow.session.flush()
        await uow.commit()
    await refund_automatically(shop.context)
    assert await states(shop) == ["owed"]
    await choose(shop, bob, other)
    await refund_automatically(shop.context)
    assert await states(shop) == ["settled"]


async def test_a_line_of_a_page_that_wants_it_goes_back_and_another_pages_waits(
    shop: Shop, ada: int, bob: int, show: Show
) -> None:
    other = await shop.show(capacity=2)
    await choose(shop, bob, show)
    await pay_too_late(shop, ada, bob, show, other)
    await refund_automatically(shop.context)
    assert await states(shop) == ["settled", "settled", "owed", "owed"]


async def test_a_refusal_is_tried_again_twice_growing_apart_and_then_waits_for_a_person(
    shop: Shop, ada: int, bob: int, show: Show
) -> None:
    await choose(shop, bob, show)
    await pay_too_late(shop, ada, bob, show)
    shop.gateway.refuse_refunds("Balance too low")
    tries = []
    for minutes in (0, 14, 2, 230, 11, 10_000, 10_000):
        shop.clock.forward(minutes=minutes)
        await refund_automatically(shop.context)
        tries.append(shop.gateway.calls["refund"])
    assert tries == [2, 2, 4, 4, 6, 6, 6]
    assert await states(shop) == ["owed", "owed"]


async def test_what_somebody_refunded_and_was_refused_is_for_them_to_try_again(
    shop: Shop, ada: int, bob: int, show: Show
) -> None:
    await choose(shop, bob, show)
    payment = await shop.buy_and_pay(ada, show)
    shop.gateway.refuse_refunds("Balance too low")
    decision = Decision(Wish(amount=show.cost), uuid4(), show.cost, bob)
    await refund_lines(shop.context, payment.order_id, decision, EVERYWHERE)
    shop.clock.forward(days=2)
    await refund_automatically(shop.context)
    assert (shop.gateway.calls["refund"], await states(shop)) == (1, ["owed"])


async def test_one_refund_of_a_payment_is_under_way_at_a_time(shop: Shop, ada: int, bob: int, show: Show) -> None:
    await choose(shop, bob, show)
    payment = await pay_too_late(shop, ada, bob, show)
    shop.gateway.hold_refunds()
    for _ in range(3):
        await refund_automatically(shop.context)
    assert (shop.gateway.calls["refund"], await states(shop)) == (1, ["owed", "owed"])
    (known,) = [paid for paid in await shop.payments(ada) if paid.id == payment.id]
    shop.gateway.settle_refund(str(known.transaction_id), MovementStatus.DONE)
    shop.clock.forward(minutes=1)
    await shop.work()
    await refund_automatically(shop.context)
    assert shop.gateway.calls["refund"] == 2


async def test_a_lost_answer_is_looked_up_and_not_repeated(shop: Shop, ada: int, bob: int, show: Show) -> None:
    await choose(shop, bob, show)
    await pay_too_late(shop, ada, bob, show)
    shop.gateway.drop_next_answer("refund")
    shop.gateway.fail_after(1, GatewayUnavailable(), "transaction")
    for _ in range(4):
        await refund_automatically(shop.context)
        shop.clock.forward(minutes=1)
        await shop.work()
    assert (shop.gateway.calls["refund"], await states(shop)) == (2, ["settled", "settled"])


async def test_the_choice_is_told_once_with_who_made_it(shop: Shop, bob: int, show: Show) -> None:
    for automatic in (True, True, False):
        await choose(shop, bob, show, automatic=automatic)
    async with unit_of_work(shop.context.database) as uow:
        told = await uow.session.execute(
            select(JournalEntry.actor, JournalEntry.data).where(JournalEntry.event == "refunds_set")
        )
        assert [(row.actor, row.data["automatic"]) for row in told] == [(f"user:{bob}", True), (f"user:{bob}", False)]


async def test_a_page_that_does_not_exist_is_not_found(shop: Shop, bob: int) -> None:
    with pytest.raises(NotFound):
        await refund_page_automatically(shop.context, page_post_id=4711, automatic=True, actor_user_id=bob)
