"""Booking: reading the form, whatever is sent; judging a choice; and putting the terms in words."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from urllib.parse import parse_qsl

import pytest
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.datastructures import MultiDict

from events.bp.bookings.choice import (
    ALL_IN_CART,
    CHOOSE_ONE,
    GONE,
    OVERLAPS_CART,
    OVERLAPS_CHOICE,
    OfferedTime,
    TimesChoice,
    choose,
    offers_of,
)
from events.bp.bookings.forms import NOTHING_CHOSEN, BookForm, choice_query, key_of
from events.bp.bookings.services.bookable import read_day
from events.bp.bookings.services.month_page import read_month
from events.bp.bookings.words import closure_on, closure_text, duration, free_in_words, terms_in_words, times_of
from shared.contracts.dtos import BookingTermsDTO, CalendarDTO, ClosureDTO, EntryDTO, SlotDTO
from shared.contracts.errors import BadInput, NotFound
from shared.contracts.states import EntryKind, EntryState
from shared.web.numbers import BEYOND_ANY_LIMIT, NOT_A_NUMBER
from tests.support.desk import TAKEN

NINE = datetime(2026, 11, 30, 9, tzinfo=UTC)
HOUR = timedelta(hours=1)


def slot(hour: int = 0, *, hours: int = 1, places: int = 1, free: int | None = None) -> SlotDTO:
    """Offer an hour of a morning, from nine o'clock on, or a stretch of several."""
    start = NINE + hour * HOUR
    left = places if free is None else free
    return SlotDTO(1, NINE.date(), start, start + hours * HOUR, "A time", Decimal("8.00"), Decimal(0), places, left)


def in_cart(hour: int = 0, *, hours: int = 1) -> EntryDTO:
    """Have an hour of that morning in the cart."""
    start = NINE + hour * HOUR
    return EntryDTO(
        id=1,
        calendar_id=1,
        calendar_slug="hall",
        calendar_name="The hall",
        calendar_container_type="page",
        calendar_container_id=1,
        time_zone="Europe/London",
        place="",
        kind=EntryKind.BOOKING,
        state=EntryState.PENDING,
        name="A time",
        description="",
        start_at=start,
        end_at=start + hours * HOUR,
        ticket_price=None,
        cost=Decimal("8.00"),
        capacity=None,
        available=None,
        sale_starts_at=None,
        sale_ends_at=None,
        max_per_order=1,
    )


def key(hour: int = 0, *, hours: int = 1) -> str:
    return key_of(NINE + hour * HOUR, NINE + (hour + hours) * HOUR)


def form(*ticked: str, **typed: str) -> BookForm:
    """Send a form; ``h0="2"`` types a number beside the first hour."""
    pairs = [("slot", each) for each in ticked]
    pairs += [(f"places-{key(int(name[1:]))}", text) for name, text in typed.items()]
    return BookForm.parse(MultiDict(pairs))


def chosen(
    sent: BookForm, *slots: SlotDTO, cart: list[EntryDTO] | None = None, whole_room: bool = True
) -> tuple[dict[int, int], dict[str, str], str]:
    """Choose, and give the wish by its hours, the errors by their keys, and what is wrong altogether."""
    offers = offers_of(slots, cart or [], whole_room=whole_room)
    choice = choose(sent, offers, whole_room=whole_room)
    return {(start - NINE) // HOUR: count for (start, _), count in choice.wish.items()}, choice.errors, choice.problem


# --- the form ---


def test_a_time_is_named_the_same_in_every_zone_and_both_hours_of_an_autumn_night_differ() -> None:
    summer, winter = datetime(2026, 10, 25, 0, 30, tzinfo=UTC), datetime(2026, 10, 25, 1, 30, tzinfo=UTC)

    assert key_of(summer, summer + HOUR) == "20261025T003000Z-60"
    assert key_of(summer, summer + HOUR) != key_of(winter, winter + HOUR)
    assert key_of(summer.astimezone(), summer.astimezone() + HOUR) == key_of(summer, summer + HOUR)


def test_ticked_boxes_and_typed_numbers_are_read_side_by_side() -> None:
    sent = form(key(3), h0="2", h1="0", h2="")

    assert sent.chosen == {key(3): 1, key(0): 2}
    assert sent.wanted == {key(3), key(0)}


@pytest.mark.parametrize(("typed", "count"), [(" 2 ", 2), ("007", 7), ("0" * 9999, 0), ("9" * 9999, BEYOND_ANY_LIMIT)])
def test_any_number_of_digits_is_a_number(typed: str, count: int) -> None:
    assert form(h0=typed).count_of(key()) == count


@pytest.mark.parametrize("typed", ["-1", "1.5", "1e3", "two", "+1", "²", "\uff12", "1\x00", "NaN"])
def test_anything_else_is_no_number_and_is_no_choice(typed: str) -> None:
    sent = form(h0=typed)

    assert (sent.count_of(key()), sent.chosen, sent.typed) == (None, {}, {key(): typed})


@given(st.lists(st.tuples(st.sampled_from(["slot", "places-", "places-x", f"places-{key()}", "x"]), st.text())))
def test_no_form_crashes_it(pairs: list[tuple[str, str]]) -> None:
    offers = offers_of([slot(), slot(1, places=3)], [], whole_room=False)

    choice = choose(BookForm.parse(MultiDict(pairs)), offers, whole_room=False)

    assert choice.wish or choice.errors or choice.problem


def test_a_choice_survives_the_address() -> None:
    query = choice_query({key(): 1, key(1): 3})

    assert BookForm.parse(MultiDict(parse_qsl(query.removeprefix("?")))).chosen == {key(): 1, key(1): 3}


# --- judged ---


def test_free_times_are_taken_as_they_are_wished_for() -> None:
    assert chosen(form(key(0), key(2)), slot(0), slot(1), slot(2)) == ({0: 1, 2: 1}, {}, "")


def test_nothing_chosen_is_said() -> None:
    assert chosen(form(h0="0"), slot(places=3), whole_room=False) == ({}, {}, CHOOSE_ONE)
    assert chosen(NOTHING_CHOSEN, slot()) == ({}, {}, CHOOSE_ONE)


def test_a_taken_time_is_named() -> None:
    assert chosen(form(key(0), key(1)), slot(0, free=0), slot(1)) == ({1: 1}, {key(0): TAKEN}, "")


@pytest.mark.parametrize("sent", [form("nonsense"), form(key(7)), form(h7="1"), form(h7="x")])
def test_what_is_not_offered_any_more_is_said_and_the_rest_is_kept(sent: BookForm) -> None:
    both = BookForm(ticked=sent.ticked | {key(0)}, typed=sent.typed)

    assert chosen(both, slot(0)) == ({0: 1}, {}, GONE)


def test_no_place_of_what_is_not_offered_any_more_is_nothing() -> None:
    assert chosen(form(key(0), h7="0", h8=""), slot(0)) == ({0: 1}, {}, "")


@pytest.mark.parametrize(
    ("typed", "free", "mine", "error"),
    [
        ("3", 3, 0, ""),
        ("4", 3, 0, "Only 3 places left."),
        ("9" * 40, 1, 0, "Only 1 place left."),
        ("2", 3, 1, ""),
        ("3", 3, 1, "Only 2 more places left."),
        ("1", 2, 2, ALL_IN_CART),
        ("1", 0, 0, TAKEN),
        ("x", 3, 0, NOT_A_NUMBER),
    ],
)
def test_places_are_judged_by_those_that_are_free_and_not_in_the_cart(
    typed: str, free: int, mine: int, error: str
) -> None:
    cart = [in_cart() for _ in range(mine)]

    wish, errors, problem = chosen(form(h0=typed), slot(places=5, free=free), cart=cart, whole_room=False)

    assert (errors, bool(wish), problem) == ({key(): error} if error else {}, not error, "")


@pytest.mark.parametrize("whole_room", [True, False])
def test_a_form_that_is_sent_twice_asks_for_nothing_more(*, whole_room: bool) -> None:
    assert chosen(form(key()), slot(), cart=[in_cart()], whole_room=whole_room) == ({}, {}, "")


def test_of_a_time_in_the_cart_that_was_taken_since_that_is_said() -> None:
    assert chosen(form(key()), slot(free=0), cart=[in_cart()])[1] == {key(): TAKEN}


def test_in_a_whole_room_times_may_not_overlap_each_other_or_the_cart() -> None:
    slots = [slot(0), slot(1), slot(0, hours=3), slot(3)]

    assert chosen(form(key(0), key(0, hours=3)), *slots)[1] == {key(0, hours=3): OVERLAPS_CHOICE}
    assert chosen(form(key(0, hours=3), key(3)), *slots, cart=[in_cart(1)])[1] == {key(0, hours=3): OVERLAPS_CART}
    assert chosen(form(key(0), key(1), key(3)), *slots) == ({0: 1, 1: 1, 3: 1}, {}, "")


def test_elsewhere_they_may() -> None:
    offers = offers_of([slot(0), slot(0, hours=3)], [in_cart(0, hours=2)], whole_room=False)

    choice = choose(form(key(0), key(0, hours=3)), offers, whole_room=False)

    assert (len(choice.wish), choice.errors) == (2, {})


@pytest.mark.parametrize("choice", [TimesChoice({}, {"k": TAKEN}), TimesChoice({(NINE, NINE): 1}, {}, GONE)])
def test_a_choice_with_anything_wrong_is_refused(choice: TimesChoice) -> None:
    with pytest.raises(BadInput, match=choice.problem or TAKEN):
        choice.checked()


def test_an_offer_leaves_nothing_where_the_cart_has_more_than_there_is() -> None:
    assert OfferedTime(slot(places=3, free=1), in_cart=2, overlaps_cart=False).left == 0


# --- in words ---


def calendar(*, notice_minutes: int = 0, needs_approval: bool = False) -> CalendarDTO:
    return CalendarDTO(
        1,
        "hall",
        "The hall",
        "page",
        1,
        "Europe/London",
        needs_approval=needs_approval,
        notice_minutes=notice_minutes,
        bookable=True,
    )


CHRISTMAS = ClosureDTO(date(2026, 12, 24), date(2026, 12, 26), "Christmas")
ONE_DAY = ClosureDTO(date(2026, 12, 10), date(2026, 12, 10))
TERMS = BookingTermsDTO(date(2026, 11, 28), date(2027, 1, 27), (ONE_DAY, CHRISTMAS))


def test_notice_days_ahead_and_closed_days_are_sentences() -> None:
    assert terms_in_words(calendar(notice_minutes=90), TERMS).sentences == (
        "Book at least 1 hour 30 minutes before a time begins.",
        "Times are offered up to Wed 27 Jan 2027.",
        "Closed: Thu 10 Dec 2026; Thu 24 Dec 2026 to Sat 26 Dec 2026 (Christmas).",
    )


def test_without_notice_and_closed_days_there_is_less_to_say() -> None:
    assert terms_in_words(calendar(), BookingTermsDTO(TERMS.first_day, TERMS.last_day)).sentences == (
        "A time can be booked until it begins.",
        "Times are offered up to Wed 27 Jan 2027.",
    )


def test_that_a_booking_is_a_request_is_said_where_it_is_one() -> None:
    assert "declined you get your money back" in terms_in_words(calendar(needs_approval=True), TERMS).request
    assert terms_in_words(calendar(), TERMS).request == ""


@pytest.mark.parametrize(
    ("minutes", "text"),
    [
        (1, "1 minute"),
        (45, "45 minutes"),
        (60, "1 hour"),
        (61, "1 hour 1 minute"),
        (24 * 60, "24 hours"),
        (36 * 60, "36 hours"),
        (48 * 60, "2 days"),
        (7 * 24 * 60, "7 days"),
        (49 * 60 + 5, "49 hours 5 minutes"),
    ],
)
def test_a_length_of_time_is_said_as_people_do(minutes: int, text: str) -> None:
    assert duration(minutes) == text


def test_a_closed_day_knows_why() -> None:
    assert closure_on(date(2026, 12, 25), TERMS) == CHRISTMAS
    assert closure_on(date(2026, 12, 23), TERMS) is None
    assert closure_text(ONE_DAY) == "Thu 10 Dec 2026"


@pytest.mark.parametrize(
    ("start", "minutes", "text"),
    [
        ("2026-10-24T18:30", 60, "19:30 to 20:30"),
        ("2026-10-24T22:00", 60, "23:00 to 00:00"),
        ("2026-10-24T23:00", 60, "Sun 25 Oct 2026, 00:00 to 01:00 BST"),
        ("2026-10-25T00:00", 60, "Sun 25 Oct 2026, 01:00 BST to 01:00 GMT"),
        ("2026-10-25T01:00", 60, "Sun 25 Oct 2026, 01:00 GMT to 02:00"),
    ],
)
def test_a_time_says_its_day_after_midnight_and_which_of_two_hours_it_is(start: str, minutes: int, text: str) -> None:
    begins = datetime.fromisoformat(start).replace(tzinfo=UTC)
    night = SlotDTO(
        1, date(2026, 10, 24), begins, begins + timedelta(minutes=minutes), "", Decimal(0), Decimal(0), 1, 1
    )

    assert times_of(night, "Europe/London") == text


def test_both_hours_of_an_autumn_night_are_told_apart_on_their_own_day() -> None:
    begins = datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    both = [
        SlotDTO(1, date(2026, 10, 25), start, start + HOUR / 2, "", Decimal(0), Decimal(0), 1, 1)
        for start in (begins, begins + HOUR)
    ]

    assert [times_of(each, "Europe/London") for each in both] == ["01:30 BST to 01:00 GMT", "01:30 GMT to 02:00"]


@pytest.mark.parametrize(
    ("places", "by_place", "text"),
    [
        ([1], False, "1 free"),
        ([1, 1, 1], False, "3 free"),
        ([8], True, "8 places free"),
        ([1], True, "1 place free"),
        ([8, 3], True, "2 times free"),
    ],
)
def test_what_is_free_is_counted_in_what_is_sold(places: list[int], by_place: bool, text: str) -> None:
    assert free_in_words(places, by_place=by_place) == text


# --- addresses ---


@pytest.mark.parametrize(
    "text", ["", "2026-1-1", "2026-02-30", "20261130", "2026-W01-1", "2026-11-30T09:00", "\uff12026-11-30", "x" * 5000]
)
def test_what_is_no_day_is_not_found(text: str) -> None:
    with pytest.raises(NotFound):
        read_day(text)


@pytest.mark.parametrize(
    "text", ["2026", "2026-13", "2026-00", "0000-01", "2026-1", "2026-W1", "x", "9" * 5000, "٢026-11"]
)
def test_what_is_no_month_is_refused(text: str) -> None:
    with pytest.raises(BadInput, match="not complete"):
        read_month(text)


def test_a_day_and_a_month_are_read_and_no_month_is_none() -> None:
    assert (read_day("2026-11-30"), read_month("2026-11"), read_month("")) == (NINE.date(), date(2026, 11, 1), None)
