"""Orders as their buyers see them."""

from .buyer import Buyer
from .notices import store_notice
from .queries import (
    get_order,
    is_guest_order,
    my_orders,
    order_id_of_token,
    order_to_dto,
    payment_by_return_token,
    payment_by_webhook_token,
    payment_of_order,
    sellers_of_order,
)

__all__ = [
    "Buyer",
    "get_order",
    "is_guest_order",
    "my_orders",
    "order_id_of_token",
    "order_to_dto",
    "payment_by_return_token",
    "payment_by_webhook_token",
    "payment_of_order",
    "sellers_of_order",
    "store_notice",
]
