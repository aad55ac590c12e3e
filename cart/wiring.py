"""The one place where the cart app's parts are put together."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import Any, cast

from quart import Quart, current_app
from sqlalchemy.ext.asyncio import AsyncSession

from cart.sellables.booking import Bookings
from cart.sellables.product import Products
from cart.sellables.protocol import Sellable
from cart.sellables.registry import Sellables
from cart.sellables.ticket import Tickets
from shared.contracts.dtos import CartSummaryDTO
from shared.contracts.owner import CartOwner
from shared.contracts.protocols import Clock, Gateways
from shared.db.engine import Database
from shared.payments.providers import sumup_alone
from shared.services.registry import Services
from shared.settings import Settings
from shared.web.state import EXTENSION, AppState

PAYMENT_CONTEXT = "context"
Kinds = tuple[type[Sellable[Any]], ...]
KINDS: Kinds = (Tickets, Bookings, Products)
"""What is sold, in the order in which it is locked: entries and their types, rooms and slots, variants."""


@dataclass(frozen=True, slots=True)
class PaymentContext:
    """What a use case that moves money needs: its own units of work, the provider, the domains and the time."""

    database: Database
    gateways: Gateways
    services: Services
    settings: Settings
    clock: Clock
    kinds: Kinds = KINDS

    @property
    def sellables(self) -> Sellables:
        """All kinds of things sold, in the order in which they are locked, on this context's services."""
        return Sellables(tuple(kind(self.services) for kind in self.kinds))


def refuse_stubs(services: Services) -> None:
    """Raise RuntimeError on a stub of what is sold: money would be taken for things that nobody keeps."""
    for name in ("calendar", "market"):
        if getattr(services, name).is_stub:
            raise RuntimeError(f"the cart app takes money and refuses to start on a {name} stub")


def install_payment_context(app: Quart, gateways: Gateways | None = None, kinds: Kinds = KINDS) -> None:
    """Open the context while the app serves: on ``gateways``, or on SumUp as the settings say."""
    state = cast("AppState", app.extensions[EXTENSION])

    async def own_summary(session: AsyncSession, owner: CartOwner) -> CartSummaryDTO:
        context = cast("PaymentContext", app.extensions[PAYMENT_CONTEXT])
        return await context.sellables.summary(session, owner)

    state.own_summary = own_summary

    @app.while_serving
    async def _payment_context() -> AsyncGenerator[None, None]:
        if gateways is not None:
            app.extensions[PAYMENT_CONTEXT] = payment_context_of(state, gateways, kinds)
            yield
            return
        async with sumup_alone(state.settings, state.database, clock=state.clock) as sumup:
            app.extensions[PAYMENT_CONTEXT] = payment_context_of(state, sumup, kinds)
            yield


def payment_context_of(state: AppState, gateways: Gateways, kinds: Kinds = KINDS) -> PaymentContext:
    """Return the context of an app; it asks the app's clock each time, so that a test may move it."""
    return PaymentContext(
        database=state.database,
        gateways=gateways,
        services=state.services,
        settings=state.settings,
        clock=lambda: state.clock(),  # noqa: PLW0108 - the clock may be replaced while the app serves
        kinds=kinds,
    )


def current_payment_context() -> PaymentContext:
    """Return the context of the app that serves the current request."""
    return cast("PaymentContext", current_app.extensions[PAYMENT_CONTEXT])
