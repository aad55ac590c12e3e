"""What the forms of giving money back send, read strictly."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from cart.refunds.batch import Batch
from cart.refunds.give_back import Decision
from cart.refunds.refundable import Wish
from shared.contracts.errors import BadInput
from shared.web.ids import read_id

_COUNT = re.compile(r"[0-9]{1,6}")
_AMOUNT = re.compile(r"[0-9]{1,10}\.[0-9]{2}")
_TYPED = re.compile(r"([0-9]{1,8})(?:[.,]([0-9]{1,2}))?")
_LINE = re.compile(r"line_([0-9]{1,18})")
INCOMPLETE = "That form was not complete. Please go back, reload the page and try again."


@dataclass(frozen=True, slots=True)
class RefundForm:
    """What is to be given back of an order, as it was chosen and typed."""

    line_ids: frozenset[int] = frozenset()
    typed_amount: str = ""
    cancel: bool = False

    @property
    def wish(self) -> Wish:
        """What that means. Raises BadInput."""
        return Wish(self.line_ids, self._amount, self.cancel)

    @property
    def _amount(self) -> Decimal | None:
        """The amount; None where none was typed: then all of the lines is meant."""
        if not self.typed_amount:
            return None
        match = _TYPED.fullmatch(self.typed_amount)
        if match is None:
            raise BadInput("Enter an amount such as 12.50.", field="amount")
        return Decimal(f"{match[1]}.{(match[2] or '').ljust(2, '0')}")

    @property
    def fields(self) -> dict[str, str]:
        """The form again, as it is sent."""
        chosen = {f"line_{line_id}": "yes" for line_id in sorted(self.line_ids)}
        return chosen | {"amount": self.typed_amount} | ({"cancel": "yes"} if self.cancel else {})


def read_refund_form(form: Mapping[str, str]) -> RefundForm:
    """Read what was chosen and typed."""
    matches = (_LINE.fullmatch(name) for name in form)
    return RefundForm(
        line_ids=frozenset(int(match[1]) for match in matches if match is not None),
        typed_amount=form.get("amount", "").strip().lstrip("£€$").strip(),
        cancel="cancel" in form,
    )


def read_decision(form: Mapping[str, str], *, actor_user_id: int) -> Decision:
    """Read the press of the last button: what was shown before it, and its key. Raises BadInput."""
    try:
        key = UUID(form.get("key", ""))
    except ValueError:
        raise BadInput(INCOMPLETE) from None
    return Decision(read_refund_form(form).wish, key, read_shown_amount(form.get("shown", "")), actor_user_id)


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
