"""Every call to the provider, its answer cut off after it took effect or before: no second charge, no second refund.

Over a real socket: the adapter, and the sandbox at its other end.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from typing import Any

import httpx
import pytest

from cart.payments.create_checkout import TRIES
from cart.payments.settle import settle
from cart.refunds.refund import refund_debt
from shared.contracts.errors import ShopError
from shared.db.uow import unit_of_work
from shared.models import Debt, Payment
from shared.payments.accounts import SumUpAccounts
from shared.payments.providers import SUMUP, Providers
from shared.payments.sumup.wire import READ_TRIES
from shared.settings import Settings
from tests.support.sandbox import SandboxControl, running_sandbox, settings_for
from tests.support.shop import Shop

CUTS = ("cut_after", "cut_before")
SILENCE_S = 60.0
PATIENCE_S = 8.0
"""How long a buyer waits at most for the payment page."""
CREATE_FAULTS: list[dict[str, Any]] = [
    *({"kind": kind, "status": status} for status in (500, 502) for kind in ("status", "status_after")),
    *({"kind": kind, "delay_s": SILENCE_S} for kind in ("slow", "slow_after")),
    *({"kind": kind} for kind in CUTS),
]
"""Each before the checkout is created, and after."""


@dataclass(slots=True)
class Counter:
    """A shop whose provider is the sandbox, and the sandbox."""

    shop: Shop
    sandbox: SandboxControl

    async def lose(self, operation: str, kind: str, times: int = 1) -> None:
        """Cut the next answers of an operation off."""
        await self.sandbox.fail_next(operation, kind, times=times)

    async def forward(self, **period: float) -> None:
        """Let time pass, here and at the provider."""
        self.shop.clock.forward(**period)

    async def work_until_quiet(self) -> None:
        """Let the worker look, and time pass, until an hour after every deadline."""
        for minutes in (1, 5, 30, 11, 60):
            await self.forward(minutes=minutes)
            await self.shop.work(2)

    async def pay(self, payment: Payment) -> None:
        """Pay at the provider."""
        assert payment.checkout_id is not None
        await self.sandbox.pay(payment.checkout_id)

    async def statuses(self) -> list[str]:
        """Return what became of every checkout that the provider ever made."""
        return [each["status"] for each in await self.sandbox.checkouts()]

    async def refunded_so_far(self) -> list[str]:
        """Return every amount that the provider has refunded."""
        attempts = [attempt for each in await self.sandbox.checkouts() for attempt in each["attempts"]]
        return [str(move["amount"]) for attempt in attempts for move in attempt["movements"]]


@pytest.fixture
async def counter(shop: Shop, settings: Settings) -> AsyncIterator[Counter]:
    quiet = settings.model_copy(update={"sandbox_webhook_delays_s": ()})
    async with running_sandbox(quiet, clock=shop.clock) as control, httpx.AsyncClient(trust_env=False) as client:
        there = settings_for(quiet, control)
        accounts = Providers({SUMUP: SumUpAccounts(client, there, shop.context.database, clock=shop.clock)})
        yield Counter(replace(shop, context=replace(shop.context, gateways=accounts, settings=there)), control)


@pytest.mark.parametrize("fault", CREATE_FAULTS, ids=lambda fault: "-".join(map(str, fault.values())))
async def test_one_fault_when_the_checkout_is_created_keeps_no_buyer_from_the_payment_page(
    counter: Counter, fault: dict[str, Any]
) -> None:
    shop = counter.shop
    show, ada = await shop.show(capacity=2), await shop.shopper()
    await shop.add(ada, show, 2)
    await counter.sandbox.fail_next("create", **fault)

    async with asyncio.timeout(PATIENCE_S), httpx.AsyncClient(trust_env=False) as browser:
        page = await browser.get(await shop.check_out(ada, "25.00"))

    [payment], [checkout] = await shop.payments(ada), await counter.sandbox.checkouts()
    assert (page.status_code, str(page.url)) == (200, payment.hosted_url)
    assert (payment.state, payment.checkout_id, checkout["status"]) == ("open", checkout["id"], "PENDING")
    await counter.pay(payment)
    await counter.work_until_quiet()
    assert await shop.tickets(ada) == ["confirmed", "confirmed"]


async def test_a_provider_that_fails_every_time_is_looked_up_and_the_buyer_sees_that_it_is_checked(
    counter: Counter,
) -> None:
    shop = counter.shop
    show, ada = await shop.show(capacity=2), await shop.shopper()
    await shop.add(ada, show, 2)
    await counter.sandbox.fail_next("create", "status", status=500, times=TRIES - 1)
    await counter.sandbox.fail_next("create", "status_after", status=502)

    address = await shop.check_out(ada, "25.00")

    [payment] = await shop.payments(ada)
    assert (payment.state, address.endswith(f"/checkout/return/{payment.return_token}/")) == ("unknown", True)
    await counter.forward(minutes=1)
    await shop.work()
    [payment], [checkout] = await shop.payments(ada), await counter.sandbox.checkouts()
    assert (payment.state, payment.checkout_id, checkout["status"]) == ("open", checkout["id"], "PENDING")


@pytest.mark.parametrize("kind", CUTS)
async def test_a_checkout_whose_answer_is_lost_is_paid_once(counter: Counter, kind: str) -> None:
    shop = counter.shop
    show, ada = await shop.show(capacity=2), await shop.shopper()
    await shop.add(ada, show, 2)
    await counter.lose("create", kind, TRIES)

    for _ in range(2):  # the press, and the press again of somebody who saw no page
        try:
            await shop.check_out(ada, "25.00")
        except ShopError:
            assert (await shop.orders(ada))[-1].state in {"pending", "failed"}
    await counter.forward(seconds=10)
    await shop.work()
    await shop.check_out(ada, "25.00")
    assert (await counter.statuses()).count("PENDING") == 1
    await counter.pay((await shop.payments(ada))[-1])
    await counter.work_until_quiet()

    assert (await counter.statuses()).count("PAID") == 1
    assert await shop.tickets(ada) == ["confirmed", "confirmed"]
    assert [order.state for order in await shop.orders(ada)].count("paid") == 1
    assert await shop.debts() == []


@pytest.mark.parametrize("kind", CUTS)
async def test_a_look_whose_answer_is_lost_decides_nothing(counter: Counter, kind: str) -> None:
    shop = counter.shop
    show, ada = await shop.show(capacity=2), await shop.shopper()
    payment = await shop.buy(ada, show, 2)
    await counter.pay(payment)
    await counter.lose("get", kind, READ_TRIES)

    assert await settle(shop.context, payment.id) == "open"
    assert await shop.tickets(ada) == ["reserved", "reserved"]
    await counter.work_until_quiet()
    assert await shop.tickets(ada) == ["confirmed", "confirmed"]
    assert (await shop.journal("order")).count("paid") == 1


@pytest.mark.parametrize("kind", CUTS)
@pytest.mark.parametrize("paid", [False, True])
async def test_a_closing_whose_answer_is_lost_lets_go_of_nothing_that_was_paid(
    counter: Counter, kind: str, *, paid: bool
) -> None:
    shop = counter.shop
    show, ada = await shop.show(capacity=2), await shop.shopper()
    payment = await shop.buy(ada, show, 2)
    if paid:
        await counter.pay(payment)
    await counter.forward(minutes=shop.context.settings.order_minutes - 1)
    await counter.lose("cancel", kind)
    await counter.lose("get", "cut_before", READ_TRIES)
    await counter.forward(minutes=2)
    await shop.work()
    assert await shop.tickets(ada) == ["reserved", "reserved"]

    await counter.work_until_quiet()
    assert await shop.tickets(ada) == (["confirmed"] * 2 if paid else ["pending"] * 2)
    assert await counter.statuses() == ["PAID" if paid else "EXPIRED"]
    assert await shop.debts() == []


@pytest.mark.parametrize("kind", CUTS)
async def test_a_refund_whose_answer_is_lost_is_made_once(counter: Counter, kind: str) -> None:
    shop = counter.shop
    show, ada, admin = await shop.show(), await shop.shopper(), await shop.shopper()
    first = await shop.buy(ada, show)
    await counter.pay(first)
    await settle(shop.context, first.id)
    debt_id = await _owe(shop, first)
    await counter.lose("refund", kind)

    await refund_debt(shop.context, debt_id=debt_id, actor_user_id=admin)
    await counter.work_until_quiet()
    if kind == "cut_before":  # nothing was made, and after a quiet time that is certain
        assert [refund.state for refund in await shop.refunds()] == ["failed"]
        await refund_debt(shop.context, debt_id=debt_id, actor_user_id=admin)

    assert await counter.refunded_so_far() == ["12.50"]
    assert [debt.state for debt in await shop.debts()] == ["settled"]


async def test_a_record_that_cannot_be_read_before_a_refund_sends_nothing(counter: Counter) -> None:
    shop = counter.shop
    show, ada, admin = await shop.show(), await shop.shopper(), await shop.shopper()
    payment = await shop.buy(ada, show)
    await counter.pay(payment)
    await settle(shop.context, payment.id)
    debt_id = await _owe(shop, payment)
    await counter.lose("transaction", "cut_after", READ_TRIES)

    with pytest.raises(ShopError):
        await refund_debt(shop.context, debt_id=debt_id, actor_user_id=admin)

    assert (await counter.refunded_so_far(), await counter.sandbox.calls("refund")) == ([], [])


async def _owe(shop: Shop, payment: Payment) -> int:
    """Owe a payment back."""
    async with unit_of_work(shop.context.database) as uow:
        debt = Debt(
            order_id=payment.order_id, payment_id=payment.id, amount=payment.amount, currency="GBP", reason="goodwill"
        )
        uow.session.add(debt)
        await uow.session.flush()
        await uow.commit()
        return debt.id
