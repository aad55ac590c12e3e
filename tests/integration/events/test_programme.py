"""What is on: across all calendars and in one, a page at a time."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from tests.factories.calendar import days_from_now, make_calendar, make_entry, make_rule, make_type
from tests.factories.tickets import make_tickets
from tests.support.queries import counted_queries
from tests.support.visitor import Visitor

TITLES = ".event__title"


async def test_events_come_in_the_order_in_which_they_happen(visitor: Visitor, session: AsyncSession) -> None:
    theatre = await make_calendar(session)
    hall = await make_calendar(session, name="The village hall")
    await make_entry(session, theatre, name="Later", start_at=days_from_now(9))
    await make_entry(session, hall, name="Sooner", start_at=days_from_now(3))
    await make_entry(session, theatre, name="Yesterday", start_at=days_from_now(-1))
    await make_entry(session, theatre, name="A draft", state="draft")
    await make_entry(session, theatre, name="Called off", state="cancelled")
    await session.commit()

    page = await visitor.get("/")

    assert page.status == 200
    assert page.texts(TITLES) == ["Sooner", "Later"]


async def test_an_event_that_has_begun_is_still_on(visitor: Visitor, session: AsyncSession) -> None:
    calendar = await make_calendar(session)
    await make_entry(session, calendar, name="Running", start_at=days_from_now(0) - timedelta(days=1), hours=72)
    await session.commit()

    assert (await visitor.get("/")).texts(TITLES) == ["Running"]


async def test_what_lasts_a_year_is_on_until_its_end_and_nothing_may_last_longer(
    visitor: Visitor, session: AsyncSession
) -> None:
    calendar = await make_calendar(session)
    a_year = timedelta(days=366)
    begun = days_from_now(1) - a_year
    await make_entry(session, calendar, name="All year", start_at=begun, hours=366 * 24)
    await session.commit()

    assert (await visitor.get("/")).texts(TITLES) == ["All year"]
    with pytest.raises(IntegrityError, match="ends_within_a_year"):
        await make_entry(session, calendar, name="For ever", start_at=begun, hours=366 * 24 + 1)
    await session.rollback()


async def test_later_events_follow_without_gap_or_repetition(visitor: Visitor, session: AsyncSession) -> None:
    calendar = await make_calendar(session)
    at_once = days_from_now(5)
    for number in range(45):  # many begin at the same moment, so the id has to tell them apart
        await make_entry(session, calendar, name=f"Event {number:02}", start_at=at_once + timedelta(days=number // 15))
    await session.commit()

    seen: list[str] = []
    address: str | None = "/"
    while address:
        page = await visitor.get(address)
        seen += page.texts(TITLES)
        address = page.attribute("#later-events a", "href") if page.has("#later-events") else None

    assert seen == [f"Event {number:02}" for number in range(45)]


async def test_htmx_gets_the_later_events_alone(visitor: Visitor, session: AsyncSession) -> None:
    calendar = await make_calendar(session)
    for number in range(21):
        await make_entry(session, calendar, name=f"Event {number}", start_at=days_from_now(number + 1))
    await session.commit()
    address = (await visitor.get("/")).attribute("#later-events a", "hx-get")
    assert address

    part = await visitor.get(address, **{"HX-Request": "true"})

    assert part.texts(TITLES) == ["Event 20"]
    assert not part.has("header")


async def test_a_key_that_we_never_wrote_is_refused(visitor: Visitor, subtests: pytest.Subtests) -> None:
    for key in ("x", "1", "20261301T000000000000Z-1", "20261101T000000000000Z-", "%00", "-" * 5000):
        with subtests.test(key=key[:40]):
            page = await visitor.get(f"/?after={key}")

            assert page.status == 422
            assert page.text("h1") == "Please check what you entered"


async def test_a_list_names_the_lowest_price_above_nothing(visitor: Visitor, session: AsyncSession) -> None:
    calendar = await make_calendar(session)
    several = await make_entry(session, calendar, start_at=days_from_now(1))
    for position, (name, cost) in enumerate([("Adult", "14.00"), ("Concession", "8.00"), ("Under 5", "0.00")]):
        await make_type(session, several, name, cost, position=position)
    await make_entry(session, calendar, price="6.50", start_at=days_from_now(2))
    await make_entry(session, calendar, price="0.00", start_at=days_from_now(3))
    await make_entry(session, calendar, start_at=days_from_now(4))
    await session.commit()

    sides = (await visitor.get("/")).texts(".event__side")

    assert sides == ["from £8.00", "£6.50", "Free", "No ticket needed"]


async def test_a_list_says_how_an_event_stands(visitor: Visitor, session: AsyncSession, ada: Visitor) -> None:
    calendar = await make_calendar(session)
    full = await make_entry(session, calendar, price="5.00", capacity=2, start_at=days_from_now(1))
    nearly = await make_entry(session, calendar, price="5.00", capacity=5, start_at=days_from_now(2))
    await make_tickets(session, full, user_id=ada.id, quantity=2)
    await make_tickets(session, nearly, user_id=ada.id, quantity=2)
    await make_tickets(session, nearly, user_id=ada.id, quantity=2, state="pending")
    await make_entry(session, calendar, price="5.00", start_at=days_from_now(3), sale_starts_at=days_from_now(2))
    await make_entry(session, calendar, price="5.00", start_at=days_from_now(4), sale_ends_at=days_from_now(-1))
    await session.commit()

    tags = (await visitor.get("/")).texts(".event__side .tag")

    assert tags[:2] == ["Sold out", "3 left"]
    assert tags[2].startswith("On sale from ")
    assert tags[3] == "Sale has ended"


async def test_times_are_those_of_the_calendar(visitor: Visitor, session: AsyncSession) -> None:
    calendar = await make_calendar(session, time_zone="Pacific/Auckland")
    start = days_from_now(5, hour=20, minute=0)  # the next morning there, in summer and in winter
    await make_entry(session, calendar, start_at=start)
    await session.commit()

    shown = (await visitor.get("/")).text(".event__meta time")

    next_day = start + timedelta(days=1)
    assert shown.startswith(f"{next_day:%a} {next_day.day} {next_day:%b %Y}, 0")


async def test_a_calendar_shows_its_own_events_and_its_page(visitor: Visitor, session: AsyncSession) -> None:
    theatre = await make_calendar(session, name="The Lantern Theatre", slug="lantern")
    hall = await make_calendar(session, name="The village hall")
    await make_entry(session, theatre, name="The Tempest")
    await make_entry(session, hall, name="Bingo")
    await session.commit()

    page = await visitor.get("/calendars/lantern/")

    assert page.status == 200
    assert page.text("h1") == "The Lantern Theatre"
    assert page.texts(TITLES) == ["The Tempest"]
    assert "Lantern Lane 4" not in page.text(".event__meta")
    assert page.html.css_first(".page-head a").text() == "About The Lantern Theatre"


async def test_an_unknown_calendar_is_not_found(visitor: Visitor, subtests: pytest.Subtests) -> None:
    for slug in ("nowhere", "..", "a" * 3000, "%F0%9F%8E%AD", "%00"):
        with subtests.test(slug=slug[:40]):
            page = await visitor.get(f"/calendars/{slug}/")

            assert page.status == 404
            assert page.has("h1")


async def test_a_calendar_that_can_be_booked_leads_there_and_need_have_nothing_on(
    visitor: Visitor, session: AsyncSession
) -> None:
    await make_rule(session, await make_calendar(session, slug="hall"))
    await make_calendar(session, slug="attic")
    await session.commit()

    hall, attic = await visitor.get("/calendars/hall/"), await visitor.get("/calendars/attic/")

    assert hall.attribute("section a.btn", "href") == "/calendars/hall/book/"
    assert (hall.has(".empty"), attic.has(".empty"), attic.has("#book-title")) == (False, True, False)


async def test_the_programme_names_the_calendars_that_can_be_booked(visitor: Visitor, session: AsyncSession) -> None:
    await make_calendar(session, name="The attic", slug="attic")
    await session.commit()
    assert not (await visitor.get("/")).has("#book-title")
    await make_rule(session, await make_calendar(session, name="The hall", slug="hall"))
    await session.commit()

    links = (await visitor.get("/")).html.css("nav[aria-labelledby=book-title] a")

    assert [(link.text(), link.attributes["href"]) for link in links] == [("The hall", "/calendars/hall/book/")]


async def test_an_empty_programme_says_so(visitor: Visitor, database_url: str) -> None:
    assert (await visitor.get("/")).text(".empty__title") == "Nothing is planned just now"


@pytest.mark.parametrize(("path", "expected"), [("/", 3), ("/calendars/lantern/", 3)])
async def test_the_number_of_queries_does_not_grow_with_the_programme(
    visitor: Visitor, session: AsyncSession, path: str, expected: int
) -> None:
    calendar = await make_calendar(session, slug="lantern")
    await session.commit()
    await visitor.get(path)  # what the blog app says of the page is known from now on
    counts = []
    for size in (1, 12):
        for number in range(size):
            entry = await make_entry(session, calendar, start_at=days_from_now(number + 1))
            for name in ("Adult", "Concession", "Child")[: min(size, 3)]:
                await make_type(session, entry, name)
        await session.commit()
        with counted_queries(every=True) as statements:
            await visitor.get(path)
        counts.append(len(statements))

    assert counts == [expected, expected]
