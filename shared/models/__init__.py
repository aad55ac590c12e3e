"""All tables, so that the metadata is whole for whoever imports this package."""

from .base import Base
from .blog import PageConfig, Post
from .calendar import BookingRule, Calendar, CalendarClosure, CalendarEntry, Slot, TicketType
from .cart import CartItem, CartNotice
from .journal import JournalEntry, SecurityEntry
from .mail import Mail
from .market import Product, ProductVariant, StockAllocation
from .order import (
    Debt,
    Order,
    OrderLine,
    OrderNote,
    OrderSeller,
    Payment,
    PaymentNotice,
    Refund,
)
from .provider import PaymentAccount, ProviderFinding, ProviderWalk
from .ticket import Ticket
from .user import KnownBrowser, LoginSession, SignInLink, User, UserRole

__all__ = [
    "Base",
    "BookingRule",
    "Calendar",
    "CalendarClosure",
    "CalendarEntry",
    "CartItem",
    "CartNotice",
    "Debt",
    "JournalEntry",
    "KnownBrowser",
    "LoginSession",
    "Mail",
    "Order",
    "OrderLine",
    "OrderNote",
    "OrderSeller",
    "PageConfig",
    "Payment",
    "PaymentAccount",
    "PaymentNotice",
    "Post",
    "Product",
    "ProductVariant",
    "ProviderFinding",
    "ProviderWalk",
    "Refund",
    "SecurityEntry",
    "SignInLink",
    "Slot",
    "StockAllocation",
    "Ticket",
    "TicketType",
    "User",
    "UserRole",
]
