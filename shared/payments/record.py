"""The provider's own record of the money that came to us: whose it is, and how it is read."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime

import structlog
from sqlalchemy import select

from shared.contracts.dtos import HistoryPage
from shared.contracts.protocols import Gateways, PaymentGateway
from shared.db.engine import Database
from shared.db.uow import unit_of_work
from shared.models import PaymentAccount

_log = structlog.get_logger("maypole.record")


async def all_accounts(database: Database, gateways: Gateways, own_account: str) -> list[str]:
    """Return the merchant codes of all accounts: the installation's own, those of pages, and what is elsewhere."""
    async with unit_of_work(database) as uow:
        # Also those that no page is paid to any more: what came in there can still go back.
        others = await uow.session.scalars(select(PaymentAccount.merchant_code).order_by(PaymentAccount.merchant_code))
        return list(dict.fromkeys([own_account, *others, *gateways.elsewhere]))


async def history_pages(gateway: PaymentGateway, merchant_code: str, *, since: datetime) -> AsyncIterator[HistoryPage]:
    """Give an account's record page by page; a link that comes again leads nowhere. Raises GatewayError."""
    seen: set[str | None] = set()
    following: str | None = None
    # A link that comes again would be followed for ever, and the records of all other accounts would wait for it.
    while following not in seen:
        seen.add(following)
        page = await gateway.history(merchant_code, since=since, following=following)
        yield page
        if page.following is None:
            return
        following = page.following
    _log.error("history_goes_in_circles", merchant_code=merchant_code)
