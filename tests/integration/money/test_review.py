"""Payments that are not what we asked for: accepted, refunded or settled elsewhere, once (docs/money.md, promise 4)."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from uuid import uuid4

import pytest
from sqlalchemy import select

from cart.bp.reviews.services import (
    accept_payment,
    close_finding,
    find_review,
    list_findings,
    list_reviews,
    refund_payment,
    settle_payment_elsewhere,
)
from cart.orders.mails import write_order_mails
from cart.payments.settle import settle
from cart.refunds.refund import refund_debt
from cart.refunds.refund_lines import Decision, refund_lines
from cart.refunds.refundable import Wish
from shared.contracts.access import EVERYWHERE, PageScope
from shared.contracts.errors import BadInput, Conflict, GatewayUnavailable, NotFound, Unavailable
from shared.db.uow import unit_of_work
from shared.models import JournalEntry, Mail, OrderNote, Payment, ProviderFinding
from tests.support.shop import Shop, Show


async def in_review(shop: Shop, user_id: int, show: Show, paid: str) -> Payment:
    """Let somebody pay another amount than 25.00 for two tickets."""
    payment = await shop.buy(user_id, show, 2)
    assert payment.checkout_id is not None
    shop.gateway.pay(payment.checkout_id, amount=Decimal(paid))
    assert await settle(shop.context, payment.id) == "review"
    return payment


async def decide(shop: Shop, what: object, payment: Payment, shown: str, admin: int) -> None:
    await what(  # type: ignore[operator]
        shop.context, payment.id, shown=Decimal(shown), actor_user_id=admin, scope=EVERYWHERE
    )


async def stands(shop: Shop, user_id: int) -> tuple[str, str, list[str]]:
    order, payment = (await shop.orders(user_id))[0], (await shop.payments(user_id))[0]
    return order.state, payment.state, await shop.tickets(user_id)


async def owed(shop: Shop) -> list[tuple[Decimal, str, str]]:
    return [(debt.amount, debt.reason, debt.state) for debt in await shop.debts()]


async def test_what_was_asked_for_and_what_the_provider_says_stand_side_by_side(
    shop: Shop, ada: int, show: Show
) -> None:
    payment = await in_review(shop, ada, show, "30.00")
    async with unit_of_work(shop.context.database) as uow:
        (row,) = await list_reviews(uow.session, EVERYWHERE, limit=5)
    assert (row.asked.amount, row.told.amount, row.told.currency) == (Decimal("25.00"), Decimal("30.00"), "GBP")
    assert (row.asked.reference, row.asked.merchant_code) == (row.told.reference, row.told.merchant_code)
    assert (row.payment_id, row.differs, row.can_accept, row.can_refund) == (payment.id, ("amount",), True, True)


async def test_too_much_is_accepted_and_the_rest_is_owed(shop: Shop, ada: int, bob: int, show: Show) -> None:
    payment = await in_review(shop, ada, show, "30.00")
    await decide(shop, accept_payment, payment, "30.00", bob)
    assert await stands(shop, ada) == ("paid", "paid", ["confirmed", "confirmed"])
    assert await owed(shop) == [(Decimal("5.00"), "overpaid", "owed")]
    await write_order_mails(shop.context, payment.order_id)
    async with unit_of_work(shop.context.database) as uow:
        texts = list(await uow.session.scalars(select(Mail.text).where(Mail.kind == "order-oversold")))
    assert "More was paid than the order costs, and that goes back to you." in texts[0]
    assert "What was too much: £5.00" in texts[0]
    assert "could be given" not in texts[0]

    await refund_debt(shop.context, debt_id=(await shop.debts())[0].id, actor_user_id=bob)
    assert (await stands(shop, ada))[0] == "paid"
    assert (await shop.payments(ada))[0].amount == Decimal("30.00")


async def test_what_came_on_top_is_no_part_of_what_is_kept(shop: Shop, ada: int, bob: int, show: Show) -> None:
    payment = await in_review(shop, ada, show, "30.00")
    await decide(shop, accept_payment, payment, "30.00", bob)
    wish = Wish(amount=Decimal("4.00"))
    await refund_lines(shop.context, payment.order_id, Decision(wish, uuid4(), Decimal("4.00"), bob), EVERYWHERE)
    assert (await stands(shop, ada))[0] == "partially_refunded"
    await refund_debt(shop.context, debt_id=(await shop.debts())[0].id, actor_user_id=bob)
    assert (await stands(shop, ada))[0] == "partially_refunded"


async def test_too_little_cannot_be_accepted(shop: Shop, ada: int, bob: int, show: Show) -> None:
    payment = await in_review(shop, ada, show, "24.99")
    with pytest.raises(Conflict):
        await decide(shop, accept_payment, payment, "24.99", bob)
    assert await stands(shop, ada) == ("pending", "review", ["reserved", "reserved"])


async def test_too_little_is_refunded_and_the_order_released(shop: Shop, ada: int, bob: int, show: Show) -> None:
    payment = await in_review(shop, ada, show, "20.00")
    await decide(shop, refund_payment, payment, "20.00", bob)
    assert await stands(shop, ada) == ("cancelled", "paid", ["pending", "pending"])
    assert (await owed(shop), await shop.held(show)) == ([(Decimal("20.00"), "mismatch", "owed")], (0, 0, 0))
    await shop.work()  # and what is recorded as paid is not given meanwhile
    await refund_debt(shop.context, debt_id=(await shop.debts())[0].id, actor_user_id=bob)
    assert await stands(shop, ada) == ("cancelled", "paid", ["pending", "pending"])
    assert [refund.state for refund in await shop.refunds()] == ["succeeded"]
    async with unit_of_work(shop.context.database) as uow:
        assert list(await uow.session.scalars(select(Mail.kind))) == ["order-refund"]


async def test_what_was_settled_elsewhere_is_closed_with_a_note_and_stays_closed(
    shop: Shop, ada: int, bob: int, show: Show
) -> None:
    payment = await in_review(shop, ada, show, "20.00")
    with pytest.raises(BadInput):
        await settle_payment_elsewhere(shop.context, payment.id, note=" ", actor_user_id=bob, scope=EVERYWHERE)
    await settle_payment_elsewhere(
        shop.context, payment.id, note="Ada got it in cash", actor_user_id=bob, scope=EVERYWHERE
    )
    assert await stands(shop, ada) == ("cancelled", "cancelled", ["pending", "pending"])
    assert await settle(shop.context, payment.id) == "cancelled"
    assert await owed(shop) == []
    async with unit_of_work(shop.context.database) as uow:
        notes = await uow.session.execute(select(OrderNote.body, OrderNote.author_id))
        assert [tuple(row) for row in notes] == [("Ada got it in cash", bob)]
        why = select(JournalEntry.actor, JournalEntry.why).where(JournalEntry.thing == "payment")
        told = (await uow.session.execute(why.order_by(JournalEntry.id.desc()))).first()
    assert told is not None
    assert tuple(told) == (f"user:{bob}", "settled elsewhere")


async def test_late_money_that_is_accepted_takes_again_what_can_be_had(
    shop: Shop, ada: int, bob: int, show: Show
) -> None:
    payment = await shop.buy(ada, show, 2)
    shop.clock.forward(minutes=31)
    await shop.work()
    await shop.buy_and_pay(bob, show, 2)
    assert payment.checkout_id is not None
    shop.gateway.pay(payment.checkout_id, amount=Decimal("26.00"), force=True)
    assert await settle(shop.context, payment.id) == "review"
    await decide(shop, accept_payment, payment, "26.00", bob)
    assert await owed(shop) == [
        (Decimal("12.50"), "sold_out", "owed"),
        (Decimal("12.50"), "sold_out", "owed"),
        (Decimal("1.00"), "overpaid", "owed"),
    ]


async def test_of_many_who_decide_at_once_one_does(shop: Shop, ada: int, bob: int, show: Show) -> None:
    payment = await in_review(shop, ada, show, "30.00")
    results = await asyncio.gather(
        *(decide(shop, (accept_payment, refund_payment)[number % 2], payment, "30.00", bob) for number in range(6)),
        return_exceptions=True,
    )
    assert sorted(isinstance(result, Conflict) for result in results) == [False] + [True] * 5
    assert len(await owed(shop)) == 1


async def test_a_provider_that_cannot_be_asked_changes_nothing(shop: Shop, ada: int, bob: int, show: Show) -> None:
    payment = await in_review(shop, ada, show, "30.00")
    shop.gateway.fail_next(GatewayUnavailable(), "get")
    with pytest.raises(Unavailable):
        await decide(shop, accept_payment, payment, "30.00", bob)
    assert await stands(shop, ada) == ("pending", "review", ["reserved", "reserved"])


@pytest.mark.parametrize("what", [accept_payment, refund_payment])
async def test_another_amount_than_was_shown_changes_nothing(
    shop: Shop, ada: int, bob: int, show: Show, what: object
) -> None:
    payment = await in_review(shop, ada, show, "30.00")
    with pytest.raises(Conflict):
        await decide(shop, what, payment, "31.00", bob)
    assert (await stands(shop, ada))[1] == "review"


async def test_another_pages_treasurer_finds_no_such_payment(shop: Shop, ada: int, bob: int, show: Show) -> None:
    payment = await in_review(shop, ada, show, "30.00")
    theirs = PageScope(page_ids=frozenset({show.page_post_id + 99}))
    async with unit_of_work(shop.context.database) as uow:
        assert await list_reviews(uow.session, theirs, limit=5) == []
        assert (await find_review(uow.session, PageScope(page_ids=frozenset({show.page_post_id})), payment.id)).order_id
    for what in (accept_payment, refund_payment):
        with pytest.raises(NotFound):
            await what(shop.context, payment.id, shown=Decimal("30.00"), actor_user_id=bob, scope=theirs)
    with pytest.raises(NotFound):
        await settle_payment_elsewhere(shop.context, payment.id, note="x", actor_user_id=bob, scope=theirs)


# --- findings ---


async def find(shop: Shop, payment: Payment | None = None) -> int:
    async with unit_of_work(shop.context.database) as uow:
        found = ProviderFinding(
            merchant_code="MSANDBOX",
            transaction_id="t-1",
            transaction_code="T1",
            kind="foreign_payment" if payment is None else "chargeback",
            payment_id=None if payment is None else payment.id,
            amount=Decimal("7.00"),
            currency="GBP",
        )
        uow.session.add(found)
        await uow.session.flush()
        await uow.commit()
        return found.id


async def test_a_finding_is_closed_once_with_a_note(shop: Shop, ada: int, bob: int) -> None:
    finding_id = await find(shop)
    results = await asyncio.gather(
        *(
            close_finding(shop.context, finding_id, note="At the counter", actor_user_id=who, scope=EVERYWHERE)
            for who in (ada, bob, ada)
        ),
        return_exceptions=True,
    )
    assert sorted(isinstance(result, Conflict) for result in results) == [False, True, True]
    async with unit_of_work(shop.context.database) as uow:
        assert await list_findings(uow.session, EVERYWHERE, limit=5) == []
    assert await shop.journal("finding") == ["closed"]


async def test_a_finding_about_no_order_is_for_whoever_has_all_pages(
    shop: Shop, ada: int, bob: int, show: Show
) -> None:
    ours = await find(shop)
    scope = PageScope(page_ids=frozenset({show.page_post_id}))
    with pytest.raises(NotFound):
        await close_finding(shop.context, ours, note="x", actor_user_id=bob, scope=scope)
    theirs = await find(shop, await shop.buy_and_pay(ada, show))
    async with unit_of_work(shop.context.database) as uow:
        assert [row.id for row in await list_findings(uow.session, scope, limit=5)] == [theirs]
    await close_finding(shop.context, theirs, note="Contested", actor_user_id=bob, scope=scope)
