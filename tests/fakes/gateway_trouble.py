"""What is to go wrong next at the fake provider, by operation; the operation ``any`` is each of them."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Literal

from shared.contracts.dtos import MovementStatus
from shared.contracts.errors import GatewayError

Race = Literal["payment_first", "payment_last"]


@dataclass(slots=True)
class Trouble:
    """Orders that are still to come."""

    dropped: Counter[str] = field(default_factory=Counter)
    """Answers to be lost."""
    swallowed: Counter[str] = field(default_factory=Counter)
    """Requests to be lost: as an answer that is lost, and nothing happened."""
    stale: Counter[str] = field(default_factory=Counter)
    """Reads that show what was before the last change."""
    missing: int = 0
    """Reads of a transaction that find nothing yet."""
    errors: dict[str, list[GatewayError | None]] = field(default_factory=dict)
    races: dict[str, Race] = field(default_factory=dict)
    declines: int = 0
    refund_status: MovementStatus = MovementStatus.DONE
    refund_refusal: str = ""

    def raise_before(self, operation: str) -> None:
        """Raise what was ordered for this operation."""
        for name in (operation, "any"):
            error = self.errors[name].pop(0) if self.errors.get(name) else None
            if error is not None:
                raise error

    def drops(self, operation: str) -> bool:
        """Tell whether the answer of this operation is to be lost, once for each order."""
        return _take(self.dropped, operation)

    def swallows(self, operation: str) -> bool:
        """Tell whether the request is to be lost, once for each order."""
        return _take(self.swallowed, operation)

    def is_stale(self, operation: str) -> bool:
        """Tell whether this read shows what was, once for each order."""
        return _take(self.stale, operation)

    def finds_nothing(self) -> bool:
        """Tell whether this read of a transaction finds nothing, once for each order."""
        if not self.missing:
            return False
        self.missing -= 1
        return True


def _take(orders: Counter[str], operation: str) -> bool:
    """Use up one order for this operation, if there is any."""
    for name in (operation, "any"):
        if orders[name]:
            orders[name] -= 1
            return True
    return False
