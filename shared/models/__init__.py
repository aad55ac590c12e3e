"""All tables, so that the metadata is whole for whoever imports this package."""

from .base import Base
from .blog import PageConfig, Post
from .calendar import Calendar, CalendarEntry
from .journal import JournalEntry
from .mail import Mail
from .market import Product
from .order import Debt, Order, OrderLine, Payment, PaymentNotice, Refund
from .ticket import Ticket, TicketType
from .user import LoginSession, SignInLink, User, UserRole

__all__ = [
    "Base",
    "Calendar",
    "CalendarEntry",
    "Debt",
    "JournalEntry",
    "LoginSession",
    "Mail",
    "Order",
    "OrderLine",
    "PageConfig",
    "Payment",
    "PaymentNotice",
    "Post",
    "Product",
    "Refund",
    "SignInLink",
    "Ticket",
    "TicketType",
    "User",
    "UserRole",
]
