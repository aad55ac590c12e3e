"""Who is paid for what: a page's own account, or the installation's."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from shared.contracts.errors import SeveralAccounts
from shared.models import PageConfig


@dataclass(frozen=True, slots=True)
class Payee:
    """The account that an order is paid to, and the page that it belongs to where it is only one."""

    page_post_id: int | None
    merchant_code: str


async def merchant_codes(
    session: AsyncSession, page_post_ids: Collection[int | None], default: str
) -> dict[int | None, str]:
    """Return the merchant code behind each page; ``default`` for those without an account of their own."""
    known = [page_post_id for page_post_id in page_post_ids if page_post_id is not None]
    rows = await session.execute(
        select(PageConfig.container_id, PageConfig.sumup_merchant_code).where(
            PageConfig.container_type == "page", PageConfig.container_id.in_(known)
        )
    )
    # An empty code is none: the page is paid to the default account.
    own = {page_post_id: code for page_post_id, code in rows if code}
    return {
        page_post_id: own.get(page_post_id, default) if page_post_id is not None else default
        for page_post_id in page_post_ids
    }


async def resolve_page_config(
    session: AsyncSession, page_post_ids: Collection[int | None], *, default_merchant_code: str
) -> Payee:
    """Return who is paid for things of these pages: tickets, bookings and products alike.

    Raises SeveralAccounts where they are paid to more than one account.
    """
    codes = await merchant_codes(session, page_post_ids, default_merchant_code)
    # By account, not by page: two pages that are paid to one account make one order.
    if len(set(codes.values())) > 1:
        raise SeveralAccounts
    only = next(iter(codes)) if len(codes) == 1 else None
    return Payee(only, next(iter(codes.values()), default_merchant_code))
