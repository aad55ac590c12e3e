"""Reads of all orders, bounded by whose they may see, and what may be done to one."""

from .attention import Trouble, troubles_of
from .export import export_orders
from .listing import OrderRow, list_orders, pages_in
from .search import OrderFilter

__all__ = ["OrderFilter", "OrderRow", "Trouble", "export_orders", "list_orders", "pages_in", "troubles_of"]
