"""The page of an event: its tickets as a form, or the reason why there is none."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from tests.factories.calendar import days_from_now, make_calendar, make_entry, make_type
from tests.factories.tickets import make_tickets
from tests.support.queries import counted_queries
from tests.support.visitor import Answer, Visitor

FORM = "form[action='/tickets/buy/']"


def fields(page: Answer) -> list[tuple[str | None, str | None, str | None]]:
    """Return name, value and largest value of the form's fields, in their order."""
    inputs = page.html.css(f"{FORM} input")
    return [(i.attributes.get("name"), i.attributes.get("value"), i.attributes.get("max")) for i in inputs]


async def test_a_form_has_one_row_for_each_type(ada: Visitor, session: AsyncSession) -> None:
    entry = await make_entry(session, await make_calendar(session), max_per_order=6)
    adult = await make_type(session, entry, "Adult", "12.50", position=1)
    free = await make_type(session, entry, "Under 5", "0.00", position=2)
    await session.commit()

    page = await ada.get(f"/entries/{entry.id}/")

    assert page.status == 200
    assert page.texts(f"{FORM} .line__title") == ["Adult £12.50", "Under 5 Free"]
    assert fields(page) == [
        ("entry_id", str(entry.id), None),
        ("ticket_type_id", str(adult.id), None),
        ("quantity", "0", "6"),
        ("ticket_type_id", str(free.id), None),
        ("quantity", "0", "6"),
    ]
    assert page.text(f"{FORM} button") == "Buy tickets"


async def test_a_type_without_a_price_has_the_entrys(ada: Visitor, session: AsyncSession) -> None:
    entry = await make_entry(session, await make_calendar(session), price="9.00")
    await make_type(session, entry, "Adult", None)
    await session.commit()

    assert (await ada.get(f"/entries/{entry.id}/")).texts(f"{FORM} .line__title") == ["Adult £9.00"]


async def test_one_price_has_one_quantity(ada: Visitor, session: AsyncSession) -> None:
    entry = await make_entry(session, await make_calendar(session), price="9.00")
    await session.commit()

    page = await ada.get(f"/entries/{entry.id}/")

    assert fields(page) == [("entry_id", str(entry.id), None), ("quantity", "1", "20")]
    assert page.text(f"{FORM} .price") == "£9.00"


async def test_every_field_has_its_own_label(ada: Visitor, session: AsyncSession) -> None:
    entry = await make_entry(session, await make_calendar(session))
    for name in ("Adult", "Child"):
        await make_type(session, entry, name)
    await session.commit()

    page = await ada.get(f"/entries/{entry.id}/")

    ids = [node.attributes["id"] for node in page.html.css(f"{FORM} input.qty")]
    assert len(set(ids)) == 2
    assert [node.attributes["for"] for node in page.html.css(f"{FORM} label")] == ids


async def test_who_is_not_signed_in_reads_the_prices_and_is_led_to_the_sign_in_page(
    visitor: Visitor, session: AsyncSession
) -> None:
    entry = await make_entry(session, await make_calendar(session))
    adult = await make_type(session, entry, "Adult", "12.50")
    await session.commit()

    page = await visitor.get(f"/entries/{entry.id}/?t-{adult.id}=2")

    assert not page.has("form")
    assert page.texts("#buy .line__title") == ["Adult"]
    assert page.text("#buy a") == "Sign in to buy tickets"
    link = urlsplit(page.attribute("#buy a", "href") or "")
    assert link.path == "/auth/sign-in"
    assert parse_qs(link.query)["next"] == [f"http://localhost:8003/entries/{entry.id}/?t-{adult.id}=2"]


async def test_a_kept_choice_fills_in_the_form(ada: Visitor, session: AsyncSession) -> None:
    entry = await make_entry(session, await make_calendar(session))
    adult = await make_type(session, entry, "Adult", position=1)
    child = await make_type(session, entry, "Child", position=2)
    await session.commit()

    page = await ada.get(f"/entries/{entry.id}/?t-{adult.id}=2&t-{child.id}=<script>&t-99=4&quantity=7")

    assert [node.attributes["value"] for node in page.html.css(f"{FORM} input.qty")] == ["2", "0"]


async def test_a_kept_choice_of_the_one_price_fills_in_the_form(ada: Visitor, session: AsyncSession) -> None:
    entry = await make_entry(session, await make_calendar(session), price="9.00")
    await session.commit()

    page = await ada.get(f"/entries/{entry.id}/?quantity=4")

    assert page.attribute(f"{FORM} input.qty", "value") == "4"


async def test_a_sold_out_event_has_no_buy_button(ada: Visitor, session: AsyncSession) -> None:
    entry = await make_entry(session, await make_calendar(session), price="9.00", capacity=2)
    await make_tickets(session, entry, user_id=ada.id, quantity=2)
    await session.commit()

    page = await ada.get(f"/entries/{entry.id}/")

    assert page.text("#buy .tag") == "Sold out"
    assert not page.has("form")
    assert not page.has("#buy button")


async def test_an_event_is_sold_out_when_each_of_its_types_is(ada: Visitor, session: AsyncSession) -> None:
    entry = await make_entry(session, await make_calendar(session))
    only = await make_type(session, entry, "Adult", capacity=1)
    await make_tickets(session, entry, user_id=ada.id, ticket_type=only)
    await session.commit()

    page = await ada.get(f"/entries/{entry.id}/")

    assert page.text("#buy .tag") == "Sold out"
    assert not page.has("form")


async def test_a_sold_out_type_has_no_field_and_the_others_do(ada: Visitor, session: AsyncSession) -> None:
    entry = await make_entry(session, await make_calendar(session), capacity=100)
    stalls = await make_type(session, entry, "Stalls", capacity=1, position=1)
    circle = await make_type(session, entry, "Circle", capacity=4, position=2)
    await make_tickets(session, entry, user_id=ada.id, ticket_type=stalls)
    await make_tickets(session, entry, user_id=ada.id, ticket_type=circle)
    await session.commit()

    page = await ada.get(f"/entries/{entry.id}/")

    assert page.texts(f"{FORM} .tag") == ["Sold out", "3 left"]
    assert fields(page)[1:] == [("ticket_type_id", str(circle.id), None), ("quantity", "0", "3")]


async def test_a_type_whose_time_is_over_has_no_field(ada: Visitor, session: AsyncSession) -> None:
    entry = await make_entry(session, await make_calendar(session))
    await make_type(session, entry, "Early bird", sale_ends_at=days_from_now(-1), position=1)
    full = await make_type(session, entry, "Full price", position=2)
    await session.commit()

    page = await ada.get(f"/entries/{entry.id}/")

    assert page.texts(f"{FORM} .tag") == ["Sale has ended"]
    assert fields(page)[1:] == [("ticket_type_id", str(full.id), None), ("quantity", "0", "20")]


async def test_tickets_in_carts_take_no_seat(ada: Visitor, session: AsyncSession) -> None:
    entry = await make_entry(session, await make_calendar(session), price="9.00", capacity=3)
    await make_tickets(session, entry, user_id=ada.id, state="pending", quantity=3)
    await session.commit()

    page = await ada.get(f"/entries/{entry.id}/")

    assert page.text("#buy .spread .tag") == "3 left"
    assert page.has(FORM)


@pytest.mark.parametrize(
    ("times", "words"),
    [
        ({"start_at": days_from_now(-2)}, "This event is over."),
        ({"sale_starts_at": days_from_now(2)}, "Tickets go on sale on"),
        ({"sale_ends_at": days_from_now(-2)}, "The sale of tickets has ended."),
    ],
)
async def test_an_event_that_is_not_on_sale_says_why(
    ada: Visitor, session: AsyncSession, times: dict[str, Any], words: str
) -> None:
    entry = await make_entry(session, await make_calendar(session), price="9.00", **times)
    await session.commit()

    page = await ada.get(f"/entries/{entry.id}/")

    assert not page.has("form")
    assert any(text.startswith(words) for text in page.texts("#buy > p"))


async def test_an_event_without_tickets_says_so(ada: Visitor, session: AsyncSession) -> None:
    entry = await make_entry(session, await make_calendar(session))
    await session.commit()

    assert (await ada.get(f"/entries/{entry.id}/")).text("#buy > p") == "No tickets are sold for this event."


async def test_text_of_an_organiser_is_shown_as_text(ada: Visitor, session: AsyncSession) -> None:
    entry = await make_entry(
        session, await make_calendar(session), name="<b>Bold</b>", description="<script>alert(1)</script>"
    )
    await session.commit()

    page = await ada.get(f"/entries/{entry.id}/")

    assert page.text("h1") == "<b>Bold</b>"
    assert page.text(".prose") == "<script>alert(1)</script>"


async def test_a_span_names_the_second_day_only_where_there_is_one(ada: Visitor, session: AsyncSession) -> None:
    calendar = await make_calendar(session, time_zone="Etc/UTC")
    evening = await make_entry(session, calendar, start_at=days_from_now(4))
    festival = await make_entry(session, calendar, start_at=days_from_now(4), hours=48)
    await session.commit()

    assert (await ada.get(f"/entries/{evening.id}/")).text(".lede").endswith(", 19:30 to 22:00")
    ends = days_from_now(6)
    assert (await ada.get(f"/entries/{festival.id}/")).text(".lede").endswith(f" {ends:%b %Y}, 19:30")


@pytest.mark.parametrize("state", ["draft", "cancelled"])
async def test_an_event_off_the_programme_is_not_found(visitor: Visitor, session: AsyncSession, state: str) -> None:
    entry = await make_entry(session, await make_calendar(session), state=state)
    await session.commit()

    assert (await visitor.get(f"/entries/{entry.id}/")).status == 404


async def test_an_unknown_event_is_not_found(visitor: Visitor, subtests: pytest.Subtests) -> None:
    for entry_id in ("0", "99", "9223372036854775807", "9223372036854775808", "9" * 400, "-1", "x"):
        with subtests.test(entry_id=entry_id[:40]):
            assert (await visitor.get(f"/entries/{entry_id}/")).status == 404


async def test_the_number_of_queries_does_not_grow_with_the_types(visitor: Visitor, session: AsyncSession) -> None:
    entry = await make_entry(session, await make_calendar(session))
    await session.commit()
    await visitor.get(f"/entries/{entry.id}/")  # what the blog app says of the page is known from now on
    counts = []
    for size in (1, 9):
        for number in range(size):
            await make_type(session, entry, f"Type {number}")
        await session.commit()
        with counted_queries(every=True) as statements:
            await visitor.get(f"/entries/{entry.id}/")
        counts.append(len(statements))

    assert counts == [2, 2]


async def test_a_blank_line_parts_two_paragraphs(ada: Visitor, session: AsyncSession) -> None:
    entry = await make_entry(session, await make_calendar(session), description="One\r\nline.\r\n \r\n\r\nTwo.\n")
    await session.commit()

    assert (await ada.get(f"/entries/{entry.id}/")).texts(".prose p") == ["One line.", "Two."]
