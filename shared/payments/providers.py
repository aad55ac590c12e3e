"""The payment providers that this installation knows, by name, and which account is at which of them.

SumUp is put together here and nowhere else. Another provider is one more name, for whoever starts an app.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from pydantic import SecretStr

from shared.contracts.errors import AccountMissing
from shared.contracts.protocols import Clock, PaymentGateway, Provider
from shared.db.engine import Database
from shared.payments.sumup.gateway import sumup_client
from shared.settings import Settings

from .accounts import SumUpAccounts

SUMUP = "sumup"


@dataclass(frozen=True, slots=True)
class Providers:
    """Gateways over several providers. An account is at one of them for good."""

    by_name: Mapping[str, Provider]
    default: str = SUMUP
    """Where an account is of which nothing else is said."""
    elsewhere: Mapping[str, str] = field(default_factory=dict)
    """The provider of each account that is at another one, by its merchant code."""

    def name_of(self, merchant_code: str) -> str:
        """Return the name of the provider that an account is at."""
        return self.elsewhere.get(merchant_code, self.default)

    async def of(self, merchant_code: str, provider: str | None = None) -> PaymentGateway:
        """Return the gateway that uses an account's key, at the provider of this name. Raises AccountMissing."""
        known = self.by_name.get(provider or self.name_of(merchant_code))
        if known is None:
            raise AccountMissing(merchant_code)
        return await known.of(merchant_code)

    def with_key(self, api_key: SecretStr) -> PaymentGateway:
        """Return the gateway of the default provider that uses a key: how one is tried before it is kept."""
        return self.by_name[self.default].with_key(api_key)


@asynccontextmanager
async def sumup_alone(settings: Settings, database: Database, *, clock: Clock) -> AsyncIterator[Providers]:
    """Give the gateways of an installation that is paid through SumUp, on a client that is closed again."""
    async with sumup_client(settings) as client:
        yield Providers({SUMUP: SumUpAccounts(client, settings, database, clock=clock)})
