"""One provider, several accounts: which key belongs to whom, and how the stored ones are sealed anew."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest
import structlog
from pydantic import SecretStr
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from launcher.accounts import reseal_keys
from launcher.failures import CommandError
from shared.contracts.errors import AccountMissing, AuthFailed
from shared.db.engine import Database
from shared.models import PaymentAccount
from shared.payments.accounts import OneGateway, SumUpAccounts
from shared.payments.vault import Vault, new_key
from shared.settings import Settings
from tests.factories.accounts import make_account
from tests.fakes.gateway import FakeGateway
from tests.fakes.payments import MovableClock

FARM_KEY = "sup_sk_very_secret_farm"


class Door:
    """A provider that lets nobody in, and remembers who knocked with which key."""

    def __init__(self) -> None:
        self.keys: list[str] = []

    def handle(self, request: httpx.Request) -> httpx.Response:
        self.keys.append(request.headers["Authorization"])
        return httpx.Response(401)


@pytest.fixture
def door() -> Door:
    return Door()


@pytest.fixture
async def accounts(door: Door, settings: Settings, database: Database) -> AsyncIterator[SumUpAccounts]:
    async with httpx.AsyncClient(transport=httpx.MockTransport(door.handle)) as client:
        yield SumUpAccounts(client, settings, database, clock=MovableClock())


async def knock(accounts: SumUpAccounts, merchant_code: str) -> None:
    """Ask the provider for something with the key of an account."""
    gateway = await accounts.of(merchant_code)
    with pytest.raises(AuthFailed):
        await gateway.check_account(merchant_code)


async def test_the_installations_own_account_has_the_key_of_the_settings(accounts: SumUpAccounts, door: Door) -> None:
    await knock(accounts, "MSANDBOX")
    assert door.keys == ["Bearer sup_sk_sandbox"]


async def test_another_account_has_the_key_that_was_stored_for_it(
    accounts: SumUpAccounts, door: Door, session: AsyncSession
) -> None:
    await make_account(session, api_key=FARM_KEY)
    await make_account(session, merchant_code="MOTHER", api_key="sup_sk_other")
    await session.commit()
    await knock(accounts, "MFARM")
    assert door.keys == [f"Bearer {FARM_KEY}"]


async def test_an_account_that_nobody_stored_is_missing(accounts: SumUpAccounts, door: Door) -> None:
    with pytest.raises(AccountMissing, match="MNOBODY"):
        await accounts.of("MNOBODY")
    assert door.keys == []


async def test_a_key_that_no_longer_opens_is_missing_and_the_log_says_so_without_it(
    accounts: SumUpAccounts, session: AsyncSession
) -> None:
    account = await make_account(session, api_key=FARM_KEY, credentials_key=new_key())
    await session.commit()
    with structlog.testing.capture_logs() as logs, pytest.raises(AccountMissing) as refusal:
        await accounts.of("MFARM")
    assert [(line["event"], line["log_level"], line["merchant_code"]) for line in logs] == [
        ("account_key_unreadable", "error", "MFARM")
    ]
    for secret in (FARM_KEY, account.api_key_encrypted):
        assert secret not in f"{logs} {refusal.value!r} {refusal.value.__cause__!r}"


async def test_one_gateway_serves_every_account() -> None:
    gateway = FakeGateway()
    one = OneGateway(gateway)
    assert [await one.of(code) for code in ("MSANDBOX", "MFARM")] == [gateway, gateway]
    assert one.with_key(SecretStr("sup_sk_any")) is gateway


async def test_a_key_is_tried_whosever_it_is(accounts: SumUpAccounts, door: Door) -> None:
    with pytest.raises(AuthFailed):
        await accounts.with_key(SecretStr("sup_sk_any")).check_account("MFARM")
    assert door.keys == ["Bearer sup_sk_any"]


# --- maypole reseal ---


async def opened(session: AsyncSession, key: str) -> dict[str, str]:
    """Return the stored keys, as one key of the settings opens them."""
    vault = Vault([SecretStr(key)])
    rows = await session.execute(select(PaymentAccount.merchant_code, PaymentAccount.api_key_encrypted))
    return {code: vault.open(sealed).get_secret_value() for code, sealed in rows}


async def test_resealing_writes_every_key_under_the_first_one(
    settings: Settings, database_url: str, session: AsyncSession
) -> None:
    old, new = new_key(), new_key()
    await make_account(session, api_key=FARM_KEY, credentials_key=old)
    await make_account(session, merchant_code="MOTHER", api_key="sup_sk_other", credentials_key=new)
    await session.commit()
    rotating = settings.model_copy(update={"credentials_keys": (SecretStr(new), SecretStr(old))})
    said = [await reseal_keys(rotating, database_url) for _ in range(2)]
    assert said == ["2 keys are encrypted with the first of CREDENTIALS_KEYS."] * 2
    assert await opened(session, new) == {"MFARM": FARM_KEY, "MOTHER": "sup_sk_other"}


async def test_resealing_changes_nothing_where_a_key_cannot_be_opened(
    settings: Settings, database_url: str, session: AsyncSession
) -> None:
    first, lost = new_key(), new_key()
    await make_account(session, merchant_code="MALSO", credentials_key=first)
    await make_account(session, api_key=FARM_KEY, credentials_key=lost)
    await session.commit()
    before = list(await session.scalars(select(PaymentAccount.api_key_encrypted)))
    with pytest.raises(CommandError, match="MFARM") as refusal:
        await reseal_keys(
            settings.model_copy(update={"credentials_keys": (SecretStr(new_key()), SecretStr(first))}), database_url
        )
    assert FARM_KEY not in str(refusal.value)
    session.expire_all()
    assert list(await session.scalars(select(PaymentAccount.api_key_encrypted))) == before


async def test_resealing_without_a_key_says_which_setting_is_wrong(settings: Settings, database_url: str) -> None:
    with pytest.raises(CommandError, match="CREDENTIALS_KEYS"):
        await reseal_keys(settings.model_copy(update={"credentials_keys": ()}), database_url)
