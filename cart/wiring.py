"""The one place where the cart app's parts are put together."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import cast

from quart import Quart, current_app

from shared.contracts.protocols import Clock, PaymentGateway
from shared.db.engine import Database
from shared.payments.sumup import sumup_client, sumup_gateway
from shared.services.blog_impl import SqlBlogService
from shared.services.calendar_impl import SqlCalendarService
from shared.services.cart_impl import SqlCartService
from shared.services.market_impl import SqlMarketService
from shared.services.registry import Services
from shared.settings import Settings
from shared.web.state import EXTENSION, AppState, utc_now

TILL = "till"


@dataclass(frozen=True, slots=True)
class Till:
    """What a use case that moves money needs: its own units of work, the provider, the domains and the time."""

    database: Database
    gateway: PaymentGateway
    services: Services
    settings: Settings
    clock: Clock


def build_services(settings: Settings, *, clock: Clock = utc_now) -> Services:
    """Return the four domains, all over PostgreSQL."""
    calendar = SqlCalendarService(clock, default_max_per_order=settings.max_tickets_per_order)
    return Services(calendar=calendar, market=SqlMarketService(), blog=SqlBlogService(), cart=SqlCartService(calendar))


def refuse_stubs(services: Services) -> None:
    """Raise RuntimeError where the calendar is a stub: money would be taken for tickets that nobody keeps."""
    if services.calendar.is_stub:
        raise RuntimeError("the cart app takes money and refuses to start on a calendar stub")


def install_till(app: Quart, gateway: PaymentGateway | None = None) -> None:
    """Open the till while the app serves: on ``gateway``, or on SumUp as the settings say."""

    @app.while_serving
    async def _till() -> AsyncGenerator[None, None]:
        state = cast("AppState", app.extensions[EXTENSION])
        if gateway is not None:
            app.extensions[TILL] = till_of(state, gateway)
            yield
            return
        async with sumup_client(state.settings) as client:
            app.extensions[TILL] = till_of(state, sumup_gateway(client, state.settings, clock=state.clock))
            yield


def till_of(state: AppState, gateway: PaymentGateway) -> Till:
    """Return the till of an app; it asks the app's clock each time, so that a test may move it."""
    return Till(
        database=state.database,
        gateway=gateway,
        services=state.services,
        settings=state.settings,
        clock=lambda: state.clock(),  # noqa: PLW0108 - the clock may be replaced while the app serves
    )


def current_till() -> Till:
    """Return the till of the app that serves the current request."""
    return cast("Till", current_app.extensions[TILL])
