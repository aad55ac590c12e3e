"""The internal calendars of a page: what another app can show of them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from quart import Quart
from sqlalchemy.ext.asyncio import AsyncSession

from tests.factories.blog import make_page
from tests.factories.calendar import days_from_now, make_calendar, make_entry, make_rule, make_type
from tests.support.internal_api import BEARER, assert_error
from tests.support.queries import counted_queries


async def _ask(app: Quart, page_post_id: int, query: str = "") -> list[dict[str, Any]]:
    answer = await app.test_client().get(f"/internal/v1/pages/{page_post_id}/calendars?{query}", headers=BEARER)
    assert answer.status_code == 200
    found: list[dict[str, Any]] = (await answer.get_json())["calendars"]
    return found


async def test_a_calendar_is_told_of_with_what_is_next(app: Quart, session: AsyncSession) -> None:
    calendar = await make_calendar(session, name="The hall", slug="hall", place="Hall Lane")
    entry = await make_entry(session, calendar, name="Jumble sale", start_at=days_from_now(3))
    await make_type(session, entry, "Baby", "0.00")
    await make_type(session, entry, "Adult", "2.50")
    await session.commit()
    day = f"{days_from_now(3):%Y-%m-%d}"
    assert await _ask(app, calendar.container_id) == [
        {
            "id": calendar.id,
            "slug": "hall",
            "name": "The hall",
            "place": "Hall Lane",
            "description": "",
            "time_zone": "Europe/London",
            "bookable": False,
            "upcoming": [
                {
                    "id": entry.id,
                    "name": "Jumble sale",
                    "start_at": f"{day}T19:30:00Z",
                    "end_at": f"{day}T22:00:00Z",
                    "price": "2.50",
                    "on_sale": True,
                    "time_zone": "Europe/London",
                    "place": "Hall Lane",
                    "has_dearer": False,
                    "note": "",
                    "note_look": "",
                }
            ],
        }
    ]


async def test_what_is_next_is_the_soonest_of_each_calendar_and_no_more_than_asked_for(
    app: Quart, session: AsyncSession
) -> None:
    page_post_id = await make_page(session, has_calendar=True)
    for name in ("Barn", "Attic"):
        calendar = await make_calendar(session, name=name, container_id=page_post_id)
        for days in (9, 4, 6, 5, 8):
            await make_entry(session, calendar, name=f"{name} {days}", start_at=days_from_now(days))
    await session.commit()
    told = {each["name"]: [entry["name"] for entry in each["upcoming"]] for each in await _ask(app, page_post_id)}
    assert told == {"Attic": ["Attic 4", "Attic 5", "Attic 6"], "Barn": ["Barn 4", "Barn 5", "Barn 6"]}
    assert list(told) == ["Attic", "Barn"]
    assert [len(each["upcoming"]) for each in await _ask(app, page_post_id, "upcoming=4")] == [4, 4]
    assert [each["upcoming"] for each in await _ask(app, page_post_id, "upcoming=0")] == [[], []]


async def test_only_confirmed_events_that_are_not_over_are_next(app: Quart, session: AsyncSession) -> None:
    calendar = await make_calendar(session)
    await make_entry(session, calendar, name="Over", start_at=days_from_now(-1))
    await make_entry(session, calendar, name="Called off", state="cancelled")
    await make_entry(session, calendar, name="Now", start_at=days_from_now(0, hour=0), hours=30)
    await session.commit()
    (told,) = await _ask(app, calendar.container_id)
    assert [entry["name"] for entry in told["upcoming"]] == ["Now"]


async def test_an_event_without_tickets_or_seats_is_not_on_sale(app: Quart, session: AsyncSession) -> None:
    calendar = await make_calendar(session)
    await make_entry(session, calendar, name="Free for all", start_at=days_from_now(1))
    await make_entry(session, calendar, name="Full", start_at=days_from_now(2), price="3.00", capacity=0)
    await make_entry(
        session,
        calendar,
        name="Later",
        start_at=days_from_now(3),
        price="3.00",
        sale_starts_at=days_from_now(3) - timedelta(hours=1),
    )
    await session.commit()
    (told,) = await _ask(app, calendar.container_id)
    assert [(entry["price"], entry["on_sale"]) for entry in told["upcoming"]] == [
        (None, False),
        ("3.00", False),
        ("3.00", False),
    ]


async def test_a_calendar_with_rules_can_be_booked(app: Quart, session: AsyncSession) -> None:
    page_post_id = await make_page(session, has_calendar=True)
    await make_calendar(session, name="For events", container_id=page_post_id)
    await make_rule(session, await make_calendar(session, name="For hire", container_id=page_post_id))
    await session.commit()
    assert [each["bookable"] for each in await _ask(app, page_post_id)] == [False, True]


async def test_another_pages_calendars_are_not_told_of_nor_those_that_are_switched_off(
    app: Quart, session: AsyncSession
) -> None:
    await make_calendar(session)
    without = await make_page(session, has_calendar=False)
    await make_calendar(session, container_id=without)
    await session.commit()
    assert await _ask(app, without) == []


async def test_a_page_that_there_is_not_is_not_found(app: Quart) -> None:
    client = app.test_client()
    for page_post_id in ("0", "1", str(2**63 - 1), str(2**63), "-1", "x"):
        response = await client.get(f"/internal/v1/pages/{page_post_id}/calendars", headers=BEARER)
        await assert_error(response, 404, "not_found")


@pytest.mark.parametrize("query", ["upcoming=21", "upcoming=-1", "upcoming=x", "upcoming=", "upcoming=1&upcoming=2"])
async def test_a_query_that_cannot_be_is_refused(app: Quart, query: str) -> None:
    response = await app.test_client().get(f"/internal/v1/pages/1/calendars?{query}", headers=BEARER)
    await assert_error(response, 422, "bad_input")


async def test_what_is_next_everywhere_is_told_of_as_lists_show_it(app: Quart, session: AsyncSession) -> None:
    barn = await make_calendar(session, name="Barn", place="Barn Lane")
    attic = await make_calendar(session, name="Attic", place="")
    await make_entry(session, barn, name="Third", start_at=days_from_now(3), price="3.00", capacity=2)
    second = await make_entry(session, attic, name="Second", start_at=days_from_now(2), capacity=0)
    for name, price in (("Child", "2.00"), ("Adult", "5.00")):
        await make_type(session, second, name, price)
    await make_entry(session, attic, name="First", start_at=days_from_now(1))
    await make_entry(session, attic, name="Over", start_at=days_from_now(-1))
    await session.commit()
    told = await _ask_for_next(app)
    shown = [tuple(event[part] for part in ("name", "place", "price", "has_dearer", "note")) for event in told]
    assert shown == [
        ("First", "Attic", None, False, "No ticket needed"),
        ("Second", "Attic", "2.00", True, "Sold out"),
        ("Third", "Barn Lane", "3.00", False, "2 left"),
    ]
    assert [event["name"] for event in await _ask_for_next(app, "limit=2")] == ["First", "Second"]
    assert await _ask_for_next(app, "limit=0") == []


async def _ask_for_next(app: Quart, query: str = "") -> list[dict[str, Any]]:
    answer = await app.test_client().get(f"/internal/v1/upcoming?{query}", headers=BEARER)
    assert answer.status_code == 200
    found: list[dict[str, Any]] = (await answer.get_json())["events"]
    return found


@pytest.mark.parametrize("query", ["limit=21", "limit=-1", "limit=x", "limit=", "limit=1&limit=2"])
async def test_what_is_next_cannot_be_asked_for_without_bounds(app: Quart, query: str) -> None:
    response = await app.test_client().get(f"/internal/v1/upcoming?{query}", headers=BEARER)
    await assert_error(response, 422, "bad_input")


@pytest.mark.parametrize("events", [1, 5])
async def test_two_queries_tell_what_is_next_everywhere(app: Quart, session: AsyncSession, events: int) -> None:
    for days in range(1, events + 1):
        calendar = await make_calendar(session)
        await make_type(session, await make_entry(session, calendar, start_at=days_from_now(days)))
    await session.commit()
    with counted_queries(every=True) as statements:
        await _ask_for_next(app)
    assert len(statements) == len(("the events", "their types")), statements


CALENDARS_QUERIES = 4
"""The page, its calendars and whether they can be booked, their next events, and those events' types."""


@pytest.mark.parametrize("calendars", [1, 4])
async def test_the_number_of_queries_does_not_depend_on_the_number_of_calendars(
    app: Quart, session: AsyncSession, calendars: int
) -> None:
    page_post_id = await make_page(session, has_calendar=True)
    for _ in range(calendars):
        calendar = await make_calendar(session, container_id=page_post_id)
        for days in range(1, calendars + 1):
            await make_type(session, await make_entry(session, calendar, start_at=days_from_now(days)))
    await session.commit()
    with counted_queries(every=True) as statements:
        await _ask(app, page_post_id)
    assert len(statements) == CALENDARS_QUERIES, statements
