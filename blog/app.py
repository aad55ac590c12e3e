"""The blog app: the pages of the site, signing in, and the account."""

from __future__ import annotations

from quart import Quart

from shared.services.registry import Services
from shared.services.wiring import blog_services
from shared.settings import Settings, get_settings
from shared.web.factory import make_app
from shared.web.state import utc_now

from .bp.auth.routes import bp as auth
from .bp.outbox.routes import bp as outbox
from .bp.pages.api import bp as pages_api
from .bp.pages.routes import bp as pages


def create_app(settings: Settings | None = None, services: Services | None = None) -> Quart:
    """Return the blog app. Signing in joins an anonymous cart to the account, so it has the cart's domain, too."""
    settings = settings or get_settings()
    app = make_app("blog", settings, services or blog_services(settings, utc_now), template_folder="templates")
    app.register_blueprint(auth)
    # It shows everybody's mails, and with them everybody's sign-in links: only where these go nowhere else.
    if settings.uses_outbox:
        app.register_blueprint(outbox)
    app.register_blueprint(pages_api)
    app.register_blueprint(pages)
    return app
