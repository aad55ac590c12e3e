"""The market app: the shops of the site's pages."""

from __future__ import annotations

from quart import Quart

from shared.services.registry import Services
from shared.services.wiring import market_services
from shared.settings import Settings, get_settings
from shared.web.factory import make_app
from shared.web.state import utc_now

from .bp.products.api import bp as products_api
from .bp.products.routes import bp as products


def create_app(settings: Settings | None = None, services: Services | None = None) -> Quart:
    """Return the market app, ready to be served; tests hand in what they want to replace."""
    settings = settings or get_settings()
    app = make_app("market", settings, services or market_services(settings, utc_now), template_folder="templates")
    app.register_blueprint(products_api)
    app.register_blueprint(products)
    return app
