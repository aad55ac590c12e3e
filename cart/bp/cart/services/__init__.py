"""The cart's use cases and reads. Those that move money open their own units of work; never hand them ``g.s``."""

from cart.bp.orders.services import (
    Buyer,
    get_order,
    my_orders,
    payment_by_return_token,
    payment_by_webhook_token,
    payment_of_order,
    store_notice,
)

from .begin import begin_checkout, continue_payment
from .calendar_cart import calendar_total, get_calendar_cart_entries, get_ticket_cart_entries, ticket_total
from .check_sumup_status import check_sumup_status
from .checkout import PlacedOrder, create_order_from_cart
from .contents import CartContents, get_cart_contents
from .fence import PutBackOutcome, fence, fence_order, put_back
from .lines import CartLine, OpenOrder, PageGroup, left_text, lines_of
from .open_orders import get_open_orders
from .page_cart import get_cart_grouped_by_page
from .page_config import resolve_page_config
from .settle import Seen, settle, settle_or_raise
from .tidy import tidy_cart

__all__ = [
    "Buyer",
    "CartContents",
    "CartLine",
    "OpenOrder",
    "PageGroup",
    "PlacedOrder",
    "PutBackOutcome",
    "Seen",
    "begin_checkout",
    "calendar_total",
    "check_sumup_status",
    "continue_payment",
    "create_order_from_cart",
    "fence",
    "fence_order",
    "get_calendar_cart_entries",
    "get_cart_contents",
    "get_cart_grouped_by_page",
    "get_open_orders",
    "get_order",
    "get_ticket_cart_entries",
    "left_text",
    "lines_of",
    "my_orders",
    "payment_by_return_token",
    "payment_by_webhook_token",
    "payment_of_order",
    "put_back",
    "resolve_page_config",
    "settle",
    "settle_or_raise",
    "store_notice",
    "ticket_total",
    "tidy_cart",
]
