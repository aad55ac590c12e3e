"""One's own tickets, and nobody else's."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from shared.models import CalendarEntry, Ticket
from tests.factories.calendar import days_from_now, make_calendar, make_entry, make_type
from tests.factories.tickets import make_tickets
from tests.integration.events.conftest import SignIn
from tests.support.queries import counted_queries
from tests.support.visitor import Visitor


@pytest.fixture
async def play(session: AsyncSession) -> CalendarEntry:
    """An event to come."""
    made = await make_entry(session, await make_calendar(session), price="9.00")
    await session.commit()
    return made


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


async def test_what_is_in_the_cart_is_no_ticket_yet(ada: Visitor, session: AsyncSession, play: CalendarEntry) -> None:
    await make_tickets(session, play, user_id=ada.id, state="pending")
    await session.commit()

    page = await ada.get("/tickets/")

    assert page.text(".empty__title") == "No tickets for anything to come"
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


async def test_the_number_of_queries_does_not_grow_with_the_tickets(
    ada: Visitor, session: AsyncSession, play: CalendarEntry
) -> None:
    counts = []
    for size in (1, 8):
        await make_tickets(session, play, user_id=ada.id, quantity=size)
        await session.commit()
        with counted_queries(every=True) as statements:
            await ada.get("/tickets/")
        counts.append(len(statements))

    assert counts == [2, 2]  # whose session it is, and the tickets
