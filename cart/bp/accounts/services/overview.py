"""Every page of the site, and the account that it is paid to: a read for admins."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from cart.payments.page_config import codes_of_pages
from cart.wiring import PaymentContext
from shared.contracts.dtos import PageDTO
from shared.contracts.errors import NotFound
from shared.models import PaymentAccount
from shared.payments.vault import Unreadable, Vault, vault_of


@dataclass(frozen=True, slots=True)
class PageAccount:
    """The account that a page is paid to, and what is known of it. Its key is nowhere in here."""

    page: PageDTO
    merchant_code: str
    is_default: bool
    """Whether it is the installation's own, which the settings name."""
    has_key: bool = True
    """Whether there is a key that can be used: without one nothing of the page can be paid for."""
    name: str = ""
    sandbox: bool = False
    checked_at: datetime | None = None
    """When the provider was last asked about it; of the installation's own that is not known."""
    later_code: str = ""
    later_at: datetime | None = None
    """From when on the page is paid to ``later_code`` instead; None: nothing changes by itself."""


async def list_page_accounts(session: AsyncSession, context: PaymentContext) -> list[PageAccount]:
    """Return all pages by title, each with its account; three queries, however many there are. For admins only."""
    return await _with_accounts(session, context, await context.services.blog.pages(session, drafts=True))


async def find_page_account(session: AsyncSession, context: PaymentContext, page_post_id: int) -> PageAccount:
    """Return one page with its account. Raises NotFound. For admins only."""
    pages = await context.services.blog.pages_by_id(session, [page_post_id])
    found = await _with_accounts(session, context, list(pages.values()))
    if not found:
        raise NotFound
    return found[0]


async def _with_accounts(session: AsyncSession, context: PaymentContext, pages: Sequence[PageDTO]) -> list[PageAccount]:
    """Find the account of each page."""
    default, vault = context.settings.sumup_merchant_code, vault_of(context.settings)
    codes = await codes_of_pages(session, [page.id for page in pages], default, now=context.clock())
    # All accounts at once, however many pages there are.
    stored = await _stored(session, {code.now for code in codes.values()} - {default})
    accounts = [
        PageAccount(page, default, is_default=True)
        if codes[page.id].now == default
        else _of_its_own(page, codes[page.id].now, stored.get(codes[page.id].now), vault)
        for page in pages
    ]
    return [
        replace(account, later_code=codes[account.page.id].later, later_at=codes[account.page.id].later_at)
        for account in accounts
    ]


async def _stored(session: AsyncSession, codes: set[str]) -> dict[str, PaymentAccount]:
    rows = await session.scalars(select(PaymentAccount).where(PaymentAccount.merchant_code.in_(codes)))
    return {account.merchant_code: account for account in rows}


def _of_its_own(page: PageDTO, code: str, account: PaymentAccount | None, vault: Vault) -> PageAccount:
    """Say what is known of a page's own account."""
    if account is None:
        return PageAccount(page, code, is_default=False, has_key=False)
    return PageAccount(
        page,
        code,
        is_default=False,
        # Tried, not only looked for: after a change of the vault's key it may be there and of no use.
        has_key=_opens(vault, account.api_key_encrypted),
        name=account.name,
        sandbox=account.sandbox,
        checked_at=account.checked_at,
    )


def _opens(vault: Vault, sealed: str) -> bool:
    """Tell whether a key can be read with the keys of the settings."""
    try:
        vault.open(sealed)
    except Unreadable:
        return False
    return True
