"""The domains over PostgreSQL, put together: for each process those that it needs, and a stub for the others."""

from __future__ import annotations

from shared.contracts.protocols import Clock
from shared.settings import Settings

from .blog_impl import SqlBlogService
from .calendar_impl import SqlCalendarService
from .cart_impl import SqlCartService
from .market_impl import SqlMarketService
from .registry import Services
from .stubs import StubCalendarService, StubMarketService


def sql_services(settings: Settings, clock: Clock) -> Services:
    """Return the four domains, for the processes that take money; ``clock`` tells all of them the time."""
    calendar, market = _calendar(settings, clock), SqlMarketService()
    return Services(
        calendar=calendar, market=market, blog=SqlBlogService(), cart=SqlCartService(calendar, market, clock)
    )


def blog_services(settings: Settings, clock: Clock) -> Services:
    """Return what the blog app needs: its own domain, and the cart's for signing in.

    An anonymous cart joins the account in the transaction that signs in, so the cart has the calendar's bookings at
    hand. The blog itself has no calendar and no market: it asks the events and market apps.
    """
    market = StubMarketService()
    cart = SqlCartService(_calendar(settings, clock), market, clock)
    return Services(calendar=StubCalendarService(), market=market, blog=SqlBlogService(), cart=cart)


def events_services(settings: Settings, clock: Clock) -> Services:
    """Return what the events app needs: all but the market."""
    # A stub where the app has no business: what it does not have it cannot sell by mistake.
    calendar, market = _calendar(settings, clock), StubMarketService()
    return Services(
        calendar=calendar, market=market, blog=SqlBlogService(), cart=SqlCartService(calendar, market, clock)
    )


def market_services(_settings: Settings, clock: Clock) -> Services:
    """Return what the market app needs: all but the calendar."""
    calendar, market = StubCalendarService(), SqlMarketService()
    return Services(
        calendar=calendar, market=market, blog=SqlBlogService(), cart=SqlCartService(calendar, market, clock)
    )


def _calendar(settings: Settings, clock: Clock) -> SqlCalendarService:
    return SqlCalendarService(clock, default_max_per_order=settings.max_tickets_per_order)
