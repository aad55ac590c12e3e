"""The forms of a page's account. Nothing here ever shows the key: it is typed, tried, sealed and gone."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, StringConstraints

from shared.payments.sumup.gateway import MERCHANT_FORM
from shared.web.forms import Form, Text, Yes, or_say

LONGEST_KEY = 200
NO_CODE = "Enter the merchant code, such as MC4VDM9V: letters and digits."
NO_KEY = "Enter the API key as the provider shows it, without spaces."


def _fits_a_header(key: SecretStr) -> SecretStr:
    """Let only pass what could be sent to be checked: printable ASCII without blanks."""
    text = key.get_secret_value()
    # Refused here: an HTTP library would raise on such a header, and its message holds the key.
    if not 0 < len(text) <= LONGEST_KEY or not text.isascii() or not text.isprintable() or " " in text:
        raise ValueError
    return key


MerchantCode = Annotated[Text, StringConstraints(pattern=f"^(?:{MERCHANT_FORM.pattern})$"), or_say(NO_CODE)]
ApiKey = Annotated[SecretStr, BeforeValidator(str.strip), AfterValidator(_fits_a_header), or_say(NO_KEY)]


class AccountForm(Form):
    """A press of the "Check and save" button: a merchant code and a key."""

    merchant_code: MerchantCode = Field("", validate_default=True)
    api_key: ApiKey = Field("", validate_default=True)


class RefundsForm(Form):
    """How what is owed goes back: by itself, or when a person presses the button."""

    automatic: Yes = False
