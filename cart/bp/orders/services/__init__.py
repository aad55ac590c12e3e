"""Orders as their buyers see them."""

from .notices import store_notice
from .queries import (
    get_order,
    my_orders,
    order_to_dto,
    payment_by_return_token,
    payment_by_webhook_token,
    payment_of_order,
)

__all__ = [
    "get_order",
    "my_orders",
    "order_to_dto",
    "payment_by_return_token",
    "payment_by_webhook_token",
    "payment_of_order",
    "store_notice",
]
