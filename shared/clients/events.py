"""The client of the events app's internal API: what is on next, everywhere and on each calendar of a page."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Annotated

import httpx
from pydantic import BeforeValidator, Field

from shared.settings import Settings

from .caller import Caller
from .wire import Amount, Answer, Id, Moment, Query, Zone, whole_number

CALENDARS_PATH = "/internal/v1/pages/{page_post_id}/calendars"
UPCOMING_PATH = "/internal/v1/upcoming"
MOST_UPCOMING = 20


class CalendarsQuery(Query):
    """How much of each calendar is asked for."""

    upcoming: Annotated[int, Field(ge=0, le=MOST_UPCOMING), BeforeValidator(whole_number)] = 3


class UpcomingQuery(Query):
    """How many events are asked for."""

    limit: Annotated[int, Field(ge=0, le=MOST_UPCOMING), BeforeValidator(whole_number)] = 10


class UpcomingAnswer(Answer):
    """An event that is not over. What has a default is not told by an events app that is older than it."""

    id: Id
    name: str
    start_at: Moment
    end_at: Moment
    price: Amount | None
    """What the cheapest ticket costs that is not free; null: no tickets are sold."""
    on_sale: bool
    """Whether a ticket can be bought now."""
    time_zone: Zone = "UTC"
    """In which its times are shown: its calendar's."""
    place: str = ""
    """Where it is, or the calendar's name where that says enough."""
    has_dearer: bool = False
    """Whether there are dearer tickets than ``price``."""
    note: str = ""
    """How it stands in the sale, in two or three words; empty: nothing is special about it."""
    note_look: str = ""
    """The kind of that note: a ``tag`` of the pages' stylesheet."""


class EventsAnswer(Answer):
    """What is on next on all calendars, soonest first."""

    events: tuple[UpcomingAnswer, ...]


class CalendarAnswer(Answer):
    """A calendar with its next events, soonest first."""

    id: Id
    slug: str
    name: str
    place: str
    description: str
    time_zone: Zone
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

    async def upcoming(self, *, limit: int = 10) -> tuple[UpcomingAnswer, ...]:
        """Return the next events of all calendars, soonest first. Safe to repeat. Raises as ``Caller.ask``."""
        return (await self._caller.ask(UPCOMING_PATH, EventsAnswer, UpcomingQuery(limit=limit))).events

    async def calendars_of_page(self, page_post_id: int, *, upcoming: int = 3) -> tuple[CalendarAnswer, ...] | None:
        """Return the calendars of a page, or None where there is no such page. Safe to repeat.

        Raises as ``Caller.ask``.
        """
        path = CALENDARS_PATH.format(page_post_id=page_post_id)
        answer = await self._caller.ask_for_one(path, CalendarsAnswer, CalendarsQuery(upcoming=upcoming))
        return None if answer is None else answer.calendars
