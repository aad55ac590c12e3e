"""The accounts that the sandbox has: the installation's own, and those of SANDBOX_ACCOUNTS."""

from __future__ import annotations

from dataclasses import dataclass

from pydantic import SecretStr

from shared.settings import Settings

SHORT, LONG = 2, 3


@dataclass(frozen=True, slots=True)
class Merchant:
    """One account: its code, the key that opens it, and its one currency."""

    code: str
    api_key: SecretStr
    currency: str


def sandbox_accounts(settings: Settings) -> dict[str, Merchant]:
    """Return the sandbox's accounts by their code. Raises ValueError for one that is written wrong."""
    own = Merchant(settings.sumup_merchant_code, settings.sumup_api_key, settings.currency)
    more = [_read(text, settings.currency) for text in settings.sandbox_accounts]
    # The installation's own comes last, and so wins where SANDBOX_ACCOUNTS names its code as well.
    return {merchant.code: merchant for merchant in (*more, own)}


def _read(text: str, currency: str) -> Merchant:
    parts = text.split("=")
    if len(parts) not in (SHORT, LONG) or not all(parts):
        raise ValueError(f"SANDBOX_ACCOUNTS: {parts[0]} is not written CODE=KEY or CODE=KEY=CURRENCY")
    return Merchant(parts[0], SecretStr(parts[1]), parts[2] if len(parts) == LONG else currency)
