"""The sandbox keeps its accounts apart: a key sees, closes and refunds nothing of another account's."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from decimal import Decimal
from typing import Any

import httpx
import pytest
from pydantic import SecretStr

from sandbox.merchants import sandbox_accounts
from shared.contracts.dtos import Account, Checkout, RefundOutcome
from shared.contracts.errors import AuthFailed, GatewayNotFound, Rejected
from shared.contracts.protocols import PaymentGateway
from shared.payments.sumup.gateway import SumUpGateway, sumup_client
from shared.settings import Settings
from tests.fakes.payments import MovableClock, an_attempt
from tests.support.sandbox import SandboxControl, settings_for

OWN, FARM, EURO = "sup_sk_sandbox", "sup_sk_sandbox_farm", "sup_sk_sandbox_euro"

WithKey = Callable[[str], PaymentGateway]


@pytest.fixture
async def with_key(quiet_settings: Settings, sandbox: SandboxControl, clock: MovableClock) -> AsyncIterator[WithKey]:
    """Give the gateway that a key of the sandbox opens."""
    settings = settings_for(quiet_settings, sandbox)
    async with sumup_client(settings) as client:
        yield lambda key: SumUpGateway(client, base_url=settings.sumup_origin, api_key=SecretStr(key), clock=clock)


async def of_the_farm(with_key: WithKey, **changes: Any) -> Checkout:
    """Open a checkout of the farm's."""
    return await with_key(FARM).create(an_attempt(merchant_code="MFARM", **changes))


@pytest.fixture
async def paid(with_key: WithKey, sandbox: SandboxControl) -> Checkout:
    """A checkout of the farm's that is paid."""
    checkout = await of_the_farm(with_key)
    await sandbox.pay(checkout.id)
    return await with_key(FARM).get(checkout.id)


@pytest.mark.parametrize(
    ("key", "code", "currency"), [(OWN, "MSANDBOX", "GBP"), (FARM, "MFARM", "GBP"), (EURO, "MEURO", "EUR")]
)
async def test_each_key_opens_its_own_account(with_key: WithKey, key: str, code: str, currency: str) -> None:
    account = await with_key(key).check_account(code)
    assert account == Account(code, "Maypole sandbox shop", currency, sandbox=True)


@pytest.mark.parametrize("code", ["MFARM", "MNOBODY"])
async def test_a_key_shows_no_other_account(with_key: WithKey, code: str) -> None:
    with pytest.raises(GatewayNotFound):
        await with_key(OWN).check_account(code)


async def test_a_key_of_nobodys_opens_nothing(with_key: WithKey) -> None:
    with pytest.raises(AuthFailed):
        await with_key("sup_sk_nobody").check_account("MFARM")


async def test_a_checkout_is_found_by_its_own_account_alone(with_key: WithKey) -> None:
    checkout = await of_the_farm(with_key)
    assert await with_key(FARM).find(checkout.reference) == checkout
    assert await with_key(OWN).find(checkout.reference) is None
    with pytest.raises(GatewayNotFound):
        await with_key(OWN).get(checkout.id)


async def test_the_list_of_checkouts_has_ones_own_alone(with_key: WithKey, sandbox: SandboxControl) -> None:
    mine = await with_key(OWN).create(an_attempt())
    await of_the_farm(with_key)
    async with httpx.AsyncClient(base_url=sandbox.url, trust_env=False) as client:
        answer = await client.get("/v0.1/checkouts", headers={"Authorization": f"Bearer {OWN}"})
    assert [checkout["id"] for checkout in answer.json()] == [mine.id]


async def test_another_account_cannot_close_a_checkout(with_key: WithKey) -> None:
    checkout = await of_the_farm(with_key)
    with pytest.raises(GatewayNotFound):
        await with_key(OWN).cancel(checkout.id)
    assert await with_key(FARM).get(checkout.id) == checkout


async def test_a_checkout_is_opened_for_ones_own_account_and_in_its_currency(with_key: WithKey) -> None:
    for key, changes, wrong in (
        (OWN, {"merchant_code": "MFARM"}, "merchant_code"),
        (EURO, {"merchant_code": "MEURO", "currency": "GBP"}, "currency"),
    ):
        with pytest.raises(Rejected) as refusal:
            await with_key(key).create(an_attempt(**changes))
        assert refusal.value.params == (wrong,)


@pytest.mark.parametrize("named", ["MFARM", "MSANDBOX"])
async def test_a_transaction_is_shown_to_its_own_account_alone(with_key: WithKey, paid: Checkout, named: str) -> None:
    transaction_id = str(paid.transaction_id)
    assert await with_key(OWN).transaction(transaction_id, named) is None
    assert await with_key(FARM).transaction(transaction_id, "MFARM") is not None


@pytest.mark.parametrize("named", ["MFARM", "MSANDBOX"])
async def test_another_account_gives_nothing_back(with_key: WithKey, paid: Checkout, named: str) -> None:
    transaction_id = str(paid.transaction_id)
    answer = await with_key(OWN).refund(transaction_id, named, Decimal("1.00"))
    assert (answer.outcome, answer.code) == (RefundOutcome.REJECTED, "NOT_FOUND")
    transaction = await with_key(FARM).transaction(transaction_id, "MFARM")
    assert transaction is not None
    assert transaction.refunds == ()


async def test_the_history_of_another_account_is_not_shown(paid: Checkout, sandbox: SandboxControl) -> None:
    path = "/v2.1/merchants/{}/transactions/history"
    async with httpx.AsyncClient(base_url=sandbox.url, trust_env=False) as client:
        foreign = await client.get(path.format("MFARM"), headers={"Authorization": f"Bearer {OWN}"})
        own = await client.get(path.format("MFARM"), headers={"Authorization": f"Bearer {FARM}"})
    assert (foreign.status_code, [item["transaction_id"] for item in own.json()["items"]]) == (
        404,
        [paid.transaction_id],
    )


@pytest.mark.parametrize("text", ["MFARM", "MFARM=", "=key", "MFARM=key=GBP=more"])
def test_an_account_that_is_written_wrong_is_named_without_its_key(settings: Settings, text: str) -> None:
    with pytest.raises(ValueError, match="SANDBOX_ACCOUNTS") as caught:
        sandbox_accounts(settings.model_copy(update={"sandbox_accounts": (text,)}))
    assert "key" not in str(caught.value).replace("CODE=KEY", "")
