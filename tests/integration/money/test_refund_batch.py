"""Refunds of many debts, one after the other, and debts that were paid back by hand."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from decimal import Decimal

import pytest
from sqlalchemy import select, text

from cart.debts.owed import owe
from cart.payments.settle import settle
from cart.refunds.batch import Batch, RefundJob, enqueue_refunds, find_batch, find_progress, run_refunds, start_batch
from cart.refunds.by_hand import settle_by_hand
from cart.refunds.refund import refund_debt
from cart.worker import handlers
from shared.contracts.access import EVERYWHERE
from shared.contracts.dtos import MovementStatus
from shared.contracts.errors import Conflict, GatewayUnavailable
from shared.contracts.states import DebtReason
from shared.db.engine import Database
from shared.db.locks import lock_order
from shared.db.uow import unit_of_work
from shared.jobs.queue import REFUND_DEBTS
from shared.models import Payment
from shared.settings import Settings
from tests.support.shop import Shop, Show


@pytest.fixture
async def owed(shop: Shop, ada: int, bob: int, show: Show) -> list[int]:
    """Two debts of Ada's, for two seats that Bob has bought meanwhile."""
    payment = await shop.buy(ada, show, 2)
    shop.clock.forward(minutes=31)
    await shop.work()
    await shop.buy_and_pay(bob, show, 2)
    shop.pay(payment, force=True)
    await settle(shop.context, payment.id)
    return [debt.id for debt in await shop.debts()]


def job(shop: Shop, owed: list[int], admin: int, *, looks: int = 0) -> RefundJob:
    return RefundJob(tuple(owed), admin, shop.clock(), looks)


async def progress(shop: Shop, since: RefundJob) -> tuple[int, int, int, int]:
    async with unit_of_work(shop.context.database) as uow:
        found = await find_progress(uow.session, EVERYWHERE, last_id=since.debt_ids[-1], since=since.since)
    return found.gone_back, found.failed, found.under_way, found.to_come + found.left


async def owe_all_of(shop: Shop, payment: Payment) -> int:
    """Owe a payment as a whole; return the debt."""
    async with unit_of_work(shop.context.database) as uow:
        debt_id = await owe(uow.session, payment, payment.amount, DebtReason.GOODWILL, line_id=None)
        await uow.commit()
    assert debt_id is not None
    return debt_id


async def waiting_jobs(shop: Shop) -> list[RefundJob]:
    async with unit_of_work(shop.context.database) as uow:
        payloads = await uow.session.scalars(
            text(
                "SELECT convert_from(payload, 'UTF8')::json FROM pgqueuer WHERE entrypoint = 'refund_debts' ORDER BY id"
            )
        )
        return [RefundJob.read(payload) for payload in payloads]


async def test_what_is_owed_goes_back_one_after_the_other(shop: Shop, bob: int, owed: list[int]) -> None:
    doing = job(shop, owed, bob)
    assert await progress(shop, doing) == (0, 0, 0, 2)
    await handlers(shop.context)[REFUND_DEBTS](doing.payload())
    assert await progress(shop, doing) == (2, 0, 0, 0)
    assert [debt.state for debt in await shop.debts()] == ["settled", "settled"]
    assert {refund.requested_by for refund in await shop.refunds()} == {bob}


async def test_a_job_that_runs_twice_refunds_once(shop: Shop, bob: int, owed: list[int]) -> None:
    shop.gateway.refuse_refunds("Balance too low")
    doing = job(shop, owed, bob)
    await run_refunds(shop.context, doing)
    await run_refunds(shop.context, doing)
    assert (await progress(shop, doing), shop.gateway.calls["refund"]) == ((0, 2, 0, 0), 2)


async def test_what_waits_for_another_refund_of_its_payment_is_looked_at_again(
    shop: Shop, bob: int, owed: list[int]
) -> None:
    shop.gateway.hold_refunds()
    doing = job(shop, owed, bob)
    await run_refunds(shop.context, doing)
    assert await progress(shop, doing) == (0, 0, 1, 1)
    (again,) = await waiting_jobs(shop)
    assert (again.debt_ids, again.looks, again.since) == ((owed[1],), 0, doing.since)

    async with unit_of_work(shop.context.database) as uow:
        (transaction_id,) = await uow.session.scalars(select(Payment.transaction_id).where(Payment.owed > 0))
    shop.gateway.settle_refund(str(transaction_id), MovementStatus.DONE)
    shop.clock.forward(minutes=1)
    await shop.work()
    await run_refunds(shop.context, again)
    assert await progress(shop, doing) == (1, 0, 1, 0)


async def test_looking_again_takes_longer_each_time_and_comes_to_an_end_after_a_day(
    shop: Shop, bob: int, owed: list[int]
) -> None:
    shop.gateway.hold_refunds()
    await run_refunds(shop.context, job(shop, owed, bob))
    for number in range(1, 29):
        jobs = await waiting_jobs(shop)
        assert (len(jobs), jobs[-1].debt_ids) == (number, (owed[1],))
        await run_refunds(shop.context, jobs[-1])
    assert len(await waiting_jobs(shop)) == 28
    async with unit_of_work(shop.context.database) as uow:
        later = text("SELECT execute_after - created FROM pgqueuer WHERE entrypoint = 'refund_debts' ORDER BY id")
        minutes = [round(wait.total_seconds() / 60) for wait in await uow.session.scalars(later)]
    assert minutes == [1, 2, 5, 15, *[60] * 24]


async def test_a_look_that_brings_something_on_lets_the_next_one_come_soon(
    shop: Shop, bob: int, owed: list[int]
) -> None:
    shop.gateway.hold_refunds()
    await run_refunds(shop.context, job(shop, owed, bob, looks=20))
    (again,) = await waiting_jobs(shop)
    assert (again.debt_ids, again.looks) == ((owed[1],), 0)


async def test_what_no_job_looks_at_any_more_is_left_and_not_said_to_come(
    shop: Shop, bob: int, owed: list[int]
) -> None:
    async with unit_of_work(shop.context.database) as uow:
        await enqueue_refunds(uow.session, job(shop, owed[:1], bob))
        await uow.commit()
    async with unit_of_work(shop.context.database) as uow:
        found = await find_progress(uow.session, EVERYWHERE, last_id=owed[-1], since=shop.clock())
        assert (found.to_come, found.left, found.total, found.is_done) == (1, 1, 2, False)
        await uow.session.execute(text("DELETE FROM pgqueuer"))
        found = await find_progress(uow.session, EVERYWHERE, last_id=owed[-1], since=shop.clock())
        assert (found.to_come, found.left, found.total, found.is_done) == (0, 2, 2, True)


async def test_a_provider_that_cannot_be_asked_is_not_asked_for_every_debt(
    shop: Shop, bob: int, owed: list[int]
) -> None:
    shop.gateway.fail_next(GatewayUnavailable(), "transaction")
    doing = job(shop, owed, bob)
    await run_refunds(shop.context, doing)
    assert (await progress(shop, doing), shop.gateway.calls["refund"]) == ((0, 1, 0, 1), 0)
    assert [again.debt_ids for again in await waiting_jobs(shop)] == [(owed[1],)]


async def test_what_went_wrong_unforeseen_is_tried_again_and_keeps_nothing_from_its_turn(
    shop: Shop, bob: int, owed: list[int], settings: Settings, database_url: str
) -> None:
    hasty = Database(database_url, pool_size=2, settings=settings.model_copy(update={"db_lock_timeout_ms": 50}))
    context = replace(shop.context, database=hasty)
    other = await shop.buy_and_pay(await shop.shopper(), await shop.show(capacity=1))
    theirs = await owe_all_of(shop, other)
    doing = RefundJob((*owed, theirs), bob, shop.clock())
    async with unit_of_work(shop.context.database) as uow:
        await lock_order(uow.session, (await shop.debts())[0].order_id)  # as a checkout does that takes its time
        await asyncio.create_task(run_refunds(context, doing))
    assert await progress(shop, doing) == (1, 0, 0, 2)
    (again,) = await waiting_jobs(shop)
    assert again.debt_ids == tuple(owed)

    await run_refunds(context, again)
    assert await progress(shop, doing) == (3, 0, 0, 0)
    await hasty.dispose()


async def test_only_what_was_shown_is_started(shop: Shop, bob: int, owed: list[int]) -> None:
    async with unit_of_work(shop.context.database) as uow:
        shown = await find_batch(uow.session, EVERYWHERE)
    assert shown == Batch(2, Decimal("25.00"), owed[1])
    await refund_debt(shop.context, debt_id=owed[0], actor_user_id=bob)
    with pytest.raises(Conflict):
        await start_batch(shop.context, shown=shown, scope=EVERYWHERE, actor_user_id=bob)
    assert await waiting_jobs(shop) == []


async def test_paid_back_by_hand_counts_for_the_ticket_and_the_order_and_is_told_without_the_note(
    shop: Shop, ada: int, bob: int, owed: list[int]
) -> None:
    for debt_id in owed:
        await settle_by_hand(shop.context, debt_id=debt_id, note="To Ada's bank", actor_user_id=bob, scope=EVERYWHERE)
    assert await shop.tickets(ada) == ["refunded", "refunded"]
    assert [order.state for order in await shop.orders(ada)] == ["refunded"]
    assert [(debt.state, debt.by_hand, debt.settled_by) for debt in await shop.debts()] == [("settled", True, bob)] * 2
    async with unit_of_work(shop.context.database) as uow:
        told = await uow.session.execute(text("SELECT actor, why, data::text FROM journal WHERE thing = 'debt'"))
        rows = [row for row in told if row.why == "by hand"]
    assert [row.actor for row in rows] == [f"user:{bob}"] * 2
    assert not any("bank" in row.data for row in rows)


async def test_what_was_paid_back_by_hand_cannot_be_refunded_any_more(shop: Shop, bob: int, owed: list[int]) -> None:
    await settle_by_hand(shop.context, debt_id=owed[0], note="In cash", actor_user_id=bob, scope=EVERYWHERE)
    with pytest.raises(Conflict):
        await refund_debt(shop.context, debt_id=owed[0], actor_user_id=bob)
    assert not shop.gateway.calls["refund"]
