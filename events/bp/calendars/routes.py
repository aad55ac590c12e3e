"""The programme: everything that is on, and one calendar."""

from __future__ import annotations

from quart import Blueprint, render_template, request

from shared.contracts.paging import read_moment_key
from shared.web.hosts import host_by_id
from shared.web.htmx import is_htmx
from shared.web.state import app_state, request_session

from .services.programme import calendar_page, whats_on, with_host

bp = Blueprint("calendars", __name__)


@bp.get("/")
async def index() -> str:
    """Show what is on across all calendars; later events are added to the list, or are a page of their own."""
    after = read_moment_key(request.args.get("after", ""))
    page = await whats_on(request_session(), now=app_state().clock(), after=after)
    return await render_template(_template("index.html"), page=page)


@bp.get("/calendars/<slug>/")
async def calendar(slug: str) -> str:
    """Show one calendar."""
    after = read_moment_key(request.args.get("after", ""))
    page = await calendar_page(request_session(), slug, now=app_state().clock(), after=after)
    # The list that htmx adds to shows no host; asking another app for it would cost its time for nothing.
    if not is_htmx():
        page = with_host(page, await host_by_id(page.calendar.container_id))
    return await render_template(_template("calendar.html"), page=page)


def _template(name: str) -> str:
    """Return the list alone for htmx, which asks for later events only, else the whole page."""
    return "_types/calendars/" + ("_events.html" if is_htmx() else name)
