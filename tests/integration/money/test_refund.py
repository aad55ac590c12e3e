"""Refunds (docs/money.md, promise 11)."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from decimal import Decimal

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError

from cart.payments.settle import settle
from cart.provider.elsewhere import compare
from cart.refunds.refund import RefundUnderWay, refund_debt
from shared.contracts.dtos import MovementStatus
from shared.contracts.errors import Conflict, GatewayUnavailable, NotFound, Unavailable
from shared.db.uow import unit_of_work
from shared.models import Debt, JournalEntry, Payment, Refund
from tests.support.shop import Shop, Show


@pytest.fixture
async def debt(shop: Shop, ada: int, bob: int, show: Show) -> Debt:
    """Ada paid late for two seats that Bob has bought meanwhile: the first of her two debts."""
    payment = await shop.buy(ada, show, 2)
    shop.clock.forward(minutes=31)
    await shop.work()
    await shop.buy_and_pay(bob, show, 2)
    shop.pay(payment, force=True)
    await settle(shop.context, payment.id)
    return (await shop.debts())[0]


async def pay_back(shop: Shop, debt: Debt, admin: int) -> str:
    return await refund_debt(shop.context, debt_id=debt.id, actor_user_id=admin)


async def test_a_refund_settles_the_debt_the_ticket_and_in_the_end_the_order(
    shop: Shop, ada: int, bob: int, debt: Debt
) -> None:
    assert await pay_back(shop, debt, bob) == "succeeded"
    assert (await shop.tickets(ada), (await shop.orders(ada))[0].state) == (
        ["refunded", "oversold"],
        "partially_refunded",
    )
    assert await pay_back(shop, (await shop.debts())[1], bob) == "succeeded"
    assert (await shop.tickets(ada), (await shop.orders(ada))[0].state) == (["refunded", "refunded"], "refunded")
    assert [row.state for row in await shop.debts()] == ["settled", "settled"]


async def test_a_second_click_gives_nothing_back_twice(shop: Shop, bob: int, debt: Debt) -> None:
    results = await asyncio.gather(*(pay_back(shop, debt, bob) for _ in range(6)), return_exceptions=True)
    assert [result for result in results if not isinstance(result, BaseException)] == ["succeeded"]
    assert all(isinstance(result, Conflict) for result in results if isinstance(result, BaseException))
    assert shop.gateway.calls["refund"] == 1


async def test_a_lost_answer_is_looked_up_and_not_repeated(shop: Shop, bob: int, debt: Debt) -> None:
    shop.gateway.drop_next_answer("refund")
    assert await pay_back(shop, debt, bob) == "succeeded"
    assert shop.gateway.calls["refund"] == 1


async def test_an_unclear_refund_blocks_the_next_one_until_it_is_decided(shop: Shop, bob: int, debt: Debt) -> None:
    shop.gateway.fail_next(GatewayUnavailable(), "refund")
    assert await pay_back(shop, debt, bob) == "unknown"
    with pytest.raises(Conflict):
        await pay_back(shop, debt, bob)
    shop.clock.forward(minutes=11)
    await shop.work()
    assert [refund.state for refund in await shop.refunds()] == ["failed"]
    assert await pay_back(shop, debt, bob) == "succeeded"


async def test_what_was_refunded_before_must_be_known_before_anything_is_sent(shop: Shop, bob: int, debt: Debt) -> None:
    shop.gateway.fail_next(GatewayUnavailable(), "transaction")
    with pytest.raises(Unavailable):
        await pay_back(shop, debt, bob)
    assert [refund.state for refund in await shop.refunds()] == ["failed"]
    assert not shop.gateway.calls["refund"]
    assert await pay_back(shop, debt, bob) == "succeeded"


async def test_a_lost_answer_that_cannot_be_looked_up_at_once_is_by_the_worker(
    shop: Shop, bob: int, debt: Debt
) -> None:
    shop.gateway.drop_next_answer("refund")
    shop.gateway.fail_after(1, GatewayUnavailable(), "transaction")
    assert await pay_back(shop, debt, bob) == "unknown"
    shop.clock.forward(minutes=1)
    await shop.work()
    assert [refund.state for refund in await shop.refunds()] == ["succeeded"]
    assert shop.gateway.calls["refund"] == 1


async def test_a_refund_that_was_never_sent_is_given_up_by_the_worker(shop: Shop, bob: int, debt: Debt) -> None:
    async with unit_of_work(shop.context.database) as uow:  # the app was killed right after it had written it down
        uow.session.add(
            Refund(
                debt_id=debt.id,
                payment_id=debt.payment_id,
                amount=debt.amount,
                currency=debt.currency,
                requested_by=bob,
                next_check_at=shop.clock(),
            )
        )
        await uow.session.flush()
        await uow.commit()
    await shop.work()
    assert [refund.state for refund in await shop.refunds()] == ["failed"]
    assert not shop.gateway.calls["refund"]


async def test_what_is_about_to_be_sent_is_not_given_up_by_somebody_else(shop: Shop, bob: int, debt: Debt) -> None:
    async with unit_of_work(shop.context.database) as uow:
        refund = Refund(
            debt_id=debt.id,
            payment_id=debt.payment_id,
            amount=debt.amount,
            currency=debt.currency,
            created_at=shop.clock(),
            next_check_at=shop.clock(),
        )
        uow.session.add(refund)
        await uow.session.flush()
        await uow.commit()

    await shop.work()
    assert [each.state for each in await shop.refunds()] == ["requested"]
    shop.clock.forward(minutes=3)
    await shop.work()
    assert [each.state for each in await shop.refunds()] == ["failed"]


async def _next_look(shop: Shop) -> timedelta:
    """Return how long it is until the worker looks at the one refund again."""
    (refund,) = await shop.refunds()
    assert refund.next_check_at is not None
    return refund.next_check_at - shop.clock()


async def _looks(shop: Shop, times: int) -> list[int]:
    """Let the worker look just before a refund is due and just when it is; return the seconds between the looks."""
    waits = []
    for _ in range(times):
        wait, asked = await _next_look(shop), shop.gateway.calls["transaction"]
        shop.clock.forward(seconds=wait.total_seconds() - 1)
        await shop.work()
        assert shop.gateway.calls["transaction"] == asked
        shop.clock.forward(seconds=1)
        await shop.work()
        waits.append(int(wait.total_seconds()))
    return waits


async def test_a_refund_that_is_under_way_is_looked_at_less_and_less_often(shop: Shop, bob: int, debt: Debt) -> None:
    shop.gateway.hold_refunds()
    assert await pay_back(shop, debt, bob) == "sent"
    asked = shop.gateway.calls["transaction"]

    assert await _looks(shop, 22) == [*range(30, 600, 30), 600, 600, 600]
    assert shop.gateway.calls["transaction"] == asked + 22


async def test_a_refund_that_waits_to_be_sent_is_looked_at_every_half_minute(shop: Shop, bob: int, debt: Debt) -> None:
    async with unit_of_work(shop.context.database) as uow:  # the app was killed right after it had written it down
        named = {"debt_id": debt.id, "payment_id": debt.payment_id, "amount": debt.amount, "currency": debt.currency}
        due = shop.clock() + timedelta(seconds=30)
        uow.session.add(Refund(**named, requested_by=bob, created_at=shop.clock(), next_check_at=due))
        await uow.session.flush()
        await uow.commit()

    assert await _looks(shop, 4) == [30, 30, 30, 30]
    assert [refund.state for refund in await shop.refunds()] == ["requested"]
    shop.clock.forward(seconds=30)
    await shop.work()
    assert [refund.state for refund in await shop.refunds()] == ["failed"]


# --- money that moves at the provider without us ---


async def test_what_went_back_in_the_dashboard_is_not_refunded_again(shop: Shop, bob: int, debt: Debt) -> None:
    transaction_id = await _transaction_of(shop, debt)
    shop.gateway.refund_by_hand(transaction_id, debt.amount)

    with pytest.raises(Conflict, match="went back without us"):
        await pay_back(shop, debt, bob)
    assert shop.gateway.calls["refund"] == 0
    assert [refund.state for refund in await shop.refunds()] == ["failed"]

    transaction = await shop.gateway.transaction(transaction_id, "MSANDBOX")
    assert transaction is not None
    await compare(shop.context, debt.payment_id, transaction)
    assert [row.state for row in await shop.debts()] == ["settled", "owed"]
    assert await pay_back(shop, (await shop.debts())[1], bob) == "succeeded"


async def test_what_the_bank_took_back_is_not_refunded_again(shop: Shop, bob: int, debt: Debt) -> None:
    shop.gateway.charge_back(await _transaction_of(shop, debt), debt.amount)

    with pytest.raises(Conflict, match="went back without us"):
        await pay_back(shop, debt, bob)
    assert shop.gateway.calls["refund"] == 0


async def test_nothing_is_sent_while_somebody_elses_refund_is_under_way(shop: Shop, bob: int, debt: Debt) -> None:
    transaction_id = await _transaction_of(shop, debt)
    shop.gateway.hold_refunds()
    await shop.gateway.refund(transaction_id, "MSANDBOX", Decimal("1.00"))

    with pytest.raises(Conflict, match="still under way"):
        await pay_back(shop, debt, bob)
    assert shop.gateway.calls["refund"] == 1  # theirs

    shop.gateway.settle_refund(transaction_id, MovementStatus.VOID)
    shop.gateway.hold_refunds(hold=False)
    assert await pay_back(shop, debt, bob) == "succeeded"


async def test_nothing_is_sent_while_the_record_is_behind_the_times(shop: Shop, bob: int, debt: Debt) -> None:
    assert await pay_back(shop, debt, bob) == "succeeded"
    second = (await shop.debts())[1]
    shop.gateway.stale_next("transaction")  # what is read before the call does not show the first one yet

    with pytest.raises(RefundUnderWay, match="does not show all"):
        await pay_back(shop, second, bob)
    assert shop.gateway.calls["refund"] == 1
    assert await pay_back(shop, second, bob) == "succeeded"


async def test_a_refusal_tells_whether_the_provider_said_no_or_we(shop: Shop, bob: int, debt: Debt) -> None:
    shop.gateway.refuse_refunds("Balance too low")
    assert await pay_back(shop, debt, bob) == "failed"
    shop.gateway.refuse_refunds("")
    assert await pay_back(shop, debt, bob) == "succeeded"
    shop.gateway.stale_next("transaction")
    with pytest.raises(RefundUnderWay):
        await pay_back(shop, (await shop.debts())[1], bob)
    async with unit_of_work(shop.context.database) as uow:
        failed = select(JournalEntry.actor, JournalEntry.why).where(
            JournalEntry.thing == "refund", JournalEntry.event == "failed"
        )
        told = (await uow.session.execute(failed.order_by(JournalEntry.id))).all()
    (asked, refused), (ours, behind) = told
    assert (asked, refused) == ("provider", "SumUp says: Balance too low")
    assert (ours, "SumUp says" in behind) == ("system", False)


async def test_after_a_refund_that_came_to_nothing_no_other_is_taken_for_it(shop: Shop, bob: int, debt: Debt) -> None:
    assert await pay_back(shop, debt, bob) == "succeeded"
    shop.gateway.settle_refund(await _transaction_of(shop, debt), MovementStatus.VOID)

    with pytest.raises(RefundUnderWay, match="does not show all"):
        await pay_back(shop, (await shop.debts())[1], bob)
    assert shop.gateway.calls["refund"] == 1


async def _transaction_of(shop: Shop, debt: Debt) -> str:
    async with unit_of_work(shop.context.database) as uow:
        return (await uow.session.get_one(Payment, debt.payment_id)).transaction_id or ""


async def test_a_pending_refund_is_settled_later(shop: Shop, bob: int, debt: Debt) -> None:
    shop.gateway.hold_refunds()
    assert await pay_back(shop, debt, bob) == "sent"
    async with unit_of_work(shop.context.database) as uow:
        transaction_id = (await uow.session.get_one(Payment, debt.payment_id)).transaction_id
    assert transaction_id is not None
    shop.gateway.settle_refund(transaction_id, MovementStatus.DONE)
    shop.clock.forward(minutes=1)
    await shop.work()
    assert [refund.state for refund in await shop.refunds()] == ["succeeded"]


async def test_what_was_refused_stays_owed_with_the_reason(shop: Shop, bob: int, debt: Debt) -> None:
    shop.gateway.refuse_refunds("Balance too low")
    assert await pay_back(shop, debt, bob) == "failed"
    assert [(refund.state, refund.reason) for refund in await shop.refunds()] == [
        ("failed", "SumUp says: Balance too low")
    ]
    assert (await shop.debts())[0].state == "owed"


async def test_more_than_was_paid_can_not_go_back(shop: Shop, debt: Debt) -> None:
    async with unit_of_work(shop.context.database) as uow:
        with pytest.raises(IntegrityError, match="refunded_within_amount"):
            await uow.session.execute(
                text("INSERT INTO refunds (payment_id, amount, currency) VALUES (:payment, :amount, 'GBP')"),
                {"payment": debt.payment_id, "amount": Decimal("25.01")},
            )


async def test_an_unknown_debt_is_not_found(shop: Shop, bob: int) -> None:
    with pytest.raises(NotFound):
        await refund_debt(shop.context, debt_id=999, actor_user_id=bob)
