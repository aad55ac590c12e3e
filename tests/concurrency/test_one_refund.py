"""Several admins at once give the same money back, and the same race without lock and limits."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from uuid import UUID, uuid4

from sqlalchemy.exc import IntegrityError

from cart.refunds.by_hand import settle_by_hand
from cart.refunds.refund import refund_debt
from cart.refunds.refund_lines import Decision, _owe_shares, refund_lines
from cart.refunds.refundable import Wish, find_refundable, shares_of
from shared.contracts.access import EVERYWHERE
from shared.contracts.errors import BadInput, Conflict
from shared.db.uow import unit_of_work
from shared.models import Payment
from tests.concurrency.conftest import TakeAway
from tests.support.shop import Shop

ADMINS = 8
PRICE = Decimal("12.50")


async def two_tickets(shop: Shop) -> tuple[Payment, Decision]:
    """Let somebody buy two tickets; give the decision to give the first one back."""
    payment = await shop.buy_and_pay(await shop.shopper(), await shop.show(), 2)
    async with unit_of_work(shop.context.database) as uow:
        order = await find_refundable(uow.session, EVERYWHERE, payment.order_id)
    return payment, decide(order.lines[0].id, await shop.shopper(), uuid4())


def decide(line_id: int, admin: int, key: UUID) -> Decision:
    return Decision(Wish(frozenset({line_id})), key, PRICE, admin)


def again(decision: Decision) -> Decision:
    """Give the same decision of somebody else's: another page was shown, with another key."""
    return decide(*decision.wish.line_ids, decision.actor_user_id, uuid4())


async def test_of_many_admins_at_once_one_gives_a_line_back(shop: Shop) -> None:
    payment, decision = await two_tickets(shop)
    results = await asyncio.gather(
        *(refund_lines(shop.context, payment.order_id, again(decision), EVERYWHERE) for _ in range(ADMINS)),
        return_exceptions=True,
    )
    assert sorted(isinstance(result, BadInput | Conflict) for result in results) == [False] + [True] * (ADMINS - 1)
    assert [(debt.amount, debt.state) for debt in await shop.debts()] == [(PRICE, "settled")]
    assert shop.gateway.calls["refund"] == 1


async def test_many_presses_of_one_button_give_a_line_back_once(shop: Shop) -> None:
    payment, decision = await two_tickets(shop)
    await asyncio.gather(*(refund_lines(shop.context, payment.order_id, decision, EVERYWHERE) for _ in range(ADMINS)))
    assert [debt.amount for debt in await shop.debts()] == [PRICE]
    assert shop.gateway.calls["refund"] == 1


async def test_money_goes_back_by_card_or_by_hand_and_never_both(shop: Shop) -> None:
    payment, decision = await two_tickets(shop)
    shop.gateway.refuse_refunds("Balance too low")
    await refund_lines(shop.context, payment.order_id, decision, EVERYWHERE)
    shop.gateway.refuse_refunds("")
    (debt,), admin = await shop.debts(), decision.actor_user_id
    results = await asyncio.gather(
        *(refund_debt(shop.context, debt_id=debt.id, actor_user_id=admin) for _ in range(ADMINS)),
        *(
            settle_by_hand(shop.context, debt_id=debt.id, note=f"{n}", actor_user_id=admin, scope=EVERYWHERE)
            for n in range(ADMINS)
        ),
        return_exceptions=True,
    )
    assert sum(not isinstance(result, Conflict) for result in results) == 1
    (settled,) = await shop.debts()
    went_back = sum(refund.state == "succeeded" for refund in await shop.refunds())
    assert (settled.state, went_back) == ("settled", 0 if settled.by_hand else 1)


async def race_without_lock(shop: Shop) -> list[BaseException | None]:
    """Let two decide on what both have read before, as they would without the order's lock."""
    payment, decision = await two_tickets(shop)
    barrier = asyncio.Barrier(2)

    async def decide_unlocked() -> None:
        async with unit_of_work(shop.context.database) as uow:
            order = await find_refundable(uow.session, EVERYWHERE, payment.order_id)
            paid = await uow.session.get_one(Payment, payment.id)
            shares = shares_of(order, decision.wish)
            await barrier.wait()
            await _owe_shares(uow.session, paid, shares, again(decision))
            await uow.commit()

    return await asyncio.gather(decide_unlocked(), decide_unlocked(), return_exceptions=True)


async def test_without_the_lock_the_database_alone_refuses_the_second(shop: Shop) -> None:
    results = await race_without_lock(shop)
    assert sum(isinstance(result, IntegrityError) for result in results) == 1
    assert [debt.amount for debt in await shop.debts()] == [PRICE]


async def test_control_without_lock_and_limits_a_line_is_owed_twice(shop: Shop, take_away: TakeAway) -> None:
    await take_away("debts", "hold_debts_to_line")
    await take_away("payments", "ck_payments_owed_within_amount")
    assert await race_without_lock(shop) == [None, None]
    assert [debt.amount for debt in await shop.debts()] == [PRICE, PRICE]
