"""Walks of all accounts: by night those that are due, on demand every one."""

from __future__ import annotations

from datetime import timedelta

import structlog
from sqlalchemy import select

from cart.wiring import Till
from shared.contracts.errors import GatewayError
from shared.db.uow import unit_of_work
from shared.models import PaymentAccount

from .walk import Walked, walk_history, walked_since

DUE_AFTER = timedelta(days=1)
_log = structlog.get_logger("maypole.walk")


async def walk_everything(till: Till) -> list[Walked]:
    """Walk every account, and say what came of each. Safe to repeat."""
    return [await _walk(till, merchant_code) for merchant_code in await _accounts(till)]


async def walk_due(till: Till) -> None:
    """Walk the accounts whose last walk, or first payment, is a day ago; one that cannot be asked stays due."""
    for merchant_code in await _accounts(till):
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


async def _accounts(till: Till) -> list[str]:
    """Return the installation's own account, and those that pages were ever paid to."""
    own = till.settings.sumup_merchant_code
    async with unit_of_work(till.database) as uow:
        others = await uow.session.scalars(select(PaymentAccount.merchant_code).order_by(PaymentAccount.merchant_code))
        return [own, *(code for code in others if code != own)]
