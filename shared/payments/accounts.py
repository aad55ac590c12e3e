"""One provider, several accounts: the installation's own, and those that pages are paid to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import httpx
import structlog
from pydantic import SecretStr
from sqlalchemy import select

from shared.contracts.errors import AccountMissing
from shared.contracts.protocols import Clock, PaymentGateway
from shared.db.engine import Database
from shared.db.uow import unit_of_work
from shared.models import PaymentAccount
from shared.payments.sumup.gateway import SumUpGateway
from shared.settings import Settings

from .vault import Unreadable, vault_of

_log = structlog.get_logger("maypole.accounts")


@dataclass(frozen=True, slots=True)
class OneGateway:
    """The same gateway for every account: an installation with one key, and tests."""

    gateway: PaymentGateway

    @property
    def elsewhere(self) -> Mapping[str, str]:
        """Return nothing: every account is here."""
        return {}

    def name_of(self, merchant_code: str) -> str:  # noqa: ARG002 - there is only one
        """Return its name."""
        return "sumup"

    async def of(self, merchant_code: str, provider: str | None = None) -> PaymentGateway:  # noqa: ARG002 - likewise
        """Return the gateway."""
        return self.gateway

    def with_key(self, api_key: SecretStr) -> PaymentGateway:  # noqa: ARG002 - there is only one
        """Return the gateway."""
        return self.gateway


class SumUpAccounts:
    """SumUp, with the key that belongs to each account: that of the settings, else an encrypted row of the database."""

    def __init__(self, client: httpx.AsyncClient, settings: Settings, database: Database, *, clock: Clock) -> None:
        """Take the client that all accounts share."""
        self._client = client
        self._settings = settings
        self._database = database
        self._clock = clock
        self._vault = vault_of(settings)

    async def of(self, merchant_code: str) -> PaymentGateway:
        """Return the gateway of an account. Raises AccountMissing."""
        if merchant_code == self._settings.sumup_merchant_code:
            return self.with_key(self._settings.sumup_api_key)
        # Read and closed before anybody calls the provider with the key (docs/money.md, promise 15).
        async with unit_of_work(self._database) as uow:
            statement = select(PaymentAccount.api_key_encrypted)
            sealed = await uow.session.scalar(statement.where(PaymentAccount.merchant_code == merchant_code))
        if sealed is None:
            raise AccountMissing(merchant_code)
        try:
            return self.with_key(self._vault.open(sealed))
        except Unreadable as error:
            # For the buyer it is the same as no account; whoever runs the site has to see which key is missing.
            _log.error("account_key_unreadable", merchant_code=merchant_code)
            raise AccountMissing(merchant_code) from error

    def with_key(self, api_key: SecretStr) -> PaymentGateway:
        """Return the gateway that uses a key, whosever it is: how one is tried before it is kept."""
        return SumUpGateway(self._client, base_url=self._settings.sumup_origin, api_key=api_key, clock=self._clock)
