"""Booking times: a month, a day, and into the cart."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from quart import Quart
from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from events.app import create_app
from events.bp.bookings.choice import CHOOSE_ONE, GONE, OVERLAPS_CHOICE
from events.bp.bookings.forms import key_of
from events.bp.bookings.words import ASKED
from shared.contracts.dtos import EntryDTO
from shared.contracts.owner import CartOwner
from shared.models import BookingRule, Calendar, CalendarClosure, CalendarEntry, LoginSession
from shared.services.calendar_impl import SqlCalendarService
from shared.services.wiring import sql_services
from shared.settings import Settings
from shared.web.state import EXTENSION
from tests.factories.calendar import make_calendar, make_entry, make_rule
from tests.fakes.payments import MovableClock
from tests.support.desk import SATURDAY_EVENING, TAKEN, Desk, Span, hour
from tests.support.queries import counted_queries
from tests.support.visitor import Answer, Visitor

MONTH = "/calendars/hall/book/"
DAY = "/calendars/hall/book/2026-11-30/"
FORM = "#book form"
TIMES = "\u00d7"


@pytest.fixture
def clock() -> MovableClock:
    """It is Saturday, the 28th of November 2026, half past seven."""
    return MovableClock(SATURDAY_EVENING)


@pytest.fixture
async def app(settings: Settings, database_url: str, clock: MovableClock) -> AsyncIterator[Quart]:
    """Serve the events app at that time. Its cart app is a closed port."""
    async for made in serve(settings, sql_services(settings, clock).calendar, clock):
        yield made


async def serve(settings: Settings, calendar: Any, clock: MovableClock) -> AsyncIterator[Quart]:
    """Serve the app with a calendar domain of one's own."""
    settings = settings.model_copy(update={"internal_cart_url": "http://127.0.0.1:9"})
    made = create_app(settings, replace(sql_services(settings, clock), calendar=calendar))
    made.extensions[EXTENSION].clock = clock
    async with made.test_app():
        yield made


@pytest.fixture
def desk(session: AsyncSession, clock: MovableClock) -> Desk:
    return Desk(session, clock)


@pytest.fixture
async def hall(session: AsyncSession) -> Calendar:
    """A whole room at 8.00 an hour from nine to noon, or 20.00 for all three."""
    made = await make_calendar(session, name="The hall", slug="hall", whole_room=True)
    await make_rule(session, made, "An hour of the hall", from_time="09:00", to_time="12:00", position=1)
    await make_rule(
        session, made, "A morning", price="20.00", from_time="09:00", to_time="12:00", minutes=180, position=2
    )
    await session.commit()
    return made


@pytest.fixture
async def workshop(session: AsyncSession) -> Calendar:
    """Eight places from nine to noon, at 5.00 each, and nothing else."""
    made = await make_calendar(session, name="The workshop", slug="workshop")
    await make_rule(session, made, "A place", price="5.00", from_time="09:00", to_time="12:00", minutes=180, places=8)
    await session.commit()
    return made


WORKSHOP_DAY = "/calendars/workshop/book/2026-11-30/"
MORNING = hour(0, hours=3)


def key(span: Span) -> str:
    return key_of(*span)


def ticks(*spans: Span) -> list[tuple[str, str]]:
    """Tick boxes."""
    return [("slot", key(span)) for span in spans]


def places(typed: str, span: Span = MORNING) -> list[tuple[str, str]]:
    """Type how many places."""
    return [(f"places-{key(span)}", typed)]


def cells(page: Answer) -> dict[int, tuple[str, str | None]]:
    """Return what a month says of its days, and where each leads."""
    found = {}
    for cell in page.html.css(".month__day"):
        number, note = cell.css_first("time"), cell.css_first(".month__note")
        day = date.fromisoformat(str(number.attributes["datetime"])).day
        found[day] = (note.text(), cell.attributes.get("href"))
    return found


async def carts(session: AsyncSession) -> list[tuple[int | None, bool, datetime]]:
    """Return whose carts hold what: user, whether it is a session's, and start."""
    await session.rollback()
    rows = await session.execute(
        select(CalendarEntry.user_id, CalendarEntry.session_id, CalendarEntry.start_at)
        .where(CalendarEntry.kind == "booking", CalendarEntry.state == "pending")
        .order_by(CalendarEntry.start_at, CalendarEntry.id)
    )
    return [(row.user_id, row.session_id is not None, row.start_at) for row in rows]


# --- a month ---


@pytest.mark.usefixtures("hall")
async def test_a_month_is_a_table_with_a_caption_and_named_days_of_the_week(visitor: Visitor) -> None:
    page = await visitor.get(f"{MONTH}?month=2026-12")

    assert page.status == 200
    assert page.text("h1") == "The hall"
    assert page.text("table.month caption") == "December 2026"
    heads = page.html.css(".month thead th")
    assert {head.attributes["scope"] for head in heads} == {"col"}
    assert [head.css_first(".visually-hidden").text() for head in heads][::6] == ["Monday", "Sunday"]
    assert sorted(cells(page)) == list(range(1, 32))
    assert [len(week.css("td")) for week in page.html.css(".month tbody tr")] == [7] * 5
    assert len(page.html.css_first(".month tbody tr").css(".month__day")) == 6  # the first was a Tuesday


async def test_a_day_says_how_many_times_are_free_and_leads_there_only_if_any_are(
    visitor: Visitor, desk: Desk, hall: Calendar, session: AsyncSession
) -> None:
    await desk.book(await desk.user(), hall, hour(0))
    await desk.book(await desk.user(), hall, hour(24, hours=3))
    await desk.add(await desk.user(), hall, hour(49))  # in a cart nothing is held
    session.add(CalendarClosure(calendar_id=hall.id, first_day=date(2026, 12, 3), last_day=date(2026, 12, 3)))
    await session.commit()

    november, december = cells(await visitor.get(MONTH)), cells(await visitor.get(f"{MONTH}?month=2026-12"))

    assert november[27] == november[28] == ("", None)  # over, and over for today
    assert november[29] == ("4 free", "/calendars/hall/book/2026-11-29/")
    assert november[30] == ("2 free", DAY)
    assert december[1] == ("full", None)
    assert december[2] == ("4 free", "/calendars/hall/book/2026-12-02/")
    assert december[3] == ("closed", None)


async def test_a_day_whose_times_are_sold_by_the_place_says_of_what_so_many_are_free(
    visitor: Visitor, desk: Desk, workshop: Calendar, session: AsyncSession
) -> None:
    await make_rule(session, workshop, "A place", weekdays=[3], from_time="14:00", to_time="17:00", places=4)
    for span, places in ((hour(0, hours=3), 6), (hour(24, hours=3), 7), (hour(72, hours=3), 8)):
        await desk.book(await desk.user(), workshop, span, places=places)
    await session.commit()

    pages = [await visitor.get(f"/calendars/workshop/book/?month={month}") for month in ("2026-11", "2026-12")]
    november, december = (cells(page) for page in pages)

    assert november[29] == ("8 places free", "/calendars/workshop/book/2026-11-29/")
    assert november[30] == ("2 places free", WORKSHOP_DAY)
    assert december[1] == ("1 place free", "/calendars/workshop/book/2026-12-01/")
    assert december[2] == ("4 times free", "/calendars/workshop/book/2026-12-02/")
    assert december[3] == ("full", None)


@pytest.mark.usefixtures("hall")
async def test_a_day_is_read_out_with_its_month_and_today_is_marked(visitor: Visitor) -> None:
    page = await visitor.get(MONTH)

    assert page.text(f"a[href='{DAY}']") == "30 November 4 free"
    assert page.text("td[aria-current=date] time") == "28 November"


async def test_days_on_which_no_rule_has_a_time_say_nothing(
    visitor: Visitor, hall: Calendar, session: AsyncSession
) -> None:
    await session.execute(update(BookingRule).values(weekdays=[1]))
    await session.commit()

    december = cells(await visitor.get(f"{MONTH}?month=2026-12"))

    assert [day for day, (_, path) in december.items() if path] == [7, 14, 21, 28]
    assert december[8] == ("", None)


@pytest.mark.usefixtures("hall")
@pytest.mark.parametrize(
    ("month", "shown", "before", "after"),
    [
        ("", "November 2026", None, "2026-12"),
        ("2026-12", "December 2026", "2026-11", "2027-01"),
        ("2027-01", "January 2027", "2026-12", None),
        ("2031-05", "January 2027", "2026-12", None),
        ("9999-12", "January 2027", "2026-12", None),
        ("2026-10", "November 2026", None, "2026-12"),
        ("0001-01", "November 2026", None, "2026-12"),
    ],
)
async def test_months_lead_to_each_other_within_what_is_offered(
    visitor: Visitor, month: str, shown: str, before: str | None, after: str | None
) -> None:
    page = await visitor.get(f"{MONTH}?month={month}")

    assert (page.status, page.text(".month caption")) == (200, shown)
    ways = {rel: page.html.css_first(f"nav a[rel={rel}]") for rel in ("prev", "next")}
    paths = {rel: way.attributes["href"] if way else None for rel, way in ways.items()}
    assert paths == {
        "prev": f"{MONTH}?month={before}" if before else None,
        "next": f"{MONTH}?month={after}" if after else None,
    }


@pytest.mark.usefixtures("hall")
async def test_what_is_no_month_is_refused_in_words(visitor: Visitor, subtests: pytest.Subtests) -> None:
    for month in ("x", "2026", "2026-13", "2026-00", "2026-12-01", "%00", "-" * 5000, "<script>"):
        with subtests.test(month=month[:40]):
            page = await visitor.get(f"{MONTH}?month={month}")

            assert (page.status, page.text("h1")) == (422, "Please check what you entered")


async def test_where_nothing_of_this_month_is_free_any_more_the_next_is_shown(
    visitor: Visitor, hall: Calendar, session: AsyncSession
) -> None:
    hall = await session.get_one(Calendar, hall.id)
    hall.notice_minutes = 4 * 24 * 60
    await session.commit()

    page, named = await visitor.get(MONTH), await visitor.get(f"{MONTH}?month=2026-11")

    assert (page.text(".month caption"), named.text(".month caption")) == ("December 2026", "November 2026")
    assert "Nothing is free in November 2026." in named.texts("main p")


async def test_the_terms_are_said_in_words(visitor: Visitor, hall: Calendar, session: AsyncSession) -> None:
    hall = await session.get_one(Calendar, hall.id)
    hall.notice_minutes, hall.needs_approval = 24 * 60, True
    days = (date(2026, 12, 24), date(2026, 12, 26))
    session.add(CalendarClosure(calendar_id=hall.id, first_day=days[0], last_day=days[1], reason="Christmas"))
    await session.commit()

    for path in (MONTH, DAY):
        page = await visitor.get(path)
        assert page.texts("aside p")[:3] == [
            "Book at least 24 hours before a time begins.",
            "Times are offered up to Wed 27 Jan 2027.",
            "Closed: Thu 24 Dec 2026 to Sat 26 Dec 2026 (Christmas).",
        ]
        assert page.text("main .notice--info") == ASKED


async def test_days_are_those_of_the_calendars_own_zone(visitor: Visitor, session: AsyncSession) -> None:
    room = await make_calendar(session, slug="hall", time_zone="Pacific/Auckland", ahead_days=1)
    await make_rule(session, room, from_time="20:00", to_time="21:00")
    await session.commit()

    page = await visitor.get(MONTH)  # there it is Sunday morning

    assert page.text("td[aria-current=date] time") == "29 November"
    assert [day for day, (_, path) in cells(page).items() if path] == [29, 30]


async def test_an_unknown_calendar_and_one_without_rules_cannot_be_booked(
    visitor: Visitor, session: AsyncSession, subtests: pytest.Subtests
) -> None:
    await make_calendar(session, slug="hall")
    await session.commit()

    for slug, status in (("hall", 404), ("nowhere", 404), ("a" * 3000, 404), ("%00", 404)):
        for rest in ("", "2026-11-30/"):
            with subtests.test(slug=slug[:40], rest=rest):
                page = await visitor.get(f"/calendars/{slug}/book/{rest}")

                assert (page.status, page.has("h1")) == (status, True)
    assert (await visitor.get("/calendars/nowhere/book/2026-11-30/added/")).status == 404


@pytest.mark.usefixtures("hall")
async def test_the_queries_of_a_month_do_not_grow_with_slots_and_bookings(
    visitor: Visitor, desk: Desk, hall: Calendar, session: AsyncSession
) -> None:
    counts = []
    for days in (1, 20):
        await make_rule(session, hall, minutes=15, position=2 + days)
        await desk.book(await desk.user(), hall, *(hour(24 * days + 24 * day) for day in range(days)))
        await session.commit()
        with counted_queries(every=True) as statements:
            await visitor.get(f"{MONTH}?month=2026-12")
        counts.append(len(statements))

    assert counts == [8, 8]


# --- a day ---


@pytest.mark.usefixtures("hall")
async def test_a_day_is_a_form_with_a_labelled_box_for_each_time(visitor: Visitor) -> None:
    page = await visitor.get(DAY)

    assert (page.status, page.text("h1")) == (200, "Monday 30 November 2026")
    assert page.text(f"{FORM} legend") == "Times on Monday 30 November 2026"
    boxes = page.html.css(f"{FORM} input[type=checkbox]")
    assert [box.attributes["value"] for box in boxes] == [key(hour(0)), key(MORNING), key(hour(1)), key(hour(2))]
    labels = {str(label.attributes["for"]): " ".join(label.text().split()) for label in page.html.css(f"{FORM} label")}
    assert list(labels) == [box.attributes["id"] for box in boxes]
    assert list(labels.values())[:2] == ["09:00 to 10:00 An hour of the hall", "09:00 to 12:00 A morning"]
    assert page.texts(f"{FORM} .price") == ["£8.00", "£20.00", "£8.00", "£8.00"]
    assert page.attribute(FORM, "action") == page.attribute(FORM, "hx-post") == DAY


async def test_a_taken_time_is_shown_as_taken_and_cannot_be_chosen(
    visitor: Visitor, desk: Desk, hall: Calendar, session: AsyncSession
) -> None:
    await make_entry(session, hall, start_at=hour(1)[0], hours=0.5)
    await session.commit()

    page = await visitor.get(DAY)

    assert page.texts(f"{FORM} .slots__taken") == [
        "09:00 to 12:00 Taken A morning",
        "10:00 to 11:00 Taken An hour of the hall",
    ]
    assert len(page.html.css(f"{FORM} input")) == 2


async def test_a_time_of_several_places_has_a_number_and_says_how_many_are_left(
    visitor: Visitor, desk: Desk, workshop: Calendar, session: AsyncSession
) -> None:
    await desk.book(await desk.user(), workshop, MORNING, places=6)
    await session.commit()

    page = await visitor.get(WORKSHOP_DAY)

    field = page.html.css_first(f"{FORM} input")
    assert field.attributes["name"] == f"places-{key(MORNING)}"
    assert (field.attributes["type"], field.attributes["max"], field.attributes["value"]) == ("number", "2", "0")
    assert page.text(f"{FORM} label") == "How many places, 09:00 to 12:00"
    assert page.text(f"{FORM} .tag") == "2 of 8 places left"
    assert page.text(f"{FORM} .price__unit") == "a place"


async def test_what_is_in_the_cart_is_said_and_leaves_fewer(ada: Visitor, workshop: Calendar, hall: Calendar) -> None:
    await ada.post(WORKSHOP_DAY, places("2"))
    await ada.post(DAY, ticks(hour(0)))

    page, room = await ada.get(WORKSHOP_DAY), await ada.get(DAY)

    assert page.text(f"{FORM} .tag") == "8 of 8 places left, 2 in your cart"
    assert page.attribute(f"{FORM} input", "max") == "6"
    assert room.texts(f"{FORM} .tag") == ["In your cart", "Overlaps a time in your cart"]
    assert len(room.html.css(f"{FORM} input")) == 2


@pytest.mark.parametrize(
    ("day", "status", "words"),
    [
        ("2026-11-28", 200, "There is nothing to book on this day."),
        ("2026-11-27", 404, "This day is over."),
        ("2026-12-10", 200, "Closed: Thu 10 Dec 2026 (Painting)."),
        ("2027-01-27", 200, ""),
        ("2027-01-28", 404, "This day cannot be booked yet: times are offered up to Wed 27 Jan 2027."),
        ("0001-01-01", 404, "This day is over."),
        ("9999-12-31", 404, "This day cannot be booked yet: times are offered up to Wed 27 Jan 2027."),
    ],
)
async def test_a_day_on_which_nothing_can_be_booked_says_why(
    visitor: Visitor, hall: Calendar, session: AsyncSession, day: str, status: int, words: str
) -> None:
    closed = date(2026, 12, 10)
    session.add(CalendarClosure(calendar_id=hall.id, first_day=closed, last_day=closed, reason="Painting"))
    await session.commit()

    page = await visitor.get(f"{MONTH}{day}/")

    assert page.status == status
    assert page.html.css_first("#book > p").text() == (words or page.text("#book > p"))
    assert page.has(FORM) == (not words)


@pytest.mark.usefixtures("hall")
async def test_what_is_no_day_is_not_found(visitor: Visitor, subtests: pytest.Subtests) -> None:
    for day in ("x", "2026-11", "2026-02-30", "20261130", "%00", "2026-11-30T09:00", "9" * 3000):
        with subtests.test(day=day[:40]):
            page = await visitor.get(f"{MONTH}{day}/")

            assert page.status == 404


async def test_the_queries_of_a_day_do_not_grow_with_slots_and_bookings(
    visitor: Visitor, desk: Desk, hall: Calendar, session: AsyncSession
) -> None:
    counts = []
    for number in (1, 7):
        await make_rule(session, hall, minutes=15, position=2 + number)
        await desk.book(await desk.user(), hall, *(hour(number + each, hours=0.25) for each in range(number)))
        await session.commit()
        with counted_queries(every=True) as statements:
            await visitor.get(DAY)
        counts.append(len(statements))

    assert counts == [9, 9]


async def test_the_queries_of_a_day_do_not_grow_with_the_cart(
    visitor: Visitor, hall: Calendar, session: AsyncSession
) -> None:
    counts = []
    for number in range(3):
        span = hour(24 * number)
        await visitor.post(f"{MONTH}2026-{'11-30' if not number else f'12-0{number}'}/", ticks(span))
        with counted_queries(every=True) as statements:
            await visitor.get(DAY)
        counts.append(len(statements))

    assert len(await carts(session)) == 3
    assert counts == [13, 13, 13]  # the visitor's session, and how what is in the cart stands


# --- the nights in which the clocks change ---


@pytest.mark.parametrize(
    ("now", "day", "shown"),
    [
        (
            datetime(2026, 10, 23, 12, tzinfo=UTC),
            "2026-10-25",
            ["00:00 to 01:00 BST", "01:00 BST to 01:00 GMT", "01:00 GMT to 02:00", "02:00 to 03:00"],
        ),
        (
            datetime(2027, 3, 26, 12, tzinfo=UTC),
            "2027-03-28",
            ["00:00 to 02:00", "02:00 to 03:00"],
        ),
    ],
)
async def test_in_the_night_of_the_change_each_hour_can_be_told_and_booked(
    visitor: Visitor, session: AsyncSession, clock: MovableClock, now: datetime, day: str, shown: list[str]
) -> None:
    clock.now = now
    room = await make_calendar(session, slug="hall", whole_room=True)
    await make_rule(session, room, from_time="00:00", to_time="03:00")
    await session.commit()

    page = await visitor.get(f"{MONTH}{day}/")
    assert page.texts(f"{FORM} label time") == shown
    body = [("slot", str(box.attributes["value"])) for box in page.html.css(f"{FORM} input")]
    answer = await visitor.post(f"{MONTH}{day}/", body)

    added = await visitor.get(answer.headers["Location"])
    assert [line.partition(", ")[2] for line in added.texts("#book .line__detail")] == shown
    assert len({start for _, _, start in await carts(session)}) == len(shown)


async def test_times_are_those_of_the_calendars_own_zone(visitor: Visitor, session: AsyncSession) -> None:
    room = await make_calendar(session, slug="hall", time_zone="Pacific/Auckland")
    await make_rule(session, room, from_time="20:00", to_time="21:00")
    await session.commit()

    page = await visitor.get(DAY)

    assert page.texts(f"{FORM} label time") == ["20:00 to 21:00"]
    assert page.html.css_first(f"{FORM} time").attributes["datetime"] == "2026-11-30T07:00:00+00:00"


async def test_a_night_names_the_day_of_what_begins_after_midnight(visitor: Visitor, session: AsyncSession) -> None:
    room = await make_calendar(session, slug="hall")
    await make_rule(session, room, from_time="22:00", to_time="02:00", minutes=120)
    await session.commit()

    page = await visitor.get(DAY)

    assert page.texts(f"{FORM} label time") == ["22:00 to 00:00", "Tue 1 Dec 2026, 00:00 to 02:00"]


async def test_yesterdays_night_can_be_booked_until_it_is_over(
    visitor: Visitor, session: AsyncSession, clock: MovableClock
) -> None:
    clock.now = datetime(2026, 12, 1, 0, 30, tzinfo=UTC)
    room = await make_calendar(session, slug="hall")
    await make_rule(session, room, from_time="22:00", to_time="02:00")
    await session.commit()

    month, day = await visitor.get(MONTH), await visitor.get(DAY)

    assert cells(month)[30] == ("1 free", DAY)
    assert day.texts(f"{FORM} label time") == ["Tue 1 Dec 2026, 01:00 to 02:00"]


# --- into the cart ---


@pytest.mark.usefixtures("hall")
async def test_chosen_times_are_pending_in_the_cart_of_whoever_is_signed_in(
    ada: Visitor, session: AsyncSession
) -> None:
    answer = await ada.post(DAY, ticks(hour(0), hour(2)))

    assert answer.status == 303
    assert await carts(session) == [(ada.id, False, hour(0)[0]), (ada.id, False, hour(2)[0])]


@pytest.mark.usefixtures("hall")
async def test_who_has_no_account_gets_a_cart_of_their_own_that_lasts(
    app: Quart, visitor: Visitor, session: AsyncSession
) -> None:
    first = await visitor.post(DAY, ticks(hour(0)))
    await visitor.post(DAY, ticks(hour(1)))
    await Visitor(app.test_client()).post(DAY, ticks(hour(2)))

    assert "maypole_session" in first.headers["Set-Cookie"]
    assert await carts(session) == [(None, True, hour(number)[0]) for number in range(3)]
    assert await session.scalar(select(func.count()).select_from(LoginSession)) == 2
    assert await session.scalar(select(func.bool_and(LoginSession.has_cart)))


@pytest.mark.usefixtures("hall")
async def test_the_form_of_the_page_itself_can_be_sent(ada: Visitor, session: AsyncSession) -> None:
    page = await ada.get(DAY)
    box = page.html.css(f"{FORM} input")[2]

    answer = await ada.post(
        str(page.attribute(FORM, "action")), {str(box.attributes["name"]): str(box.attributes["value"])}
    )

    assert answer.status == 303
    assert [start for _, _, start in await carts(session)] == [hour(1)[0]]


@pytest.mark.usefixtures("hall")
async def test_the_result_says_what_was_added_and_reloading_it_adds_nothing(
    visitor: Visitor, session: AsyncSession
) -> None:
    answer = await visitor.post(DAY, ticks(hour(0), hour(2)))

    page = await visitor.get(answer.headers["Location"])
    await visitor.get(answer.headers["Location"])

    assert page.text("#book-title") == "Added to cart"
    assert page.texts("#book .line__detail") == ["Mon 30 Nov 2026, 09:00 to 10:00", "Mon 30 Nov 2026, 11:00 to 12:00"]
    assert page.texts("#book .price") == ["£8.00", "£8.00", "£16.00"]
    assert page.text("#book .notice--info") == "Held only once you check out."
    links = [link.attributes["href"] for link in page.html.css("#book a.btn")]
    assert links == ["http://localhost:8002/", DAY, f"{MONTH}?month=2026-11"]
    assert len(await carts(session)) == 2


@pytest.mark.usefixtures("workshop")
async def test_places_of_one_time_are_one_line(visitor: Visitor) -> None:
    answer = await visitor.post(WORKSHOP_DAY, places(" 3 "))

    page = await visitor.get(answer.headers["Location"])

    assert page.text("#book .line__title") == f"3 {TIMES} A place"
    assert page.text("#book .price") == "£15.00"


async def test_that_it_is_a_request_is_said_after_as_well(
    visitor: Visitor, hall: Calendar, session: AsyncSession
) -> None:
    await session.execute(update(Calendar).values(needs_approval=True))
    await session.commit()

    part = await visitor.post(DAY, ticks(hour(0)), htmx=True)

    assert part.texts("#book .notice--info p") == ["Held only once you check out.", ASKED]


@pytest.mark.usefixtures("hall")
async def test_htmx_gets_the_result_in_the_forms_place_and_asks_for_the_badge(
    visitor: Visitor, session: AsyncSession
) -> None:
    part = await visitor.post(DAY, ticks(hour(0)), htmx=True)

    assert (part.status, part.has("header")) == (200, False)
    assert part.text("#book #book-title") == "Added to cart"
    assert part.attribute("#book [hx-get='/cart-badge']", "hx-target") == "#cart-mini"
    assert len(await carts(session)) == 1


@pytest.mark.usefixtures("hall")
async def test_sending_the_form_twice_is_once(visitor: Visitor, session: AsyncSession) -> None:
    answers = [await visitor.post(DAY, ticks(hour(0), hour(1))) for _ in range(2)]

    assert [answer.status for answer in answers] == [303, 303]
    assert len(await carts(session)) == 2
    again = await visitor.get(answers[1].headers["Location"])
    assert len(again.texts("#book .line__title")) == 2


@pytest.mark.usefixtures("workshop")
async def test_the_result_claims_no_more_than_the_cart_holds(visitor: Visitor) -> None:
    await visitor.post(WORKSHOP_DAY, places("2"))

    page = await visitor.get(f"{WORKSHOP_DAY}added/?places-{key(MORNING)}=7&slot=x&places-y=z")

    assert page.texts("#book .line__title") == [f"2 {TIMES} A place"]


@pytest.mark.usefixtures("hall", "workshop")
async def test_the_result_tells_of_this_time_and_this_calendar_alone(visitor: Visitor) -> None:
    await visitor.post(DAY, ticks(MORNING))
    await visitor.post(WORKSHOP_DAY, places("2"))

    part = await visitor.post(WORKSHOP_DAY, places("1"), htmx=True)

    assert part.texts("#book .line__title") == ["A place"]
    assert part.text("#book .price") == "£5.00"


@pytest.mark.usefixtures("hall")
async def test_the_result_of_nothing_and_of_somebody_elses_cart_leads_back_to_the_day(
    ada: Visitor, visitor: Visitor
) -> None:
    answer = await ada.post(DAY, ticks(hour(0)))

    for path in (f"{DAY}added/", answer.headers["Location"]):
        back = await visitor.get(path)
        assert (back.status, back.headers["Location"]) == (303, DAY)


@pytest.mark.usefixtures("hall")
async def test_another_sites_form_books_nothing(ada: Visitor, session: AsyncSession) -> None:
    response = await ada.client.post(DAY, form=dict(ticks(hour(0))), headers={"Origin": "https://evil.example"})

    assert response.status_code == 403
    assert await carts(session) == []


# --- refused ---


@pytest.mark.usefixtures("hall")
async def test_nothing_chosen_is_said_at_the_form(visitor: Visitor, subtests: pytest.Subtests) -> None:
    bodies: list[list[tuple[str, str]]] = [[], [("slots", "x")], [("places-x", "0")], [("places-x", "")]]
    for body in bodies:
        with subtests.test(body=body):
            answer = await visitor.post(DAY, body)

            assert answer.status == 422
            assert answer.texts(".error-summary a") == [CHOOSE_ONE]
            assert answer.has(answer.attribute(".error-summary a", "href") or "nothing")


@pytest.mark.usefixtures("hall")
async def test_what_is_not_offered_is_refused_and_the_rest_stays_chosen(
    visitor: Visitor, session: AsyncSession, subtests: pytest.Subtests
) -> None:
    wrong = [
        "", "x", "\x00", "' OR 1=1 --", "9" * 9999, "20261130T090000Z-61", "20261130T093000Z-60",
        key((hour(0)[0] + timedelta(days=365), hour(0)[1] + timedelta(days=365))),
        key(hour(24)),  # another day's
        key(hour(-60)),  # over
    ]  # fmt: skip
    for bad in wrong:
        with subtests.test(bad=bad[:40]):
            answer = await visitor.post(DAY, [*ticks(hour(0)), ("slot", bad)], htmx=True)

            assert (answer.status, answer.has("header")) == (422, False)
            assert answer.texts(".error-summary li") == [GONE]
            checked = [box.attributes["value"] for box in answer.html.css("input[checked]")]
            assert checked == [key(hour(0))]

    assert await carts(session) == []


@pytest.mark.usefixtures("hall")
async def test_thousands_of_times_are_refused_at_once(visitor: Visitor, session: AsyncSession) -> None:
    body = [("slot", f"20261130T{number:06}Z-60") for number in range(5000)]

    answer = await visitor.post(DAY, body)

    assert answer.status == 422
    assert answer.texts(".error-summary li") == [GONE]
    assert await carts(session) == []


async def test_what_was_taken_meanwhile_is_named_and_the_others_stay_chosen(
    visitor: Visitor, desk: Desk, hall: Calendar, session: AsyncSession
) -> None:
    await desk.book(await desk.user(), hall, hour(1))
    await session.commit()

    answer = await visitor.post(DAY, ticks(hour(0), hour(1)))

    assert answer.status == 422
    assert answer.texts(".error-summary a") == [f"10:00 to 11:00: {TAKEN}"]
    assert answer.text((answer.attribute(".error-summary a", "href") or "") + " .tag") == "Taken"
    assert [box.attributes["value"] for box in answer.html.css("input[checked]")] == [key(hour(0))]
    assert await carts(session) == []


@pytest.mark.usefixtures("hall")
async def test_times_that_overlap_are_refused_together(visitor: Visitor, session: AsyncSession) -> None:
    answer = await visitor.post(DAY, ticks(hour(0), hour(0, hours=3)))

    assert answer.status == 422
    assert answer.texts(".error-summary li") == [f"09:00 to 12:00: {OVERLAPS_CHOICE}"]
    field = answer.html.css_first("input[aria-invalid]")
    assert field.attributes["value"] == key(MORNING)
    assert answer.text(f"#{field.attributes['aria-describedby']}") == OVERLAPS_CHOICE
    assert await carts(session) == []


class SomebodyIsQuicker(SqlCalendarService):
    """A calendar in which somebody else books whatever is wanted, between the look and the taking."""

    async def add_pending_bookings(self, session: AsyncSession, owner: CartOwner, **wanted: Any) -> list[EntryDTO]:
        desk = Desk(session, MovableClock(SATURDAY_EVENING))
        await desk.book(await desk.user(), await session.get_one(Calendar, wanted["calendar_id"]), *wanted["wish"])
        return await super().add_pending_bookings(session, owner, **wanted)


@pytest.mark.usefixtures("hall", "workshop")
@pytest.mark.parametrize(
    ("path", "body", "words"),
    [
        (DAY, ticks(hour(0)), f"09:00 to 10:00: {TAKEN}"),
        (WORKSHOP_DAY, places("8"), "09:00 to 12:00: Only 7 places left."),
    ],
)
async def test_what_is_taken_at_the_last_moment_is_refused_by_the_domain_and_shown_as_taken(
    settings: Settings, session: AsyncSession, clock: MovableClock, path: str, body: list[tuple[str, str]], words: str
) -> None:
    async for app in serve(settings, SomebodyIsQuicker(clock, default_max_per_order=20), clock):
        answer = await Visitor(app.test_client()).post(path, body)

    assert answer.status == 422
    assert answer.texts(".error-summary li") == [words]
    assert "Set-Cookie" not in answer.headers
    assert await carts(session) == []


async def test_a_number_of_places_that_cannot_be_had_is_refused_and_kept(
    visitor: Visitor, desk: Desk, workshop: Calendar, session: AsyncSession, subtests: pytest.Subtests
) -> None:
    await desk.book(await desk.user(), workshop, MORNING, places=6)
    await session.commit()
    wrong = {
        "3": "Only 2 places left.",
        "1000000000": "Only 2 places left.",
        "9" * 5000: "Only 2 places left.",
        **dict.fromkeys(("-1", "1.5", "two", "1e9", "\uff12", "<b>"), "Enter a whole number, such as 2."),
    }
    for typed, words in wrong.items():
        with subtests.test(typed=typed[:40]):
            answer = await visitor.post(WORKSHOP_DAY, places(typed))

            assert answer.status == 422
            assert answer.texts(".error-summary a") == [f"09:00 to 12:00: {words}"]
            assert answer.attribute(f"{FORM} input", "value") == typed
            assert answer.attribute(f"{FORM} input", "aria-invalid") == "true"

    assert await carts(session) == []


async def test_no_place_at_all_is_nothing_chosen(visitor: Visitor, workshop: Calendar) -> None:
    answer = await visitor.post(WORKSHOP_DAY, places("0"))

    assert (answer.status, answer.texts(".error-summary li")) == (422, [CHOOSE_ONE])


async def test_a_cart_that_is_full_says_so(visitor: Visitor, session: AsyncSession) -> None:
    room = await make_calendar(session, slug="hall")
    await make_rule(session, room, from_time="09:00", to_time="10:00", places=60)
    await session.commit()

    answer = await visitor.post(DAY, places("51", hour(0)))

    assert answer.status == 422
    assert "at most 50 bookings" in answer.text(".error-summary a")
    assert answer.attribute(f"{FORM} input", "value") == "51"


@pytest.mark.usefixtures("hall")
@pytest.mark.parametrize("day", ["2026-11-27", "2027-06-01", "9999-12-31"])
async def test_a_day_outside_what_is_offered_is_refused_with_its_reason(
    visitor: Visitor, session: AsyncSession, day: str
) -> None:
    answer = await visitor.post(f"{MONTH}{day}/", ticks(hour(0)))

    assert answer.status == 422
    assert answer.texts(".error-summary li") == [GONE]
    assert answer.texts("#book > p")[0].startswith("This day")
    assert await carts(session) == []


@pytest.mark.usefixtures("hall")
async def test_a_refused_form_makes_no_session(visitor: Visitor, session: AsyncSession) -> None:
    answer = await visitor.post(DAY, [])

    assert "Set-Cookie" not in answer.headers
    assert await session.scalar(select(func.count()).select_from(LoginSession)) == 0


@pytest.mark.usefixtures("hall")
async def test_posting_to_what_cannot_be_booked_is_not_found(
    visitor: Visitor, session: AsyncSession, subtests: pytest.Subtests
) -> None:
    await make_calendar(session, slug="attic")
    await session.commit()

    for path in ("/calendars/attic/book/2026-11-30/", "/calendars/nowhere/book/2026-11-30/", f"{MONTH}2026-02-30/"):
        with subtests.test(path=path):
            assert (await visitor.post(path, ticks(hour(0)))).status == 404


@pytest.mark.usefixtures("hall")
async def test_who_books_too_often_is_asked_to_wait_and_may_still_look(visitor: Visitor) -> None:
    answers = [(await visitor.post(DAY, [])).status for _ in range(40)]

    assert answers[:30] == [422] * 30
    assert 429 in answers[30:]  # a slow machine is allowed one more every two seconds
    assert (await visitor.get(DAY)).status == 200
