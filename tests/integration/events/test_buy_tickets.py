"""Pressing Buy: what goes into the cart, and what is refused."""

from __future__ import annotations

from datetime import datetime, tzinfo
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from quart import Quart
from sqlalchemy.ext.asyncio import AsyncSession

from shared.models import CalendarEntry, TicketType
from tests.factories.calendar import days_from_now, make_calendar, make_entry, make_type
from tests.factories.tickets import make_tickets
from tests.integration.events.conftest import SignIn, states_of
from tests.support.visitor import Visitor

BUY = "/tickets/buy/"
TIMES = "\u00d7"
NOTICE = "If the event sells out before payment, you will be refunded."


@pytest.fixture
async def play(session: AsyncSession) -> CalendarEntry:
    """An event with one price."""
    made = await make_entry(session, await make_calendar(session), price="9.00", max_per_order=8)
    await session.commit()
    return made


@pytest.fixture
async def concert(session: AsyncSession) -> tuple[CalendarEntry, TicketType, TicketType]:
    """An event with two ticket types."""
    entry = await make_entry(session, await make_calendar(session), name="Concert", max_per_order=8)
    adult = await make_type(session, entry, "Adult", "12.50", position=1)
    child = await make_type(session, entry, "Child", "0.00", position=2)
    await session.commit()
    return entry, adult, child


def rows(entry: CalendarEntry, *typed: tuple[TicketType, str]) -> list[tuple[str, str]]:
    """Give what the form sends for several types at once."""
    body = [("entry_id", str(entry.id))]
    for kind, quantity in typed:
        body += [("ticket_type_id", str(kind.id)), ("quantity", quantity)]
    return body


async def test_a_bought_ticket_is_pending(ada: Visitor, session: AsyncSession, play: CalendarEntry) -> None:
    answer = await ada.post(BUY, {"entry_id": str(play.id), "quantity": "2"})

    assert answer.status == 303
    assert await states_of(session, ada.id) == [(None, "pending"), (None, "pending")]


async def test_the_form_of_the_page_itself_can_be_sent(
    ada: Visitor, session: AsyncSession, concert: tuple[CalendarEntry, TicketType, TicketType]
) -> None:
    entry, adult, child = concert
    page = await ada.get(f"/entries/{entry.id}/")
    typed = iter(["2", "1"])
    body = [
        (
            str(node.attributes["name"]),
            next(typed) if node.attributes["name"] == "quantity" else str(node.attributes["value"]),
        )
        for node in page.html.css("form[method=post] input")
    ]

    answer = await ada.post(str(page.attribute("form[method=post]", "action")), body)

    assert answer.status == 303
    assert await states_of(session, ada.id) == [(adult.id, "pending")] * 2 + [(child.id, "pending")]


async def test_the_result_says_what_was_added_and_reloading_it_adds_nothing(
    ada: Visitor, session: AsyncSession, concert: tuple[CalendarEntry, TicketType, TicketType]
) -> None:
    entry, adult, child = concert
    body = rows(entry, (adult, "2"), (child, "1"))
    answer = await ada.post(BUY, body)

    page = await ada.get(answer.headers["Location"])
    await ada.get(answer.headers["Location"])

    assert page.text("#buy-title") == "Added to cart"
    assert page.texts("#buy .line__title") == [f"2 {TIMES} Adult", f"1 {TIMES} Child"]
    assert page.texts("#buy .price") == ["£25.00", "Free", "£25.00"]
    assert page.text("#buy .notice--info") == NOTICE
    assert page.html.css_first("#buy a.btn").attributes["href"] == "http://localhost:8002/"
    assert len(await states_of(session, ada.id)) == 3


async def test_the_result_claims_no_more_than_the_cart_holds(ada: Visitor, play: CalendarEntry) -> None:
    await ada.post(BUY, {"entry_id": str(play.id), "quantity": "2"})

    more = await ada.get(f"/entries/{play.id}/added/?quantity=7")

    assert more.texts("#buy .line__title") == [f"2 {TIMES} Ticket"]


async def test_the_result_tells_of_this_time_alone(ada: Visitor, play: CalendarEntry) -> None:
    await ada.post(BUY, {"entry_id": str(play.id), "quantity": "2"})

    again = await ada.post(BUY, {"entry_id": str(play.id), "quantity": "1"})

    page = await ada.get(again.headers["Location"])
    assert page.texts("#buy .line__title") == [f"1 {TIMES} Ticket"]


async def test_the_result_of_nothing_leads_back_to_the_event(ada: Visitor, play: CalendarEntry) -> None:
    answer = await ada.get(f"/entries/{play.id}/added/?quantity=7")

    assert (answer.status, answer.headers["Location"]) == (303, f"/entries/{play.id}/")


async def test_htmx_gets_the_result_in_the_forms_place(
    ada: Visitor, session: AsyncSession, play: CalendarEntry
) -> None:
    part = await ada.post(BUY, {"entry_id": str(play.id), "quantity": "2"}, htmx=True)

    assert part.status == 200
    assert not part.has("header")
    assert part.text("#buy #buy-title") == "Added to cart"
    assert part.text("#buy .line__title") == f"2 {TIMES} Ticket"
    assert part.text("#buy .notice--info") == NOTICE
    assert part.attribute("#buy [hx-get='/cart-badge']", "hx-target") == "#cart-mini"
    assert len(await states_of(session, ada.id)) == 2


async def test_a_sold_out_event_still_takes_tickets_into_the_cart(
    ada: Visitor, session: AsyncSession, sign_in: SignIn
) -> None:
    grace = await sign_in("grace@maypole.example")
    entry = await make_entry(session, await make_calendar(session), price="9.00", capacity=1)
    await make_tickets(session, entry, user_id=grace.id)
    await session.commit()

    part = await ada.post(BUY, {"entry_id": str(entry.id), "quantity": "1"}, htmx=True)

    assert part.status == 200
    assert await states_of(session, ada.id) == [(None, "pending")]
    assert part.text("#buy .line__title + p .tag") == "Sold out right now"


async def test_a_type_of_which_none_is_wanted_is_left_out(
    ada: Visitor, session: AsyncSession, concert: tuple[CalendarEntry, TicketType, TicketType]
) -> None:
    entry, adult, child = concert
    body = rows(entry, (adult, "0"), (child, " 1 "))

    await ada.post(BUY, body)

    assert await states_of(session, ada.id) == [(child.id, "pending")]


# --- Not signed in ---


async def test_who_is_not_signed_in_is_asked_to_and_the_choice_is_kept(
    visitor: Visitor, ada: Visitor, concert: tuple[CalendarEntry, TicketType, TicketType]
) -> None:
    entry, adult, child = concert
    body = rows(entry, (adult, "2"), (child, "1"))

    answer = await visitor.post(BUY, body)

    assert answer.status == 401
    assert answer.text("#buy a") == "Sign in to buy tickets"
    assert answer.texts("#buy .line__title") == [f"2 {TIMES} Adult", f"1 {TIMES} Child"]
    link = urlsplit(answer.attribute("#buy a", "href") or "")
    assert f"{link.scheme}://{link.netloc}{link.path}" == "http://localhost:8000/auth/sign-in"
    back = parse_qs(link.query)["next"][0]
    assert back == f"http://localhost:8003/entries/{entry.id}/?t-{adult.id}=2&t-{child.id}=1"
    form = await ada.get(back.removeprefix("http://localhost:8003"))
    assert [node.attributes["value"] for node in form.html.css("input.qty")] == ["2", "1"]


async def test_a_choice_that_makes_no_sense_is_not_kept(
    visitor: Visitor, play: CalendarEntry, subtests: pytest.Subtests
) -> None:
    for quantity in ("x", "-1", "0", "", "9" * 5000):
        with subtests.test(quantity=quantity[:40]):
            answer = await visitor.post(BUY, {"entry_id": str(play.id), "quantity": quantity}, htmx=True)

            assert answer.status == 401
            assert not answer.has("header")
            back = parse_qs(urlsplit(answer.attribute("#buy a", "href") or "").query)["next"]
            assert back == [f"http://localhost:8003/entries/{play.id}/"]


async def test_another_sites_form_buys_nothing(ada: Visitor, session: AsyncSession, play: CalendarEntry) -> None:
    response = await ada.client.post(
        BUY, form={"entry_id": str(play.id), "quantity": "1"}, headers={"Origin": "https://evil.example"}
    )

    assert response.status_code == 403
    assert await states_of(session, ada.id) == []


# --- Refused ---

NUMBERS = ["-1", "1.5", "1e3", "two", "+2", "0x10", "²", "\uff12", "NaN", "1 2", "1\x00", "<b>", "' OR 1=1 --"]


async def test_what_is_no_number_is_refused_and_kept(
    ada: Visitor, session: AsyncSession, play: CalendarEntry, subtests: pytest.Subtests
) -> None:
    for typed in NUMBERS:
        with subtests.test(typed=typed):
            answer = await ada.post(BUY, {"entry_id": str(play.id), "quantity": typed})

            assert answer.status == 422
            assert answer.texts(".error-summary li") == ["Ticket: Enter a whole number, such as 2."]
            assert answer.text(".field__error") == "Enter a whole number, such as 2."
            assert answer.attribute("input.qty", "aria-invalid") == "true"
            assert answer.attribute("input.qty", "value") == typed.replace("\x00", "\ufffd")

    assert await states_of(session, ada.id) == []


async def test_more_than_one_order_may_have_is_refused_and_kept(
    ada: Visitor, session: AsyncSession, play: CalendarEntry, subtests: pytest.Subtests
) -> None:
    for typed in ("9", "1000000000", "9" * 30, "9" * 5000):
        with subtests.test(typed=typed[:40]):
            answer = await ada.post(BUY, {"entry_id": str(play.id), "quantity": typed}, htmx=True)

            assert answer.status == 422
            assert answer.texts(".error-summary a") == ["You can buy at most 8 tickets for The Tempest at once."]
            assert answer.attribute("input.qty", "value") == typed

    assert await states_of(session, ada.id) == []


async def test_the_limit_counts_what_is_in_the_cart_and_all_types(
    ada: Visitor, session: AsyncSession, concert: tuple[CalendarEntry, TicketType, TicketType]
) -> None:
    entry, adult, child = concert
    first = {"entry_id": str(entry.id), "ticket_type_id": str(adult.id), "quantity": "6"}
    assert (await ada.post(BUY, first)).status == 303

    answer = await ada.post(BUY, {**first, "ticket_type_id": str(child.id), "quantity": "3"})

    assert answer.status == 422
    assert "6 in your cart already" in answer.text(".error-summary")
    assert len(await states_of(session, ada.id)) == 6


async def test_nothing_chosen_is_said(
    ada: Visitor, session: AsyncSession, play: CalendarEntry, subtests: pytest.Subtests
) -> None:
    bodies: list[dict[str, str]] = [{"quantity": "0"}, {"quantity": ""}, {}]
    for body in bodies:
        with subtests.test(body=body):
            answer = await ada.post(BUY, {"entry_id": str(play.id), **body})

            assert answer.status == 422
            assert answer.texts(".error-summary li") == ["Choose at least one ticket."]

    assert await states_of(session, ada.id) == []


async def test_nothing_chosen_of_several_types_is_said(
    ada: Visitor, concert: tuple[CalendarEntry, TicketType, TicketType]
) -> None:
    entry, adult, child = concert

    answer = await ada.post(BUY, rows(entry, (adult, "0"), (child, "0")))

    assert (answer.status, answer.texts(".error-summary li")) == (422, ["Choose at least one ticket."])


async def test_an_unknown_type_is_refused(
    ada: Visitor,
    session: AsyncSession,
    concert: tuple[CalendarEntry, TicketType, TicketType],
    subtests: pytest.Subtests,
) -> None:
    for type_id in ("0", "-1", "999999", "x", "1.5", "9" * 40, "9223372036854775807", "\x00"):
        with subtests.test(type_id=type_id):
            body = {"entry_id": str(concert[0].id), "ticket_type_id": type_id, "quantity": "1"}
            answer = await ada.post(BUY, body)

            assert answer.status == 422
            assert answer.texts(".error-summary li") == ["Please choose one of this event's tickets."]

    assert await states_of(session, ada.id) == []


async def test_a_type_of_another_event_is_refused(
    ada: Visitor, session: AsyncSession, play: CalendarEntry, concert: tuple[CalendarEntry, TicketType, TicketType]
) -> None:
    body = {"entry_id": str(play.id), "ticket_type_id": str(concert[1].id), "quantity": "1"}

    assert (await ada.post(BUY, body)).status == 422
    assert await states_of(session, ada.id) == []


async def test_types_cannot_be_left_out_where_there_are_some(
    ada: Visitor, session: AsyncSession, concert: tuple[CalendarEntry, TicketType, TicketType]
) -> None:
    assert (await ada.post(BUY, {"entry_id": str(concert[0].id), "quantity": "1"})).status == 422
    assert await states_of(session, ada.id) == []


async def test_one_bad_row_refuses_all_and_keeps_the_others(
    ada: Visitor, session: AsyncSession, concert: tuple[CalendarEntry, TicketType, TicketType]
) -> None:
    entry, adult, child = concert
    body = rows(entry, (adult, "2"), (child, "lots"))

    answer = await ada.post(BUY, body)

    assert answer.status == 422
    assert answer.texts(".error-summary li") == ["Child: Enter a whole number, such as 2."]
    assert answer.attribute(".error-summary a", "href") == f"#f-quantity-{child.id}"
    assert [node.attributes["value"] for node in answer.html.css("input.qty")] == ["2", "lots"]
    assert await states_of(session, ada.id) == []


async def test_pairs_that_do_not_match_are_refused(
    ada: Visitor,
    session: AsyncSession,
    concert: tuple[CalendarEntry, TicketType, TicketType],
    subtests: pytest.Subtests,
) -> None:
    entry, adult, _child = concert
    kind, one = ("ticket_type_id", str(adult.id)), ("quantity", "1")
    for rows in ([kind, kind], [kind, kind, one], [kind, one, one], [kind, one, kind, one], [one, one], [one] * 500):
        with subtests.test(rows=rows[:4]):
            answer = await ada.post(BUY, [("entry_id", str(entry.id)), *rows])

            assert answer.status == 422
            assert answer.text(".error-summary li").startswith("The form did not arrive complete.")

    assert await states_of(session, ada.id) == []


@pytest.mark.parametrize(
    ("times", "words"),
    [
        ({"start_at": days_from_now(-2)}, "over"),
        ({"sale_starts_at": days_from_now(2)}, "not on sale yet"),
        ({"sale_ends_at": days_from_now(-2)}, "has ended"),
        ({"price": None}, "no tickets"),
    ],
)
async def test_what_is_not_on_sale_is_refused(
    ada: Visitor, session: AsyncSession, times: dict[str, Any], words: str
) -> None:
    entry = await make_entry(session, await make_calendar(session), **{"price": "9.00", **times})
    await session.commit()

    answer = await ada.post(BUY, {"entry_id": str(entry.id), "quantity": "1"})

    assert answer.status == 422
    assert words in answer.text(".error-summary li")
    assert await states_of(session, ada.id) == []


async def test_an_unknown_event_is_not_found(ada: Visitor, subtests: pytest.Subtests) -> None:
    for entry_id in ("99", "0", "-1", "x", "1.5", "9223372036854775808", "9" * 5000, "\x00"):
        with subtests.test(entry_id=entry_id[:40]):
            assert (await ada.post(BUY, {"entry_id": entry_id, "quantity": "1"})).status == 404


async def test_a_form_without_its_event_is_refused(ada: Visitor, subtests: pytest.Subtests) -> None:
    bodies: list[dict[str, str]] = [{}, {"entry_id": ""}, {"entry_id": " "}]
    for body in bodies:
        with subtests.test(body=body):
            assert (await ada.post(BUY, {"quantity": "1", **body})).status == 422


async def test_an_event_off_the_programme_is_not_found(ada: Visitor, session: AsyncSession) -> None:
    entry = await make_entry(session, await make_calendar(session), price="9.00", state="cancelled")
    await session.commit()

    assert (await ada.post(BUY, {"entry_id": str(entry.id), "quantity": "1"})).status == 404


class Standstill(datetime):
    """A clock that stands: the limit refunds one more every two seconds, and a slow machine takes that long."""

    @classmethod
    def now(cls, tz: tzinfo | None = None) -> Standstill:
        return cls(2026, 5, 1, 12, tzinfo=tz)


async def test_who_buys_too_often_is_asked_to_wait(
    app: Quart, ada: Visitor, play: CalendarEntry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("quart_rate_limiter.datetime", Standstill)
    body = {"entry_id": str(play.id), "quantity": "0"}
    answers = [(await ada.post(BUY, body)).status for _ in range(31)]

    assert answers == [422] * 30 + [429]
    assert (await ada.get(f"/entries/{play.id}/")).status == 200
