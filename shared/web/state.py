"""What an app holds while it runs, and how a request reaches it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Protocol, cast

import httpx
from quart import current_app, g
from quart_auth import QuartAuth
from sqlalchemy.ext.asyncio import AsyncSession

from shared.clients.apps import Clients, clients_of
from shared.clients.known_pages import KnownPages
from shared.contracts.dtos import CartSummaryDTO
from shared.contracts.owner import CartOwner
from shared.contracts.protocols import Clock
from shared.db.engine import Database
from shared.services.registry import Services
from shared.settings import Settings

EXTENSION = "maypole"


def utc_now() -> datetime:
    """Return the time now, aware, in UTC: the clock of a running app."""
    return datetime.now(UTC)


class CartSummaryOf(Protocol):
    """Counts what is in somebody's cart."""

    async def __call__(self, session: AsyncSession, owner: CartOwner) -> CartSummaryDTO:
        """Return how much it is."""
        ...


@dataclass(slots=True)
class Resources:
    """What is opened when the app starts to serve and closed when it stops."""

    database: Database
    http: httpx.AsyncClient
    clients: Clients
    known_pages: KnownPages


@dataclass(slots=True)
class AppState:
    """The typed contents of ``app.extensions["maypole"]``; ``clock`` and ``http`` may be set by tests."""

    name: str
    settings: Settings
    services: Services
    auth: QuartAuth
    clock: Clock = utc_now
    own_summary: CartSummaryOf | None = None
    """How the cart app itself counts what is in a cart; None: as the cart service does, or, elsewhere, the cart app."""
    resources: Resources | None = field(default=None, repr=False)

    @property
    def _open(self) -> Resources:
        """The open resources, or RuntimeError where the app does not serve yet."""
        if self.resources is None:
            raise RuntimeError(f"the {self.name} app is not serving: nothing is open yet")
        return self.resources

    @property
    def database(self) -> Database:
        """The app's database, open while the app serves."""
        return self._open.database

    @property
    def http(self) -> httpx.AsyncClient:
        """The client for calls to other servers, open while the app serves."""
        return self._open.http

    @http.setter
    def http(self, client: httpx.AsyncClient) -> None:
        """Replace the client, and whatever was built upon it."""
        self._open.http = client
        self._open.clients = clients_of(client, self.settings)
        self._open.known_pages = KnownPages(self._open.clients.blog)

    @property
    def clients(self) -> Clients:
        """The clients of the apps' internal APIs."""
        return self._open.clients

    @property
    def known_pages(self) -> KnownPages:
        """What the blog app says of the site's pages, kept for a short while."""
        return self._open.known_pages


def app_state() -> AppState:
    """Return the state of the app that serves the current request."""
    return cast("AppState", current_app.extensions[EXTENSION])


def request_session() -> AsyncSession:
    """Return ``g.s``, typed: the request's one session, opened at first use and committed by the factory."""
    return cast("AsyncSession", g.s)
