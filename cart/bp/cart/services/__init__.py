"""The cart's use cases and reads. Those that move money open their own units of work; never hand them ``g.s``."""

from cart.payments.page_config import resolve_page_config

from .begin import begin_checkout
from .calendar_cart import calendar_total, get_calendar_cart_entries, get_ticket_cart_entries, ticket_total
from .check_sumup_status import check_sumup_status
from .checkout import create_order_from_cart
from .page_cart import get_cart_grouped_by_page

__all__ = [
    "begin_checkout",
    "calendar_total",
    "check_sumup_status",
    "create_order_from_cart",
    "get_calendar_cart_entries",
    "get_cart_grouped_by_page",
    "get_ticket_cart_entries",
    "resolve_page_config",
    "ticket_total",
]
