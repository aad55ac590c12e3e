"""Walks of all accounts: by night those that are due, on demand every one."""

from __future__ import annotations

from datetime import timedelta

import structlog

from cart.wiring import Till
from shared.contracts.errors import GatewayError
from shared.payments.record import all_accounts

from .walk import Walked, walk_history, walked_since

DUE_AFTER = timedelta(days=1)
_log = structlog.get_logger("maypole.walk")


async def walk_everything(till: Till) -> list[Walked]:
    """Walk every account, and say what came of each. Safe to repeat."""
    return [
        await _walk(till, merchant_code)
        for merchant_code in await all_accounts(till.database, till.gateways, till.settings.sumup_merchant_code)
    ]


async def walk_due(till: Till) -> None:
    """Walk the accounts whose last walk, or first payment, is a day ago; one that cannot be asked stays due."""
    for merchant_code in await all_accounts(till.database, till.gateways, till.settings.sumup_merchant_code):
        since = await walked_since(till, merchant_code)
        if since is not None and till.clock() - since >= DUE_AFTER:
            await _walk(till, merchant_code)


async def _walk(till: Till, merchant_code: str) -> Walked:
    """Walk an account; one that cannot be asked does not keep the others waiting."""
    try:
        return await walk_history(till, merchant_code)
    except GatewayError as error:
        name = type(error).__name__
        _log.warning("history_not_walked", merchant_code=merchant_code, error=name)
        return Walked(merchant_code, unreachable=name)
