"""SumUp's official SDK against our sandbox: a second, independent reading of the same API."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import pytest
from sumup import AsyncSumup
from sumup.errors import AuthenticationError, BadRequestError, ConflictError, NotFoundError, UnprocessableEntityError

from tests.support.sandbox import SandboxControl

MERCHANT = "MSANDBOX"
GOOD: dict[str, Any] = {"checkout_reference": "r-1", "amount": 12.5, "currency": "GBP", "merchant_code": MERCHANT}


@pytest.fixture
async def sdk(sandbox: SandboxControl) -> AsyncIterator[AsyncSumup]:
    async with AsyncSumup(api_key="sup_sk_sandbox", base_url=sandbox.url, timeout=5) as client:
        yield client


async def test_a_hosted_checkout_is_opened_read_changed_and_closed(sdk: AsyncSumup) -> None:
    until = datetime(2026, 11, 28, 20, 0, tzinfo=UTC)
    created = await sdk.checkouts.create(
        **GOOD, valid_until=until, redirect_url="http://localhost/back", hosted_checkout={"enabled": True}
    )
    assert created.id is not None
    assert (created.status, created.amount, created.valid_until) == ("PENDING", 12.5, until)
    assert created.hosted_checkout_url is not None
    assert [one.id for one in await sdk.checkouts.list(checkout_reference="r-1")] == [created.id]
    assert (await sdk.checkouts.update(created.id, amount=20.0)).amount == 20
    assert (await sdk.checkouts.deactivate(created.id)).status == "EXPIRED"
    assert (await sdk.checkouts.get(created.id)).status == "EXPIRED"


async def test_a_payment_is_seen_and_refunded(sdk: AsyncSumup, sandbox: SandboxControl) -> None:
    created = await sdk.checkouts.create(**GOOD)
    assert created.id is not None
    await sandbox.pay(created.id)
    paid = await sdk.checkouts.get(created.id)
    assert paid.status == "PAID"
    assert paid.transaction_id is not None
    await sdk.transactions.refund(MERCHANT, paid.transaction_id, amount=2.5)
    transaction = await sdk.transactions.get(MERCHANT, id=paid.transaction_id)
    assert transaction.status == transaction.simple_status == "SUCCESSFUL"
    assert transaction.transaction_events is not None
    assert [(event.event_type, event.status, event.amount) for event in transaction.transaction_events] == [
        ("REFUND", "REFUNDED", 2.5)
    ]
    assert transaction.links is not None
    assert [(link.rel, link.max_amount) for link in transaction.links] == [("refund", 10)]
    items = (await sdk.transactions.list(MERCHANT, limit=5)).items
    assert items is not None
    assert [(item.transaction_id, item.refunded_amount) for item in items] == [(paid.transaction_id, 2.5)]


async def test_the_merchant_is_a_sandbox(sdk: AsyncSumup) -> None:
    merchant = await sdk.merchants.get(MERCHANT)
    assert (merchant.merchant_code, merchant.default_currency, merchant.sandbox) == (MERCHANT, "GBP", True)


async def test_refusals_have_the_errors_of_the_sdk(sdk: AsyncSumup, sandbox: SandboxControl) -> None:
    created = await sdk.checkouts.create(**GOOD)
    assert created.id is not None
    with pytest.raises(ConflictError):
        await sdk.checkouts.create(**GOOD)
    with pytest.raises(BadRequestError):
        await sdk.checkouts.create(**GOOD | {"checkout_reference": "r-2", "currency": "EUR"})
    with pytest.raises(NotFoundError):
        await sdk.checkouts.get("nobody")
    transaction_id = (await sandbox.pay(created.id))["id"]
    with pytest.raises(ConflictError):
        await sdk.checkouts.deactivate(created.id)
    with pytest.raises(UnprocessableEntityError):
        await sdk.transactions.refund(MERCHANT, transaction_id, amount=12.51)


async def test_a_wrong_key_is_refused(sandbox: SandboxControl) -> None:
    async with AsyncSumup(api_key="sup_pk_public", base_url=sandbox.url, timeout=5) as client:
        with pytest.raises(AuthenticationError):
            await client.checkouts.get("nobody")
