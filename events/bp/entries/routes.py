"""The page of an event."""

from __future__ import annotations

from quart import Blueprint, render_template, request

from events.bp.entries.choice_query import choice_from_query, choice_query
from shared.web.hosts import host_by_id
from shared.web.state import request_session

from .services.entry_page import BuyState, entry_page, find_entry, with_host

bp = Blueprint("entries", __name__)


@bp.get("/entries/<int:entry_id>/")
async def entry(entry_id: int) -> str:
    """Show an event; a choice in the address, kept over a sign-in, fills in the form."""
    found = await find_entry(request_session(), entry_id)
    types = [each.id for each in found.ticket_types] or [None]
    choice = choice_from_query(request.args, types)
    state = BuyState({key: str(count) for key, count in choice.items()}, {})
    page = entry_page(found, choice_query=choice_query(choice), state=state)
    # The blog may be down: the event is sold all the same, without the name of who puts it on.
    page = with_host(page, await host_by_id(found.calendar_container_id))
    return await render_template("_types/entries/entry.html", page=page)
