"""What the pages about accounts show."""

from __future__ import annotations

from dataclasses import dataclass

from cart.bp.accounts.services import PageAccount
from shared.contracts.errors import ShopError

RESULTS: dict[str, str] = {
    "saved": "The key was checked and is kept. From now on this page's new orders are paid to its own account.",
    "default": "From now on this page's new orders are paid to the installation's own account.",
    "automatic": "From now on what is owed to this page's buyers goes back by itself, as far as the provider takes it.",
    "by-person": "From now on what is owed to this page's buyers waits in the refund queue for a person.",
}
"""What is said after a change."""
FIELDS = ("merchant_code", "api_key")


@dataclass(frozen=True, slots=True)
class AccountsPage:
    """All pages with their accounts."""

    accounts: tuple[PageAccount, ...]
    default_code: str
    time_zone: str
    result: str = ""


@dataclass(frozen=True, slots=True)
class AccountPage:
    """One page's account and the form for another one. ``typed`` is the merchant code; a key is never shown again."""

    account: PageAccount
    default_code: str
    currency: str
    time_zone: str
    typed: str = ""
    problem: str = ""
    """What is wrong with no field in particular."""
    code_problem: str = ""
    key_problem: str = ""

    @property
    def is_refused(self) -> bool:
        """Whether a form was sent and nothing came of it."""
        return bool(self.problem or self.code_problem or self.key_problem)

    @property
    def problems(self) -> tuple[tuple[str, str], ...]:
        """What is wrong, with the control that it is about."""
        found = (("", self.problem), ("f-merchant_code", self.code_problem), ("f-api_key", self.key_problem))
        return tuple((control, text) for control, text in found if text)


def build_account_page(
    account: PageAccount,
    *,
    default_code: str,
    currency: str,
    time_zone: str,
    typed: str | None = None,
    refusal: ShopError | None = None,
) -> AccountPage:
    """Put the page together; without anything typed the field has the code that the page is paid to now."""
    field, text = ("", "") if refusal is None else (refusal.field or "", str(refusal))
    return AccountPage(
        account=account,
        default_code=default_code,
        currency=currency,
        time_zone=time_zone,
        typed=typed if typed is not None else "" if account.is_default else account.merchant_code,
        problem=text if field not in FIELDS else "",
        code_problem=text if field == "merchant_code" else "",
        key_problem=text if field == "api_key" else "",
    )
