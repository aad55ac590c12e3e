"""Which services stand behind the protocols in the events app."""

from __future__ import annotations

from shared.services.blog_impl import SqlBlogService
from shared.services.calendar_impl import SqlCalendarService
from shared.services.registry import Services
from shared.services.stubs import StubCartService, StubMarketService
from shared.settings import Settings
from shared.web.state import utc_now


def build_services(settings: Settings) -> Services:
    """Return the calendar and the blog as they are, and nothing behind what the events app never asks."""
    return Services(
        calendar=SqlCalendarService(utc_now, default_max_per_order=settings.max_tickets_per_order),
        market=StubMarketService(),
        blog=SqlBlogService(),
        cart=StubCartService(),
    )
