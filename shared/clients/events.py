"""The client of the events app's internal API: the calendars of a page, and what is next on each."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Annotated

import httpx
from pydantic import BeforeValidator, Field

from shared.settings import Settings

from .caller import Caller
from .wire import Amount, Answer, Id, Moment, Query, whole_number

CALENDARS_PATH = "/internal/v1/pages/{page_id}/calendars"
MOST_UPCOMING = 20


class CalendarsQuery(Query):
    """How much of each calendar is asked for."""

    upcoming: Annotated[int, Field(ge=0, le=MOST_UPCOMING), BeforeValidator(whole_number)] = 3


class UpcomingAnswer(Answer):
    """An event that is not over."""

    id: Id
    name: str
    start_at: Moment
    end_at: Moment
    price: Amount | None
    """What the cheapest ticket costs that is not free; null: no tickets are sold."""
    on_sale: bool
    """Whether a ticket can be bought now."""


class CalendarAnswer(Answer):
    """A calendar with its next events, soonest first."""

    id: Id
    slug: str
    name: str
    place: str
    description: str
    time_zone: str
    bookable: bool
    """Whether it offers times that can be booked."""
    upcoming: tuple[UpcomingAnswer, ...]


class CalendarsAnswer(Answer):
    """The calendars of a page, by name."""

    calendars: tuple[CalendarAnswer, ...]


class EventsClient:
    """Asks the events app. One for each app that asks."""

    def __init__(
        self, http: httpx.AsyncClient, settings: Settings, *, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._caller = Caller(http, settings, "events", monotonic=monotonic)

    async def calendars_of_page(self, page_id: int, *, upcoming: int = 3) -> tuple[CalendarAnswer, ...] | None:
        """Return the calendars of a page, or None where there is no such page. Safe to repeat.

        Raises as ``Caller.ask``.
        """
        path = CALENDARS_PATH.format(page_id=page_id)
        answer = await self._caller.ask_for_one(path, CalendarsAnswer, CalendarsQuery(upcoming=upcoming))
        return None if answer is None else answer.calendars
