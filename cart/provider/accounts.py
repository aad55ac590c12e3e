"""Walks of all accounts: by night those that are due, on demand every one."""

from __future__ import annotations

from datetime import timedelta

import structlog

from cart.wiring import PaymentContext
from shared.contracts.errors import GatewayError
from shared.payments.record import all_accounts

from .history import Reconciled, reconcile_history, reconciled_since

DUE_AFTER = timedelta(days=1)
_log = structlog.get_logger("maypole.reconcile")


async def reconcile_all(context: PaymentContext) -> list[Reconciled]:
    """Reconcile every account, and say what came of each. Safe to repeat."""
    return [
        await _reconcile(context, merchant_code)
        for merchant_code in await all_accounts(
            context.database, context.gateways, context.settings.sumup_merchant_code
        )
    ]


async def reconcile_due(context: PaymentContext) -> None:
    """Reconcile the accounts that were last reconciled, or first paid, a day ago; whom nobody can ask stays due."""
    for merchant_code in await all_accounts(context.database, context.gateways, context.settings.sumup_merchant_code):
        since = await reconciled_since(context, merchant_code)
        # An account that never had a payment of ours has nothing to compare.
        if since is not None and context.clock() - since >= DUE_AFTER:
            await _reconcile(context, merchant_code)


async def _reconcile(context: PaymentContext, merchant_code: str) -> Reconciled:
    """Reconcile an account; one that cannot be asked does not keep the others waiting."""
    try:
        return await reconcile_history(context, merchant_code)
    except GatewayError as error:
        name = type(error).__name__
        _log.warning("history_not_walked", merchant_code=merchant_code, error=name)
        return Reconciled(merchant_code, unreachable=name)
