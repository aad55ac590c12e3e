"""The forms of refunding money."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated

from pydantic import BeforeValidator, Field

from cart.refunds.batch import Batch
from cart.refunds.refund_lines import Decision
from cart.refunds.refundable import Wish
from shared.contracts.errors import BadInput
from shared.contracts.ids import id_of
from shared.web.forms import Form, Id, Key, Moment, Sent, ShownAmount, Ticked
from shared.web.numbers import NOT_AN_AMOUNT, typed_amount_of

LINE = "line_"
"""The boxes that choose lines: their names end with the line's id."""
MOST_AT_ONCE = 999_999


def _without_sign(typed: str) -> str:
    """Leave out the sign of a currency before an amount."""
    return typed.strip().lstrip("£€$").strip()


class RefundForm(Form):
    """What is to be refunded of an order, as it was chosen and typed."""

    line_ids: frozenset[int] = frozenset()
    typed_amount: Annotated[str, BeforeValidator(_without_sign)] = Field("", alias="amount")
    cancel: Ticked = False

    @classmethod
    def values_of(cls, sent: Sent) -> dict[str, object]:
        """Find the chosen lines among the names."""
        ids = (id_of(name.removeprefix(LINE)) for name in sent if name.startswith(LINE))
        return {**super().values_of(sent), "line_ids": frozenset(each for each in ids if each is not None)}

    @property
    def wish(self) -> Wish:
        """What that means. Raises BadInput."""
        return Wish(self.line_ids, self._amount, self.cancel)

    @property
    def _amount(self) -> Decimal | None:
        """The amount; None where none was typed: then all of the lines is meant."""
        if not self.typed_amount:
            return None
        amount = typed_amount_of(self.typed_amount)
        if amount is None:
            raise BadInput(NOT_AN_AMOUNT, field="amount")
        return amount

    @property
    def fields(self) -> dict[str, str]:
        """The form again, as it is sent."""
        chosen = {f"{LINE}{line_id}": "yes" for line_id in sorted(self.line_ids)}
        return chosen | {"amount": self.typed_amount} | ({"cancel": "yes"} if self.cancel else {})


class DecisionForm(RefundForm):
    """A press of the last button: what was shown before it, and its key."""

    key: Key
    shown: ShownAmount

    def decision(self, actor_user_id: int) -> Decision:
        """Return what that means, and who said so. Raises BadInput."""
        return Decision(self.wish, self.key, self.shown, actor_user_id)


class BatchForm(Form):
    """What somebody saw of the queue when they pressed the button that refunds all of it."""

    count: Annotated[Id, Field(le=MOST_AT_ONCE)]
    amount: ShownAmount
    last: Id

    @property
    def batch(self) -> Batch:
        """What is to be refunded."""
        return Batch(self.count, self.amount, self.last)


class ProgressQuery(Form):
    """Whose progress is asked for: up to which debt, and since when."""

    last: Id
    since: Moment
