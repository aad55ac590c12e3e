"""The rule for what is on sale, of events with several types, and its words."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from shared.contracts.sale import Sale, SaleState
from shared.contracts.states import LineKind
from shared.labels import SALE_WORDS, sale_words, short_line
from shared.models import CalendarEntry, TicketType
from shared.services.calendar.sale import sale_of_event

NOW = datetime(2026, 12, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)


def event(*types: TicketType, capacity: int | None = None, held: int = 0) -> CalendarEntry:
    """Make an event of next week."""
    return CalendarEntry(
        state="confirmed",
        start_at=NOW + 7 * DAY,
        end_at=NOW + 7 * DAY + timedelta(hours=2),
        capacity=capacity,
        held=held,
        ticket_types=list(types),
    )


def kind(state: str, *, left: int | None = None) -> TicketType:
    """Make a type that stands as told."""
    made = TicketType(cost=Decimal(9), capacity=left, held=0)
    if state in ("sold_out", "held"):
        made.capacity, made.held = 2, 2
        made.unpaid_until = NOW + timedelta(minutes=12) if state == "held" else None
    if state == "not_yet":
        made.sale_starts_at = NOW + DAY
    if state == "ended":
        made.sale_ends_at = NOW - DAY
    if state == "no_tickets":
        made.cost = None
    return made


@pytest.mark.parametrize(
    ("types", "told"),
    [
        (("open", "sold_out", "held", "not_yet", "ended", "no_tickets"), "open"),
        (("sold_out", "held", "not_yet", "ended"), "held"),
        (("sold_out", "not_yet", "ended"), "not_yet"),
        (("ended", "sold_out", "no_tickets"), "sold_out"),
        (("ended", "no_tickets"), "ended"),
        (("no_tickets", "no_tickets"), "no_tickets"),
    ],
)
def test_an_event_stands_as_the_best_of_its_types(types: tuple[str, ...], told: str) -> None:
    entry = event(*map(kind, types))

    assert sale_of_event(entry, entry.ticket_types, NOW).state == told


@pytest.mark.parametrize(
    ("limits", "capacity", "left"),
    [((3, 4), None, 7), ((3, 4), 5, 5), ((3, None), None, None), ((3, None), 9, 9), ((None,), None, None)],
)
def test_what_is_left_of_an_event_is_what_its_open_types_and_its_seats_leave(
    limits: tuple[int | None, ...], capacity: int | None, left: int | None
) -> None:
    entry = event(*(kind("open", left=limit) for limit in limits), kind("sold_out"), capacity=capacity)

    assert sale_of_event(entry, entry.ticket_types, NOW).left == left


def test_the_sale_of_an_event_opens_with_the_first_of_its_types() -> None:
    early, late = kind("not_yet"), kind("not_yet")
    late.sale_starts_at = NOW + 2 * DAY
    entry = event(late, early)

    assert sale_of_event(entry, entry.ticket_types, NOW).opens_at == NOW + DAY


def test_what_may_come_back_is_held_by_each_limit_that_is_reached() -> None:
    entry = event(kind("held"), capacity=2, held=2)

    assert sale_of_event(entry, entry.ticket_types, NOW).state is SaleState.SOLD_OUT
    entry.unpaid_until = NOW + timedelta(minutes=5)
    assert sale_of_event(entry, entry.ticket_types, NOW).state is SaleState.HELD


@pytest.mark.parametrize("line_kind", SALE_WORDS)
def test_every_state_but_open_has_words_of_its_own_for_each_place(line_kind: LineKind) -> None:
    words = {state: each for state, each in SALE_WORDS[line_kind].items() if state is not SaleState.OPEN}

    for place in ("note", "text", "line", "refusal"):
        said = [getattr(each, place) for each in words.values()]
        assert all(said)
        assert len(set(said)) == len(said)


def test_times_are_written_as_the_clock_there_shows_them() -> None:
    sale = Sale(SaleState.NOT_YET, opens_at=datetime(2026, 7, 4, 23, 30, tzinfo=UTC))

    words = sale_words(LineKind.TICKET, sale, "Europe/London", name="A {play}")

    assert words.note == "On sale from Sun 5 Jul 2026"
    assert "Sun 5 Jul 2026, 00:30" in words.text
    assert words.refusal == "Tickets for A {play} are not on sale yet."
    assert "Sun 5 Jul 2026, 00:30" in short_line(LineKind.TICKET, sale, "Europe/London")


def test_what_is_held_says_when_it_may_come_back() -> None:
    entry = event(kind("held"), kind("sold_out"))
    sale = sale_of_event(entry, entry.ticket_types, NOW)
    assert sale.back_at == NOW + timedelta(minutes=12)
    assert sale_words(LineKind.TICKET, sale, "Europe/London").text.endswith("may come back at 12:12.")
    assert sale_words(LineKind.TICKET, Sale(SaleState.HELD, left=0)).line.endswith("may come back soon.")


def test_two_limits_come_back_with_the_later_of_them() -> None:
    entry = event(kind("held"), capacity=2, held=2)
    entry.unpaid_until = NOW + timedelta(minutes=20)
    assert sale_of_event(entry, entry.ticket_types, NOW).back_at == NOW + timedelta(minutes=20)
    entry.unpaid_until = None
    assert sale_of_event(entry, entry.ticket_types, NOW).state is SaleState.SOLD_OUT
