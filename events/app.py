"""The events app: the programme, times to book, an event with its tickets, and one's own tickets and bookings."""

from __future__ import annotations

from quart import Quart

from shared.services.registry import Services
from shared.services.wiring import events_services
from shared.settings import Settings, get_settings
from shared.web.factory import make_app
from shared.web.state import utc_now

from .bp.bookings.routes import bp as bookings
from .bp.calendars.api import bp as calendars_api
from .bp.calendars.routes import bp as calendars
from .bp.entries.routes import bp as entries
from .bp.tickets.routes import bp as tickets


def create_app(settings: Settings | None = None, services: Services | None = None) -> Quart:
    """Return the app, ready to be served; tests hand in what they want to replace."""
    settings = settings or get_settings()
    app = make_app("events", settings, services or events_services(settings, utc_now), template_folder="templates")
    # The internal API is one of them, so that it has the same session, log and error handling.
    for blueprint in (calendars, calendars_api, bookings, entries, tickets):
        app.register_blueprint(blueprint)
    return app
