"""What the domains promise one another, and what our borders promise us.

A domain service takes the caller's session and never commits.
Each protocol is defined with its domain, and imported from here.
"""

from .blog import BlogService
from .calendar_service import (
    CalendarCarts,
    CalendarReads,
    CalendarService,
    CartBookings,
    CartTickets,
    OrderBookings,
    OrderTickets,
)
from .cart import CartService
from .clock import Clock
from .gateway import Gateways, PaymentGateway, Provider
from .market import MarketService

__all__ = [
    "BlogService",
    "CalendarCarts",
    "CalendarReads",
    "CalendarService",
    "CartBookings",
    "CartService",
    "CartTickets",
    "Clock",
    "Gateways",
    "MarketService",
    "OrderBookings",
    "OrderTickets",
    "PaymentGateway",
    "Provider",
]
