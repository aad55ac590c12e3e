"""All four domains over PostgreSQL, put together: what a process takes that changes carts or moves money."""

from __future__ import annotations

from shared.contracts.protocols import Clock
from shared.settings import Settings

from .blog_impl import SqlBlogService
from .calendar_impl import SqlCalendarService
from .cart_impl import SqlCartService
from .market_impl import SqlMarketService
from .registry import Services


def sql_services(settings: Settings, clock: Clock) -> Services:
    """Return the four domains; ``clock`` tells all of them the time."""
    calendar = SqlCalendarService(clock, default_max_per_order=settings.max_tickets_per_order)
    market = SqlMarketService()
    return Services(
        calendar=calendar, market=market, blog=SqlBlogService(), cart=SqlCartService(calendar, market, clock)
    )
