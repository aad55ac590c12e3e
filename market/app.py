"""The market app: the shops of the site's pages."""

from __future__ import annotations

from quart import Quart

from shared.services.blog_impl import SqlBlogService
from shared.services.market_impl import SqlMarketService
from shared.services.registry import Services
from shared.services.stubs import StubCalendarService, StubCartService
from shared.settings import Settings, get_settings
from shared.web.factory import make_app

from .bp.products.routes import bp as products


def build_services() -> Services:
    """Return the pages and their products, and nothing behind what the market never asks."""
    return Services(
        calendar=StubCalendarService(), market=SqlMarketService(), blog=SqlBlogService(), cart=StubCartService()
    )


def create_app(settings: Settings | None = None, services: Services | None = None) -> Quart:
    """Return the market app, ready to be served; tests hand in what they want to replace."""
    settings = settings or get_settings()
    app = make_app("market", settings, services or build_services(), template_folder="templates")
    app.register_blueprint(products)
    return app
