"""The sandbox as a web app, served by one process with one worker, since it keeps its state in memory.

``granian --interface asgi --factory sandbox.app:create_app``
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from datetime import UTC, datetime

from quart import Quart, Response, render_template
from quart.typing import ResponseReturnValue

from shared.contracts.protocols import Clock
from shared.settings import Settings, get_settings

from .api import api
from .faults import CutConnections
from .nearby import is_nearby
from .page import page
from .practice import practice
from .records import FILE_NAME
from .steering import steering
from .world import KEY, World, build_world

# The pages need no script, so none may run.
POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)


def create_app(settings: Settings | None = None, *, clock: Clock | None = None, keep: bool = True) -> Quart:
    """Return the sandbox; with ``keep`` a restart remembers everything, in a file under DATA_DIR.

    Raises RuntimeError in production: who can reach its page pays with nothing.
    """
    settings = settings or get_settings()
    if settings.environment == "production":
        raise RuntimeError("the SumUp sandbox takes no real money: set SUMUP_BASE_URL and SUMUP_API_KEY in production")
    path = settings.data_dir / FILE_NAME if keep else None
    app = Quart(__name__, static_url_path="/static")

    @app.while_serving
    async def _world() -> AsyncGenerator[None, None]:
        # Built inside the loop that serves: the messenger's client and tasks belong to it.
        world: World = build_world(settings, clock or _now, path)
        app.extensions[KEY] = world
        yield
        await world.messenger.close()

    for blueprint in (api, page, practice, steering):
        app.register_blueprint(blueprint)
    app.add_url_rule("/", "index", _index)
    app.add_url_rule("/health", "health", _health)
    app.after_request(_add_headers)
    # Around the whole app: a cut must come after Quart has begun to answer, which no route can do.
    app.asgi_app = CutConnections(app.asgi_app)  # type: ignore[method-assign]  # the documented way to wrap an app
    return app


async def _index() -> ResponseReturnValue:
    return await render_template("sandbox/index.html", can_practise=is_nearby())


async def _health() -> ResponseReturnValue:
    return {"status": "ok"}


async def _add_headers(response: Response) -> Response:
    response.headers["Content-Security-Policy"] = POLICY
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers.setdefault("Cache-Control", "no-store")
    return response


def _now() -> datetime:
    return datetime.now(UTC)
