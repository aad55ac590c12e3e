"""What every template has: its folders, filters, and the few names that are the same on every page."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from jinja2 import ChoiceLoader, FileSystemLoader, StrictUndefined
from quart import Quart

from shared.settings import Settings

from .badge import current_badge
from .filters import money_filter, qr, when
from .identity import current_user
from .next_url import sign_in_url
from .request_log import request_id

TEMPLATE_FOLDER = Path(__file__).resolve().parent.parent / "browser" / "templates"


def page_url_of(settings: Settings) -> Callable[[str, str], str]:
    """Return ``page_url(app, path)``: a path's absolute address on an app's public origin."""

    def page_url(app: str, path: str = "/") -> str:
        return f"{settings.url_of(app)}/{path.lstrip('/')}"

    return page_url


async def _each_page() -> dict[str, Any]:
    """Return the names that depend on the request."""
    return {"current_user": current_user(), "badge": current_badge(), "request_id": request_id()}


def install_templates(app: Quart, settings: Settings, *, folder: Path, asset: Callable[[str], str]) -> None:
    """Let ``app`` find its own templates first, then the shared ones; a name that nobody gave is an error."""
    app.jinja_loader = ChoiceLoader([FileSystemLoader(folder), FileSystemLoader(TEMPLATE_FOLDER)])
    environment = app.jinja_env
    environment.undefined = StrictUndefined
    environment.trim_blocks = environment.lstrip_blocks = True
    environment.globals |= {
        "asset": asset,
        "page_url": page_url_of(settings),
        "sign_in_url": sign_in_url,
        "site_name": settings.site_name,
        "uses_sandbox": settings.uses_sandbox,
    }
    environment.filters |= {"money": money_filter(settings.currency), "qr": qr, "when": when}
    app.context_processor(_each_page)
