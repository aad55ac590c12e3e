"""The reconciliation as the command runs it: all accounts, against the sandbox on a real socket."""

from __future__ import annotations

from collections.abc import AsyncIterator
from decimal import Decimal

import pytest
from sqlalchemy import select

from cart.wiring import PaymentContext
from cart.worker import reconcile_histories
from shared.db.engine import Database
from shared.db.uow import unit_of_work
from shared.models import ProviderFinding, ProviderWalk
from shared.payments.accounts import SumUpAccounts
from shared.payments.providers import SUMUP, Providers
from shared.payments.sumup.gateway import sumup_client
from shared.services.registry import use_services
from shared.settings import Settings
from tests.factories.accounts import make_account
from tests.support.sandbox import SandboxControl, running_sandbox, settings_for
from tests.support.shop import Shop, open_shop

OWN, FARM = "MSANDBOX", "MFARM"
FARM_KEY = "sup_sk_sandbox_farm"


@pytest.fixture
async def sandbox(settings: Settings) -> AsyncIterator[SandboxControl]:
    async with running_sandbox(settings.model_copy(update={"sandbox_webhook_delays_s": ()})) as control:
        yield control


@pytest.fixture
async def shop(database: Database, settings: Settings, sandbox: SandboxControl) -> AsyncIterator[Shop]:
    """A shop that is paid through the sandbox."""
    reached = settings_for(settings, sandbox)
    made = open_shop(database, reached)
    async with sumup_client(reached) as client:
        accounts = SumUpAccounts(client, reached, database, clock=made.clock)
        gateways = Providers({SUMUP: accounts})
        made.context = PaymentContext(database, gateways, made.context.services, reached, made.clock)
        use_services(made.context.services)
        yield made


async def found(shop: Shop) -> set[tuple[str, Decimal]]:
    async with unit_of_work(shop.context.database) as uow:
        rows = await uow.session.scalars(select(ProviderFinding))
        return {(row.kind, row.amount) for row in rows}


async def walk(shop: Shop, database_url: str) -> list[str]:
    return [str(reconciled) for reconciled in await reconcile_histories(shop.context.settings, database_url)]


async def test_everything_that_nobody_told_us_of_is_found_once(
    shop: Shop, sandbox: SandboxControl, database_url: str
) -> None:
    show, ada, bob = await shop.show(), await shop.shopper(), await shop.shopper()
    unheard, refunded = await shop.buy(ada, show, 2), await shop.buy(bob, show)
    assert unheard.checkout_id is not None
    assert refunded.checkout_id is not None
    await sandbox.pay(unheard.checkout_id)
    paid = await sandbox.pay(refunded.checkout_id)
    await sandbox.refund(paid["id"], Decimal("2.50"))
    await sandbox.charge_back(paid["id"])
    await sandbox.pay_out((await sandbox.take(OWN, Decimal("7.00")))["id"])
    await sandbox.take(OWN, Decimal("3.00"), "POS")
    assert await walk(shop, database_url) == [f"{OWN}: 4 looked at, 2 settled, 3 found, 0 undecided"]
    assert await walk(shop, database_url) == [f"{OWN}: 4 looked at, 0 settled, 0 found, 0 undecided"]
    assert await found(shop) == {
        ("foreign_payment", Decimal("7.00")),
        ("external_refund", Decimal("2.50")),
        ("chargeback", Decimal("10.00")),
    }
    assert [order.state for order in [*await shop.orders(ada), *await shop.orders(bob)]] == ["paid", "refunded"]


async def test_each_account_is_walked_with_its_own_key_and_one_without_keeps_none_waiting(
    shop: Shop, sandbox: SandboxControl, database_url: str
) -> None:
    async with unit_of_work(shop.context.database) as uow:
        await make_account(uow.session, merchant_code=FARM, api_key=FARM_KEY)
        await make_account(uow.session, merchant_code="MGONE", api_key="sup_sk_revoked")
        await uow.commit()
    await sandbox.take(FARM, Decimal("4.00"))
    lines = await walk(shop, database_url)
    assert lines == [
        f"{OWN}: 0 looked at, 0 settled, 0 found, 0 undecided",
        f"{FARM}: 1 looked at, 0 settled, 1 found, 0 undecided",
        "MGONE: SumUp could not be asked (AuthFailed)",
    ]
    async with unit_of_work(shop.context.database) as uow:
        reconciled = set(await uow.session.scalars(select(ProviderWalk.merchant_code)))
    assert reconciled == {OWN, FARM}
