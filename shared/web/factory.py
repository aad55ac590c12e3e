"""The app factory: one composition for all four apps, in the order in which a request meets it."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack
from pathlib import Path
from types import TracebackType

import httpx
import structlog
from hypercorn.middleware import ProxyFixMiddleware
from quart import Quart, has_request_context
from werkzeug.routing import BaseConverter, IntegerConverter

import shared
from shared.clients.apps import clients_of
from shared.clients.known_pages import KnownPages
from shared.clients.tls import tls_context
from shared.contracts.paths import SLUG
from shared.db.engine import Database
from shared.logs import configure_logging
from shared.services.registry import Services, use_services
from shared.settings import Settings

from .attention import install_attention
from .badge import install_badge
from .csrf import install_csrf
from .errors import install_errors
from .headers import install_headers
from .health import install_health
from .identity import install_identity
from .internal import install_internal
from .known_hosts import install_known_hosts
from .limits import install_limits
from .openapi import install_openapi
from .request_log import install_request_log, loggable_path
from .security_txt import install_security_txt
from .session import install_session
from .state import EXTENSION, AppState, Resources
from .static_files import install_static
from .templating import install_templates

HOUSE = Path(shared.__path__[0]).resolve().parent
# Far more than any form of ours. A larger one is refused while it arrives.
LARGEST_BODY = 256 * 1024
# PostgreSQL's bigint: a larger number would be an error of the database, and so a crash, instead of "not found".
LARGEST_ID = 2**63 - 1
_log = structlog.get_logger("maypole.errors")


class IdConverter(IntegerConverter):
    """``<int:id>``: a number that a column can hold; a larger one is simply not found."""

    def __init__(self, url_map: object, fixed_digits: int = 0, *, min: int = 0, max: int = LARGEST_ID) -> None:  # noqa: A002 - werkzeug's names
        super().__init__(url_map, fixed_digits, min, max)  # type: ignore[arg-type]


class SlugConverter(BaseConverter):
    """``<slug:slug>``: an address that a page can have; anything else is simply not found."""

    regex = SLUG.pattern


class ShopApp(Quart):
    """Quart, logging crashes our way: with the request's id, and without the secrets of its address."""

    def log_exception(
        self, exception_info: tuple[type, BaseException, TracebackType] | tuple[None, None, None]
    ) -> None:
        """Write the trace of a crash to the log; one while starting or ending belongs to no request."""
        _log.error("crash", path=loggable_path() if has_request_context() else None, exc_info=exception_info)


async def _open(state: AppState, stack: AsyncExitStack) -> Resources:
    settings = state.settings
    if settings.database_url is None:
        raise RuntimeError("DATABASE_URL is not set: ./run sets it, and so must whoever starts an app alone")
    database = Database(settings.database_url.get_secret_value(), pool_size=settings.db_pool_size, settings=settings)
    stack.push_async_callback(database.dispose)
    client = httpx.AsyncClient(verify=tls_context(trust_env=False), trust_env=False)  # our own apps need no proxy
    http = await stack.enter_async_context(client)
    clients = clients_of(http, settings)
    return Resources(database=database, http=http, clients=clients, known_pages=KnownPages(clients.blog))


def _serve_with_resources(app: Quart, state: AppState) -> None:
    @app.while_serving
    async def _lifespan() -> AsyncGenerator[None, None]:
        async with AsyncExitStack() as stack:
            state.resources = await _open(state, stack)
            yield
        state.resources = None


def _build(name: str, settings: Settings) -> Quart:
    """Return the bare app, behind as many proxies as are ours."""
    app = ShopApp(name, root_path=str(HOUSE / name), static_folder=None)
    app.secret_key = settings.secret_key.get_secret_value()
    app.config["MAX_CONTENT_LENGTH"] = LARGEST_BODY
    app.url_map.converters |= {"int": IdConverter, "slug": SlugConverter}
    # Only when asked for: without a proxy of ours anybody could write X-Forwarded-For, and have any address they like.
    if settings.trusted_proxies:
        app.asgi_app = ProxyFixMiddleware(app.asgi_app, trusted_hops=settings.trusted_proxies)  # type: ignore[method-assign]
    return app


def make_app(name: str, settings: Settings, services: Services, *, template_folder: str) -> Quart:
    """Return an app with everything that the four share; the caller registers its blueprints.

    ``template_folder`` is absolute, or relative to the app's own folder. What is installed first meets a request first
    and its response last; the session comes last, so that it commits before anything else sees the response.
    """
    configure_logging(settings)
    app = _build(name, settings)

    @app.before_request
    async def _use_services() -> None:
        use_services(services)

    install_request_log(app)
    install_errors(app)
    install_headers(app, settings)
    install_known_hosts(app)
    install_internal(app)
    # After the internal API's guard, before identity: what is refused here costs no query.
    install_csrf(app)
    auth = install_identity(app, settings)
    app.extensions[EXTENSION] = state = AppState(name=name, settings=settings, services=services, auth=auth)
    install_limits(app)
    install_badge(app)
    install_attention(app)
    install_health(app)
    install_security_txt(app)
    install_openapi(app)
    asset = install_static(app, max_age=settings.static_max_age_s)
    install_templates(app, settings, folder=HOUSE / name / template_folder, asset=asset)
    # Last, and so first with the response (see above).
    install_session(app)
    _serve_with_resources(app, state)
    return app
