"""The services of this process: ``services.calendar`` and its siblings.

The app factory (and the worker) names them once for each request or job; nothing is built at import, and tests
hand their own to ``create_app``.
"""

from __future__ import annotations

from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING

from werkzeug.local import LocalProxy

from shared.contracts.protocols import BlogService, CalendarService, CartService, MarketService


@dataclass(frozen=True, slots=True)
class Services:
    """The four domains, as this process has them."""

    calendar: CalendarService
    market: MarketService
    blog: BlogService
    cart: CartService


_current: ContextVar[Services] = ContextVar("services")

if TYPE_CHECKING:
    services: Services
else:
    # A proxy by context: two apps in one process, as in tests, each have their own.
    services = LocalProxy(_current, unbound_message="no services are in use: call use_services() first")


def use_services(value: Services) -> None:
    """Make ``services`` mean ``value`` for the rest of this task."""
    _current.set(value)


def current_services() -> Services:
    """Return the services in use themselves, to hand on."""
    return _current.get()
