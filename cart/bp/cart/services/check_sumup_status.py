"""What SumUp says of a payment, and what "PAID" does to its order (the specification, step 15)."""

from __future__ import annotations

from cart.orders.confirm import confirm_order
from cart.payments.ask import ask_provider as check_sumup_status

__all__ = ["check_sumup_status", "confirm_order"]
