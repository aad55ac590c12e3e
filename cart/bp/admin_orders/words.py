"""States and events in words that a person understands: the one place where they are put."""

from __future__ import annotations

from cart.bp.admin_orders.services import Trouble
from cart.bp.orders.pages import STATE_WORDS
from shared.contracts.states import OrderState

ORDER_STATES: dict[OrderState, tuple[str, str]] = STATE_WORDS | {OrderState.CANCELLED: ("Given up", "")}
"""Each state of an order, and the kind of tag that it gets."""

TROUBLES: dict[Trouble, tuple[str, str]] = {
    Trouble.OWED: ("Money owed", "warning"),
    Trouble.REVIEW: ("Payment to be looked at", "bad"),
    Trouble.UNCLEAR: ("Payment not known", "warning"),
    Trouble.REFUND_FAILED: ("Refund failed", "bad"),
    Trouble.REFUND_UNKNOWN: ("Refund not known", "warning"),
    Trouble.MAIL: ("Mail not sent", "warning"),
}
"""Why an order needs a person, and the kind of tag that it gets."""
