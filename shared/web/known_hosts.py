"""Which host names are ours: a request for any other is refused, so that no page or redirect repeats its name.

Without this a stranger's domain that is pointed at this machine (DNS rebinding) would be served our pages in a
visitor's browser, the development outbox among them.
"""

from __future__ import annotations

from urllib.parse import urlsplit

import structlog
from quart import Quart, request

from shared.contracts.errors import ShopError
from shared.settings import Settings
from shared.settings_rules import host_of, is_this_machine

from .state import app_state

FORWARDED = "X-Forwarded-Host"
FOR_MACHINES = ("/health", "/internal/")
"""Asked by whichever address a machine has; the one tells nothing, the other wants a secret."""
_log = structlog.get_logger("maypole.hosts")


class ForeignHost(ShopError):
    """A request for a host name that is none of ours."""

    code = "foreign_host"
    status = 400
    text = "This address is not one of ours. Please open the site by its own address."


def is_ours(host: str, app: str, settings: Settings) -> bool:
    """Tell whether a ``Host`` header names an app: in production by its public origin, else by this machine's names."""
    try:
        name = urlsplit(f"//{host}").hostname or ""
    except ValueError:  # brackets that hold no address
        return False
    if settings.environment != "production":
        return is_this_machine(name)
    return name.lower() == host_of(settings.url_of(app)).lower()


async def _check() -> None:
    if request.path.startswith(FOR_MACHINES):
        return
    state = app_state()
    # A proxy of ours writes both; what a stranger has written into either must not come back on a page.
    forwarded = [part.strip() for part in request.headers.get(FORWARDED, "").split(",") if part.strip()]
    for host in (request.headers.get("Host", ""), *forwarded):
        if not is_ours(host, state.name, state.settings):
            _log.info("foreign host refused")
            raise ForeignHost


def install_known_hosts(app: Quart) -> None:
    """Refuse requests for other hosts than ours; before anything that builds an address or reads a cookie."""
    app.before_request(_check)
