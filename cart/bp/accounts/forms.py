"""What the form of a page's account sends. Nothing here ever shows the key: it is typed, tried, sealed and gone."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from pydantic import SecretStr

from shared.contracts.errors import BadInput
from shared.payments.sumup.gateway import MERCHANT_FORM

_KEY = re.compile(r"[!-~]{1,200}")
"""What fits into a request's header as it is; anything else could not even be sent to be checked."""


@dataclass(frozen=True, slots=True)
class AccountForm:
    """A merchant code as it was typed, and a key."""

    typed: str
    typed_key: SecretStr

    @property
    def merchant_code(self) -> str:
        """The merchant code. Raises BadInput."""
        if not MERCHANT_FORM.fullmatch(self.typed):
            raise BadInput("Enter the merchant code, such as MC4VDM9V: letters and digits.", field="merchant_code")
        return self.typed

    @property
    def api_key(self) -> SecretStr:
        """The key. Raises BadInput."""
        if not _KEY.fullmatch(self.typed_key.get_secret_value()):
            raise BadInput("Enter the API key as the provider shows it, without spaces.", field="api_key")
        return self.typed_key


def read_account_form(form: Mapping[str, str]) -> AccountForm:
    """Read a press of the "Check and save" button."""
    return AccountForm(form.get("merchant_code", "").strip(), SecretStr(form.get("api_key", "").strip()))
