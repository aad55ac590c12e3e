"""Whether something is on sale: the answer that its domain gives once, and that every page only puts in words."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class SaleState(StrEnum):
    """Whether something can be bought now, and if not, why."""

    OPEN = "open"
    NOT_YET = "not_yet"
    ENDED = "ended"  # the sale has; the event may still be to come
    OVER = "over"  # the event is
    NO_TICKETS = "no_tickets"
    """Nothing of it is sold: it has no price."""
    CANCELLED = "cancelled"
    """It was taken off the programme, or off the shelves."""
    SOLD_OUT = "sold_out"
    HELD = "held"
    """None is left, but some are held only by orders that are not paid yet, and may come back."""


FOR_SALE = frozenset({SaleState.OPEN, SaleState.SOLD_OUT, SaleState.HELD})
"""The states of what is sold at this time, whether any is left or not."""


@dataclass(frozen=True, slots=True)
class Sale:
    """How something stands in the sale, as it was when it was read."""

    state: SaleState
    left: int | None = None
    """How many can be had; None: no limit. It counts what is there, also while nothing is sold."""
    opens_at: datetime | None = None
    ends_at: datetime | None = None
    has_begun: bool = False
    """Whether it is an event that has begun: it can still be bought, as long as its sale has not ended."""
    back_at: datetime | None = None
    """When some of what is held may come back, where that is known."""

    @property
    def is_open(self) -> bool:
        """Whether any can be bought now."""
        return self.state is SaleState.OPEN

    @property
    def is_for_sale(self) -> bool:
        """Whether it is sold at this time, whether any is left or not."""
        return self.state in FOR_SALE


NO_SALE = Sale(SaleState.NO_TICKETS, left=0)
"""What is not sold at all, or is somebody's already."""


def sale_of_stock(*, on_show: bool, left: int | None, some_unpaid: bool) -> Sale:
    """Say how goods or places stand that have no times of sale of their own.

    ``some_unpaid``: whether some of those that are gone are held only by orders that are not paid yet.
    """
    if not on_show:
        return Sale(SaleState.CANCELLED, left)
    # Also None: there is no limit.
    if left != 0:
        return Sale(SaleState.OPEN, left)
    return Sale(SaleState.HELD if some_unpaid else SaleState.SOLD_OUT, left)
