"""The events app's internal JSON API: what is on next, everywhere and on each calendar of a page."""

from __future__ import annotations

from quart import Blueprint, Response

from shared.browser.event_rows import event_row
from shared.clients.events import (
    CalendarAnswer,
    CalendarsAnswer,
    CalendarsQuery,
    EventsAnswer,
    UpcomingAnswer,
    UpcomingQuery,
)
from shared.contracts.dtos import AgendaDTO, EntryDTO
from shared.web.internal import internal_only
from shared.web.json_api import documented, json_of, read_query
from shared.web.state import app_state, request_session

from .services.agenda import next_events, page_agendas

bp = Blueprint("calendars_api", __name__, url_prefix="/internal/v1")


def entry_to_answer(entry: EntryDTO) -> UpcomingAnswer:
    """Return an event as other apps are told of it."""
    row = event_row(entry)
    return UpcomingAnswer(
        id=entry.id,
        name=entry.name,
        start_at=entry.start_at,
        end_at=entry.end_at,
        price=row.price,
        # The answer of the one rule, and its words: the blog decides nothing of its own about the sale.
        on_sale=entry.sale.is_open,
        time_zone=row.time_zone,
        place=row.place,
        has_dearer=row.has_dearer,
        note=row.note,
        note_look=row.note_look,
    )


def agenda_to_answer(agenda: AgendaDTO) -> CalendarAnswer:
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
        upcoming=tuple(entry_to_answer(entry) for entry in agenda.upcoming),
    )


@bp.get("/pages/<int:page_post_id>/calendars")
@internal_only
@documented(CalendarsAnswer, query=CalendarsQuery, may_be_missing=True)
async def calendars(page_post_id: int) -> Response:
    """Answer with the calendars of a page, by name, each with its next events."""
    query, now = read_query(CalendarsQuery), app_state().clock()
    found = await page_agendas(request_session(), page_post_id, now=now, limit=query.upcoming)
    return json_of(CalendarsAnswer(calendars=tuple(agenda_to_answer(agenda) for agenda in found)))


@bp.get("/upcoming")
@internal_only
@documented(EventsAnswer, query=UpcomingQuery)
async def upcoming() -> Response:
    """Answer with the next events of all calendars, soonest first."""
    query, now = read_query(UpcomingQuery), app_state().clock()
    found = await next_events(request_session(), now=now, limit=query.limit)
    return json_of(EventsAnswer(events=tuple(entry_to_answer(entry) for entry in found)))
