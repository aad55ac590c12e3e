"""The audit against the provider's record: silent while both agree, and loud about what one of them does not know."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from sqlalchemy import text

from shared.audit.provider import audit_provider
from shared.contracts.dtos import MovementStatus
from shared.db.engine import Database
from shared.db.uow import unit_of_work
from shared.payments.accounts import OneGateway
from shared.settings import Settings
from tests.support.shop import Shop, Show, open_shop


@pytest.fixture
def shop(database: Database, settings: Settings) -> Shop:
    return open_shop(database, settings)


@pytest.fixture
async def show(shop: Shop) -> Show:
    return await shop.show()


async def wrong(shop: Shop) -> dict[str, tuple[str, ...]]:
    """Compare ten days of the provider's record, two days from now; give what does not agree."""
    shop.clock.forward(days=2)
    findings = await audit_provider(
        shop.context.database,
        OneGateway(shop.gateway),
        "MSANDBOX",
        since=shop.clock() - timedelta(days=10),
        now=shop.clock(),
    )
    return {each.name: each.first_ids for each in findings if each.wrong}


async def pay(shop: Shop, show: Show) -> str:
    """Buy a ticket, and give the transaction that paid it."""
    user_id = await shop.shopper()
    await shop.buy_and_pay(user_id, show)
    transaction_id = (await shop.payments(user_id))[0].transaction_id
    assert transaction_id is not None
    return transaction_id


async def change(shop: Shop, statement: str) -> None:
    async with unit_of_work(shop.context.database) as uow:
        await uow.session.execute(text(statement))
        await uow.commit()


async def test_what_both_know_agrees(shop: Shop, show: Show) -> None:
    for _ in range(3):
        await pay(shop, show)
    shop.gateway.take(Decimal("3.00"), at_reader=True)

    assert await wrong(shop) == {}


async def test_a_payment_that_we_do_not_know_of_is_found(shop: Shop, show: Show) -> None:
    payment = await shop.buy(await shop.shopper(), show)
    shop.pay(payment)

    found = await wrong(shop)

    assert list(found) == ["provider: known here"]
    assert len(found["provider: known here"]) == 1


async def test_a_payment_that_the_provider_does_not_know_of_is_found(shop: Shop, show: Show) -> None:
    await pay(shop, show)
    await change(shop, "UPDATE payments SET transaction_id = 'no such one'")

    assert set(await wrong(shop)) == {"provider: known here", "provider: there as well"}


async def test_another_amount_is_found(shop: Shop, show: Show) -> None:
    await pay(shop, show)
    await change(shop, "UPDATE payments SET amount = amount + 1")

    assert await wrong(shop) == {"provider: same amounts": ("1",)}


@pytest.mark.parametrize("by_the_bank", [True, False])
async def test_money_that_went_back_elsewhere_is_found(shop: Shop, show: Show, *, by_the_bank: bool) -> None:
    transaction_id = await pay(shop, show)
    if by_the_bank:
        shop.gateway.charge_back(transaction_id)
    else:
        shop.gateway.refund_by_hand(transaction_id, Decimal("2.00"))

    assert await wrong(shop) == {"provider: same sums back": ("1",)}


async def test_a_refund_of_ours_that_came_to_nothing_is_found(shop: Shop, show: Show) -> None:
    transaction_id = await pay(shop, show)
    shop.gateway.refund_by_hand(transaction_id, Decimal("2.00"))
    shop.gateway.settle_refund(transaction_id, MovementStatus.VOID)
    await change(
        shop,
        "INSERT INTO refunds (payment_id, amount, currency, state) SELECT id, 2, 'GBP', 'external' FROM payments",
    )

    assert await wrong(shop) == {"provider: same sums back": ("1",)}
