"""Accounts at the payment provider besides the installation's own, with their keys sealed."""

from __future__ import annotations

from datetime import UTC, datetime

from pydantic import SecretStr
from sqlalchemy.ext.asyncio import AsyncSession

from shared.models import PaymentAccount
from shared.payments.vault import Vault
from shared.settings import DEV_CREDENTIALS_KEY


async def make_account(
    session: AsyncSession,
    *,
    merchant_code: str = "MFARM",
    api_key: str = "sup_sk_sandbox_farm",
    name: str = "Home Farm",
    currency: str = "GBP",
    sandbox: bool = True,
    credentials_key: str = DEV_CREDENTIALS_KEY,
    checked_at: datetime | None = None,
) -> PaymentAccount:
    """Keep an account whose key the settings of the tests open, unless it is sealed with another one."""
    made = PaymentAccount(
        merchant_code=merchant_code,
        api_key_encrypted=Vault([SecretStr(credentials_key)]).seal(SecretStr(api_key)),
        name=name,
        currency=currency,
        sandbox=sandbox,
        checked_at=checked_at or datetime.now(UTC),
    )
    session.add(made)
    await session.flush()
    return made
