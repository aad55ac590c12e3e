"""Reads of all orders, bounded by whose they may see, and what may be done to one."""

from .actions import AskedOutcome, add_note, ask_provider, cancel_order_lines, give_up_order
from .attention import Trouble, troubles_of
from .export import export_orders
from .listing import OrderRow, list_orders, pages_in
from .order_history import (
    DebtFact,
    JournalFact,
    LineFact,
    MailFact,
    NoteFact,
    OrderHistory,
    PaymentFact,
    RefundFact,
    read_order_history,
    user_of,
)
from .search import OrderFilter

__all__ = [
    "AskedOutcome",
    "DebtFact",
    "JournalFact",
    "LineFact",
    "MailFact",
    "NoteFact",
    "OrderFilter",
    "OrderHistory",
    "OrderRow",
    "PaymentFact",
    "RefundFact",
    "Trouble",
    "add_note",
    "ask_provider",
    "cancel_order_lines",
    "export_orders",
    "give_up_order",
    "list_orders",
    "pages_in",
    "read_order_history",
    "troubles_of",
    "user_of",
]
