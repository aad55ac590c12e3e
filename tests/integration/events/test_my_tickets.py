"""One's own tickets and bookings, and nobody else's."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from shared.contracts.owner import CartOwner
from shared.models import CalendarEntry, Ticket
from tests.factories.bookings import make_booking
from tests.factories.calendar import days_from_now, make_calendar, make_entry, make_rule, make_type
from tests.factories.tickets import make_tickets
from tests.fakes.payments import MovableClock
from tests.integration.events.conftest import SignIn
from tests.support.desk import Desk, Span
from tests.support.queries import counted_queries
from tests.support.visitor import Visitor

TIMES = "\u00d7"


@pytest.fixture
async def play(session: AsyncSession) -> CalendarEntry:
    """An event to come."""
    made = await make_entry(session, await make_calendar(session), price="9.00")
    await session.commit()
    return made


@pytest.fixture
def desk(session: AsyncSession) -> Desk:
    """The booking desk, today."""
    return Desk(session, MovableClock(datetime.now(UTC)))


def hour_in(days: int) -> Span:
    """Give an hour of a morning some days from now."""
    start = days_from_now(days, hour=10, minute=0)
    return start, start + timedelta(hours=1)


async def had_once(session: AsyncSession, entry: CalendarEntry, user_id: int, state: str) -> Ticket:
    """Make a ticket that was good once: it keeps its code, so that its page can be asked for."""
    (ticket,) = await make_tickets(session, entry, user_id=user_id)
    ticket.state = state
    await session.flush()
    return ticket


async def test_tickets_are_grouped_by_what_is_to_come(ada: Visitor, session: AsyncSession) -> None:
    calendar = await make_calendar(session)
    for name, day in (("Next month", 30), ("Tomorrow", 1), ("Last week", -7), ("Last year", -365)):
        entry = await make_entry(session, calendar, name=name, start_at=days_from_now(day))
        kind = await make_type(session, entry, "Adult")
        await make_tickets(session, entry, user_id=ada.id, ticket_type=kind)
    await session.commit()

    page = await ada.get("/tickets/")

    assert page.texts("section[aria-labelledby=upcoming] .ticket h3") == ["Tomorrow", "Next month"]
    assert page.texts("section[aria-labelledby=past] .line__title") == ["Last week", "Last year"]


@pytest.mark.parametrize(
    ("state", "words"), [("reserved", "Awaiting payment"), ("confirmed", "Confirmed"), ("checked_in", "Checked in")]
)
async def test_a_ticket_says_its_state_in_words(
    ada: Visitor, session: AsyncSession, play: CalendarEntry, state: str, words: str
) -> None:
    (ticket,) = await make_tickets(session, play, user_id=ada.id, state=state)
    await session.commit()

    page = await ada.get("/tickets/")

    assert page.text("section[aria-labelledby=upcoming] .ticket .tag") == words
    good = state != "reserved"
    assert page.texts(".ticket__code") == ([str(ticket.code)] if good else [])
    assert page.has(".ticket__qr svg") == good
    assert page.has(f"a[href='/tickets/{ticket.code}/']") == good
    assert page.has(f"a[href='http://localhost:8002/orders/{ticket.order_id}/']")
    assert not page.has("section[aria-labelledby=void]")


@pytest.mark.parametrize(
    ("state", "words"),
    [("oversold", "Sold out, money owed to you"), ("refunded", "Refunded"), ("cancelled", "Cancelled")],
)
async def test_a_ticket_that_lets_nobody_in_stands_apart_and_says_why(
    ada: Visitor, session: AsyncSession, play: CalendarEntry, state: str, words: str
) -> None:
    ticket = await had_once(session, play, ada.id, state)
    good, _ = await make_tickets(session, play, user_id=ada.id, quantity=2)
    await session.commit()

    page = await ada.get("/tickets/")

    assert good.code in page.texts("section[aria-labelledby=upcoming] .ticket__code")
    assert len(page.html.css(".ticket")) == 2
    assert page.texts("section[aria-labelledby=void] .line__title") == ["The Tempest"]
    assert page.text("section[aria-labelledby=void] .tag") == words
    assert page.has(f"section[aria-labelledby=void] a[href='http://localhost:8002/orders/{ticket.order_id}/']")
    assert not page.has(f"a[href='/tickets/{ticket.code}/']")


async def test_a_past_ticket_says_what_became_of_it(ada: Visitor, session: AsyncSession) -> None:
    entry = await make_entry(session, await make_calendar(session), price="1.00", start_at=days_from_now(-3))
    for state in ("confirmed", "checked_in", "refunded"):
        await make_tickets(session, entry, user_id=ada.id, state=state)
    await session.commit()

    page = await ada.get("/tickets/")

    assert page.texts("section[aria-labelledby=past] .tag") == ["Not used", "Checked in", "Refunded"]
    assert not page.has("section[aria-labelledby=void]")


async def test_bookings_stand_among_the_tickets_in_the_order_of_time(ada: Visitor, session: AsyncSession) -> None:
    calendar = await make_calendar(session, name="The hall", place="Mill Lane 2")
    for name, day in (("A concert", 20), ("A play", 2), ("A reading", -9)):
        entry = await make_entry(session, calendar, name=name, price="9.00", start_at=days_from_now(day))
        await make_tickets(session, entry, user_id=ada.id)
    for name, day in (("An hour", 9), ("A morning", 1), ("An evening", -2)):
        await make_booking(session, calendar, user_id=ada.id, name=name, state="confirmed", start_at=days_from_now(day))
    await session.commit()

    page = await ada.get("/tickets/")

    assert page.texts("section[aria-labelledby=upcoming] h3") == ["A morning", "A play", "An hour", "A concert"]
    assert page.texts("section[aria-labelledby=past] .line__title") == ["An evening", "A reading"]


@pytest.mark.parametrize(
    ("state", "section", "words"),
    [
        ("ordered", "upcoming", "Awaiting payment"),
        ("provisional", "upcoming", "Waits for the organiser\u2019s answer"),
        ("confirmed", "upcoming", "Confirmed"),
        ("declined", "void", "Declined"),
        ("cancelled", "void", "Cancelled"),
    ],
)
async def test_a_booking_says_when_it_is_and_its_state_in_words_and_leads_to_its_order(
    ada: Visitor, session: AsyncSession, state: str, section: str, words: str
) -> None:
    hall = await make_calendar(session, name="The hall")
    start = datetime(2031, 7, 7, 9, tzinfo=UTC)
    made = await make_booking(session, hall, user_id=ada.id, state=state, start_at=start)
    await session.commit()

    page = await ada.get("/tickets/")

    assert page.texts("section[aria-labelledby]") == page.texts(f"section[aria-labelledby={section}]")
    shown = page.text(f"section[aria-labelledby={section}] li")
    assert "The room for an hour" in shown
    assert "The hall" in shown
    assert page.text("li time") == "Mon 7 Jul 2031, 10:00 to 11:00"
    assert page.text("li .tag") == words
    assert page.has(f"li a[href='http://localhost:8002/orders/{made.order.id}/']")


async def test_places_of_one_time_are_one_booking_unless_they_stand_differently(
    ada: Visitor, session: AsyncSession, desk: Desk
) -> None:
    workshop = await make_calendar(session, name="The workshop")
    await make_rule(session, workshop, "A place", places=3)
    order_id = await desk.book(CartOwner.of_user(ada.id), workshop, hour_in(2), hour_in(3), places=3)
    first, *_ = await desk.entries(order_id)
    await desk.calendar.cancel_entries(session, order_id, [first.id])
    await session.commit()

    page = await ada.get("/tickets/")

    assert page.texts("section[aria-labelledby=upcoming] h3") == [f"2 {TIMES} A place", f"3 {TIMES} A place"]
    assert page.texts("section[aria-labelledby=void] .line__title") == ["A place"]


async def test_a_booking_is_shown_to_nobody_else_and_not_while_it_is_in_a_cart(
    sign_in: SignIn, session: AsyncSession, desk: Desk
) -> None:
    ada, grace = await sign_in("ada@maypole.example"), await sign_in("grace@maypole.example")
    hall = await make_calendar(session, name="The hall")
    await make_rule(session, hall)
    await desk.book(CartOwner.of_user(ada.id), hall, hour_in(2))
    await desk.add(CartOwner.of_user(grace.id), hall, hour_in(3))
    await session.commit()

    assert (await ada.get("/tickets/")).texts("h3") == ["An hour of the hall"]
    assert (await grace.get("/tickets/")).texts("h3, .lines li") == []


async def test_what_is_in_the_cart_is_no_ticket_yet(ada: Visitor, session: AsyncSession, play: CalendarEntry) -> None:
    await make_tickets(session, play, user_id=ada.id, state="pending")
    await session.commit()

    page = await ada.get("/tickets/")

    assert page.text(".empty__title") == "No tickets or bookings for anything to come"
    assert not page.has(".ticket")


async def test_one_ticket_can_be_shown_at_the_door(ada: Visitor, session: AsyncSession, play: CalendarEntry) -> None:
    (ticket,) = await make_tickets(session, play, user_id=ada.id)
    await session.commit()

    page = await ada.get(f"/tickets/{ticket.code}/")

    assert page.status == 200
    assert page.text(".ticket__code") == ticket.code
    assert page.attribute(".ticket__qr svg", "aria-label") == f"QR code {ticket.code}"
    assert page.text("[data-print]") == "Print this ticket"
    assert not page.has(".notice")


@pytest.mark.parametrize(("state", "words"), [("cancelled", "Cancelled"), ("refunded", "Refunded")])
async def test_a_ticket_that_lets_nobody_in_says_so_and_is_not_to_be_printed(
    ada: Visitor, session: AsyncSession, play: CalendarEntry, state: str, words: str
) -> None:
    ticket = await had_once(session, play, ada.id, state)
    await session.commit()

    page = await ada.get(f"/tickets/{ticket.code}/")

    assert page.texts(".notice p") == ["This ticket is not valid", f"{words}: nobody is let in with it."]
    assert not page.has("[data-print], .ticket__qr, .ticket__code")


@pytest.mark.parametrize(("email", "status"), [("ada@maypole.example", 200), ("grace@maypole.example", 404)])
async def test_a_ticket_is_shown_to_its_owner_alone(
    sign_in: SignIn, session: AsyncSession, play: CalendarEntry, email: str, status: int
) -> None:
    owner = await sign_in("ada@maypole.example")
    (ticket,) = await make_tickets(session, play, user_id=owner.id)
    await session.commit()
    person = await sign_in(email)

    assert (await person.get(f"/tickets/{ticket.code}/")).status == status
    assert (await person.get("/tickets/")).has(".ticket__code") == (status == 200)


async def test_an_unknown_code_is_not_found(
    ada: Visitor, session: AsyncSession, play: CalendarEntry, subtests: pytest.Subtests
) -> None:
    await make_tickets(session, play, user_id=ada.id, state="reserved")  # it has no code at all
    await session.commit()

    for code in ("None", "nothing", "%00", "a" * 4000, "%E2%80%AE"):
        with subtests.test(code=code[:40]):
            assert (await ada.get(f"/tickets/{code}/")).status == 404


async def test_who_is_not_signed_in_is_sent_to_sign_in_and_back(visitor: Visitor, subtests: pytest.Subtests) -> None:
    for path in ("/tickets/", "/tickets/SOMECODE/", "/entries/1/added/?quantity=2"):
        with subtests.test(path=path):
            answer = await visitor.get(path)

            assert answer.status == 303
            link = urlsplit(answer.headers["Location"])
            assert link.path == "/auth/sign-in"
            assert parse_qs(link.query)["next"] == [f"http://localhost:8003{path}"]


async def test_the_number_of_queries_does_not_grow_with_the_tickets_and_bookings(
    ada: Visitor, session: AsyncSession, play: CalendarEntry
) -> None:
    counts = []
    for size in (1, 8):
        await make_tickets(session, play, user_id=ada.id, quantity=size)
        for number in range(size):
            hall = await make_calendar(session)
            await make_booking(session, hall, user_id=ada.id, start_at=days_from_now(number + 2))
        await session.commit()
        with counted_queries(every=True) as statements:
            page = await ada.get("/tickets/")
        counts.append(len(statements))

    assert len(page.html.css(".ticket")) == 2 * (1 + 8)
    assert counts == [3, 3]  # whose session it is, the tickets, and the bookings
