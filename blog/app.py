"""The blog app: the pages of the site, signing in, and the account."""

from __future__ import annotations

from quart import Quart

from shared.services.blog_impl import SqlBlogService
from shared.services.calendar_impl import SqlCalendarService
from shared.services.market_impl import SqlMarketService
from shared.services.registry import Services
from shared.services.stubs import StubCartService
from shared.settings import Settings, get_settings
from shared.web.factory import make_app
from shared.web.state import utc_now

from .bp.auth.routes import bp as auth
from .bp.outbox.routes import bp as outbox
from .bp.pages.routes import bp as pages


def build_services(settings: Settings) -> Services:
    """Return what the blog shows: its own pages, what is on, and what is for sale. It takes no money."""
    return Services(
        calendar=SqlCalendarService(utc_now, default_max_per_order=settings.max_tickets_per_order),
        market=SqlMarketService(),
        blog=SqlBlogService(),
        cart=StubCartService(),
    )


def create_app(settings: Settings | None = None, services: Services | None = None) -> Quart:
    """Return the blog app."""
    settings = settings or get_settings()
    app = make_app("blog", settings, services or build_services(settings), template_folder="templates")
    app.register_blueprint(auth)
    if settings.environment != "production":
        app.register_blueprint(outbox)
    app.register_blueprint(pages)
    return app
