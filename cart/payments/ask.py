"""Ask the provider how a payment stands."""

from __future__ import annotations

from cart.wiring import PaymentContext
from shared.contracts.dtos import Checkout, PaymentDTO


async def ask_provider(context: PaymentContext, payment: PaymentDTO) -> Checkout | None:
    """Ask the provider for a payment's checkout; None where it knows none under our reference. Changes nothing.

    Raises GatewayError. An attempt whose answer was lost is looked up by its reference.
    """
    gateway = await context.gateways.of(payment.merchant_code, payment.provider)
    if payment.checkout_id is None:
        return await gateway.find(payment.checkout_reference)
    return await gateway.get(payment.checkout_id)
