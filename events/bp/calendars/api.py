"""The events app's internal JSON API: the calendars of a page, and what is next on each."""

from __future__ import annotations

from datetime import datetime

from quart import Blueprint, Response

from events.bp.entries.offers import offer_of, starting_price
from shared.clients.events import CalendarAnswer, CalendarsAnswer, CalendarsQuery, UpcomingAnswer
from shared.contracts.dtos import AgendaDTO, EntryDTO
from shared.web.internal import internal_only
from shared.web.json_api import documented, json_of, read_query
from shared.web.state import app_state, request_session

from .services.agenda import page_agendas

bp = Blueprint("calendars_api", __name__, url_prefix="/internal/v1/pages")


def entry_to_answer(entry: EntryDTO, now: datetime) -> UpcomingAnswer:
    """Return an event as other apps are told of it."""
    offer = offer_of(entry, now)
    price, _ = starting_price(offer.kinds)
    return UpcomingAnswer(
        id=entry.id,
        name=entry.name,
        start_at=entry.start_at,
        end_at=entry.end_at,
        price=price,
        on_sale=offer.is_open,
    )


def agenda_to_answer(agenda: AgendaDTO, now: datetime) -> CalendarAnswer:
    """Return a calendar as other apps are told of it."""
    calendar = agenda.calendar
    return CalendarAnswer(
        id=calendar.id,
        slug=calendar.slug,
        name=calendar.name,
        place=calendar.place,
        description=calendar.description,
        time_zone=calendar.time_zone,
        bookable=agenda.calendar.bookable,
        upcoming=tuple(entry_to_answer(entry, now) for entry in agenda.upcoming),
    )


@bp.get("/<int:page_id>/calendars")
@internal_only
@documented(CalendarsAnswer, query=CalendarsQuery, may_be_missing=True)
async def calendars(page_id: int) -> Response:
    """Answer with the calendars of a page, by name, each with its next events."""
    query, now = read_query(CalendarsQuery), app_state().clock()
    found = await page_agendas(request_session(), page_id, now=now, limit=query.upcoming)
    return json_of(CalendarsAnswer(calendars=tuple(agenda_to_answer(agenda, now) for agenda in found)))
