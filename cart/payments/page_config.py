"""Who is paid for what: a page's own account, or the installation's."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from shared.contracts.errors import SeveralAccounts
from shared.models import PageConfig


@dataclass(frozen=True, slots=True)
class Payee:
    """The account that an order is paid to, and the page that it belongs to where it is only one."""

    page_post_id: int | None
    merchant_code: str


@dataclass(frozen=True, slots=True)
class PageCodes:
    """The merchant code behind a page, and the one that it is paid to later."""

    now: str
    later: str = ""
    later_at: datetime | None = None
    """From when on ``later`` is used; None: nothing changes by itself."""


async def merchant_codes(
    session: AsyncSession, page_post_ids: Collection[int | None], default: str, *, now: datetime
) -> dict[int | None, str]:
    """Return the merchant code behind each page; ``default`` for those without an account of their own."""
    codes = await codes_of_pages(session, page_post_ids, default, now=now)
    return {page_post_id: found.now for page_post_id, found in codes.items()}


async def codes_of_pages(
    session: AsyncSession, page_post_ids: Collection[int | None], default: str, *, now: datetime
) -> dict[int | None, PageCodes]:
    """Return the same, each with what is planned for later."""
    known = [page_post_id for page_post_id in page_post_ids if page_post_id is not None]
    rows = await session.execute(
        select(
            PageConfig.container_id,
            PageConfig.account_at(now),
            PageConfig.next_merchant_code,
            PageConfig.next_account_at,
        ).where(PageConfig.container_type == "page", PageConfig.container_id.in_(known))
    )
    # An empty code is none: the page is paid to the default account.
    own: dict[int | None, PageCodes] = {
        page_post_id: PageCodes(code or default, later or default, at)
        if at is not None and at > now
        else PageCodes(code or default)
        for page_post_id, code, later, at in rows
    }
    return {page_post_id: own.get(page_post_id, PageCodes(default)) for page_post_id in page_post_ids}


async def resolve_page_config(
    session: AsyncSession, page_post_ids: Collection[int | None], *, default_merchant_code: str, now: datetime
) -> Payee:
    """Return who is paid for things of these pages at a moment: tickets, bookings and products alike.

    Raises SeveralAccounts where they are paid to more than one account.
    """
    codes = await merchant_codes(session, page_post_ids, default_merchant_code, now=now)
    # By account, not by page: two pages that are paid to one account make one order.
    if len(set(codes.values())) > 1:
        raise SeveralAccounts
    only = next(iter(codes)) if len(codes) == 1 else None
    return Payee(only, next(iter(codes.values()), default_merchant_code))
