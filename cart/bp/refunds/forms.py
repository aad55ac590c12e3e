"""What the forms of giving money back send, read strictly."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal

from cart.bp.cart.forms import read_id
from cart.bp.refunds.services import Batch
from shared.contracts.errors import BadInput

_COUNT = re.compile(r"[0-9]{1,6}")
_AMOUNT = re.compile(r"[0-9]{1,10}\.[0-9]{2}")
INCOMPLETE = "That form was not complete. Please go back, reload the page and try again."


def read_batch(form: Mapping[str, str]) -> Batch:
    """Return what the person saw when they pressed the button. Raises BadInput."""
    count, amount = form.get("count", ""), form.get("amount", "")
    if not _COUNT.fullmatch(count):
        raise BadInput(INCOMPLETE)
    return Batch(int(count), read_shown_amount(amount), read_id(form.get("last"), "last"))


def read_shown_amount(text: str) -> Decimal:
    """Return an amount that a page of ours wrote into its form. Raises BadInput."""
    if not _AMOUNT.fullmatch(text):
        raise BadInput(INCOMPLETE)
    return Decimal(text)


def read_moment(text: str) -> datetime:
    """Return a moment that a page of ours wrote into an address. Raises BadInput."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise BadInput("We could not find that.")
    return moment
