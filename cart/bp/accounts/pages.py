"""What the pages about accounts show."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from cart.bp.accounts.services import PageAccount
from shared.contracts.errors import ShopError
from shared.web.forms import FormPage

RESULTS: dict[str, str] = {
    "saved": "The key was checked and is kept. From now on this page's new orders are paid to its own account.",
    "later": "This page's new orders are paid to the other account from the time that stands beside it."
    " Until then an admin can still keep it as it is.",
    "kept": "This page's new orders are paid to the same account as before.",
    "default": "From now on this page's new orders are paid to the installation's own account.",
    "automatic": "From now on what is owed to this page's buyers goes back by itself, as far as the provider takes it.",
    "by-person": "From now on what is owed to this page's buyers waits in the refund queue for a person.",
}
"""What is said after a change."""


@dataclass(frozen=True, slots=True)
class AccountsPage:
    """All pages with their accounts."""

    accounts: tuple[PageAccount, ...]
    default_code: str
    time_zone: str
    result: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PayeePage(FormPage):
    """One page's account and the form for another one. ``typed`` is the merchant code; a key is never shown again."""

    CONTROLS: ClassVar[Mapping[str, str]] = {"merchant_code": "f-merchant_code", "api_key": "f-api_key"}

    account: PageAccount
    default_code: str
    currency: str
    time_zone: str
    typed: str = ""


def build_account_page(
    account: PageAccount,
    *,
    default_code: str,
    currency: str,
    time_zone: str,
    typed: str | None = None,
    refusal: ShopError | None = None,
) -> PayeePage:
    """Put the page together; without anything typed the field has the code that the page is paid to now."""
    return PayeePage(
        account=account,
        default_code=default_code,
        currency=currency,
        time_zone=time_zone,
        # None is "not typed yet"; an empty field that was sent stays empty.
        typed=typed if typed is not None else "" if account.is_default else account.merchant_code,
        refusal=refusal,
    )
