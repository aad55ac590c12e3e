"""What tests of payments share: an attempt to open a checkout, and a clock that moves by hand."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from shared.contracts.dtos import CheckoutRequest

START = datetime(2026, 11, 28, 19, 30, tzinfo=UTC)


class MovableClock:
    """A clock that stands still until it is told to move."""

    def __init__(self, now: datetime = START) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def forward(self, **period: float) -> None:
        """Let time pass: ``forward(minutes=31)``."""
        self.now += timedelta(**period)


def an_attempt(**changes: Any) -> CheckoutRequest:
    """Return an attempt that the provider takes, with a reference of its own."""
    values: dict[str, Any] = {
        "reference": str(uuid.uuid4()),
        "amount": Decimal("24.50"),
        "currency": "GBP",
        "merchant_code": "MSANDBOX",
        "description": "Order M-1001",
        "return_url": "http://localhost:8002/webhooks/sumup/token",
        "redirect_url": "http://localhost:8002/checkout/return/token",
        "valid_until": START + timedelta(minutes=30),
    }
    return CheckoutRequest(**(values | changes))
