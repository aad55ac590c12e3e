"""Everybody who can hears of one payment at the same moment (promises 7 and 12), and the same race without the locks."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from importlib import import_module
from typing import Any

import pytest
from quart import Quart
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from cart.app import create_app
from cart.orders.mails import write_order_mails
from cart.payments import attempts
from cart.payments.settle import settle
from cart.provider.reconcile import look_at_payment
from shared.db.uow import unit_of_work
from shared.models import Mail, Order, Payment, PaymentNotice
from shared.settings import Settings
from tests.support.shop import Shop

SETTLE = import_module("cart.payments.settle")
"""The module: its function of the same name hides it."""
WEBHOOKS, RETURNS, SWEEPS, LOOKS, WRITERS = 50, 5, 3, 5, 5


@pytest.fixture
async def app(settings: Settings, database_url: str, shop: Shop) -> AsyncIterator[Quart]:
    """The cart app, on the shop's database and with its provider."""
    made = create_app(settings, gateway=shop.gateway)
    async with made.test_app():
        yield made


async def _notice(app: Quart, payment: Payment) -> int:
    """Send the provider's notice."""
    body = json.dumps({"event_type": "CHECKOUT_STATUS_CHANGED", "id": payment.checkout_id})
    headers = {"Content-Type": "application/json"}
    answer = await app.test_client().post(f"/payments/webhook/{payment.webhook_token}/", data=body, headers=headers)
    return answer.status_code


async def _come_back(app: Quart, payment: Payment) -> int:
    """Open the page that the provider leads back to."""
    return (await app.test_client().get(f"/checkout/return/{payment.return_token}/")).status_code


async def _everybody(app: Quart, shop: Shop, payment: Payment) -> list[Any]:
    """Let notices, return pages, the worker's jobs and sweeps, and an admin's question all be there at once."""
    return await asyncio.gather(
        *(_notice(app, payment) for _ in range(WEBHOOKS)),
        *(_come_back(app, payment) for _ in range(RETURNS)),
        *(look_at_payment(shop.context, payment.id) for _ in range(LOOKS)),
        *(shop.work() for _ in range(SWEEPS)),
        *(settle(shop.context, payment.id) for _ in range(LOOKS)),
        *(write_order_mails(shop.context, payment.order_id) for _ in range(WRITERS)),
    )


async def _count(shop: Shop, model: type[Mail | PaymentNotice]) -> int:
    async with unit_of_work(shop.context.database) as uow:
        return await uow.session.scalar(select(func.count()).select_from(model)) or 0


async def _paid(shop: Shop) -> tuple[int, int]:
    """Return how often the journal says that the payment arrived, and that the order is paid."""
    return (await shop.journal("payment")).count("paid"), (await shop.journal("order")).count("paid")


async def test_fifty_notices_and_everybody_else_make_one_confirmation_and_one_mail(app: Quart, shop: Shop) -> None:
    show, ada = await shop.show(capacity=2), await shop.shopper()
    payment = await shop.buy(ada, show, 2)
    shop.pay(payment)

    answers = await _everybody(app, shop, payment)
    await write_order_mails(shop.context, payment.order_id)

    assert answers[:WEBHOOKS] == [204] * WEBHOOKS
    assert answers[WEBHOOKS : WEBHOOKS + RETURNS] == [200] * RETURNS
    assert await _paid(shop) == (1, 1)
    assert await shop.tickets(ada) == ["confirmed", "confirmed"]
    assert (await _count(shop, Mail), await _count(shop, PaymentNotice)) == (1, WEBHOOKS)
    assert (await shop.held(show), await shop.debts()) == ((2, 2, 2), [])


async def test_control_without_the_locks_a_payment_is_recorded_and_given_more_than_once(
    app: Quart, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    _take_locks_away(monkeypatch)
    show, ada = await shop.show(capacity=2), await shop.shopper()
    payment = await shop.buy(ada, show, 2)
    shop.pay(payment)
    _let_all_look_before_anybody_writes(monkeypatch, 8)

    await asyncio.gather(*(settle(shop.context, payment.id) for _ in range(8)), return_exceptions=True)

    assert max(await _paid(shop)) > 1


def _take_locks_away(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the order and the payment be read as they are, by everybody at the same time."""

    async def order(session: AsyncSession, which: Any) -> Order:
        return (await session.scalars(select(Order).where(which))).one()

    async def payment(session: AsyncSession, payment_id: int) -> Payment | None:
        return await session.get(Payment, payment_id, populate_existing=True)

    monkeypatch.setattr(attempts, "lock_buyer_and_order", order)
    monkeypatch.setattr(attempts, "lock_payment", payment)


def _let_all_look_before_anybody_writes(monkeypatch: pytest.MonkeyPatch, looking: int) -> None:
    """Hold everybody after they have read the payment, until all have."""
    barrier, apply = asyncio.Barrier(looking), SETTLE._apply

    async def late(*arguments: Any) -> None:
        await barrier.wait()
        await apply(*arguments)

    monkeypatch.setattr(SETTLE, "_apply", late)
