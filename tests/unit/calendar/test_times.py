"""When slots are: days of the week, nights, notice, closed days, and the nights in which the clocks change."""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from shared.services.calendar.timetable import Closure, Rule, Timetable

LONDON = ZoneInfo("Europe/London")
LORD_HOWE = ZoneInfo("Australia/Lord_Howe")
TOKYO = ZoneInfo("Asia/Tokyo")
HAVANA = ZoneInfo("America/Havana")
EVERY_DAY = frozenset(range(1, 8))
MONDAY, TUESDAY = date(2026, 11, 30), date(2026, 12, 1)
LONG_BEFORE = datetime(2026, 1, 1, tzinfo=UTC)


def rule(
    from_time: str = "09:00",
    to_time: str = "12:00",
    minutes: int = 60,
    *,
    name: str = "An hour",
    weekdays: Collection[int] = EVERY_DAY,
    price: str = "8.00",
) -> Rule:
    return Rule(
        name=name,
        weekdays=frozenset(weekdays),
        from_time=time.fromisoformat(from_time),
        to_time=time.fromisoformat(to_time),
        length=timedelta(minutes=minutes),
        price=Decimal(price),
        vat_rate=Decimal(0),
        places=1,
    )


def timetable(
    *rules: Rule,
    zone: ZoneInfo = LONDON,
    closures: Collection[Closure] = (),
    notice_minutes: int = 0,
    ahead_days: int = 730,
) -> Timetable:
    return Timetable(zone, rules, list(closures), timedelta(minutes=notice_minutes), ahead_days)


def shown(times: Collection[tuple[datetime, datetime]], zone: ZoneInfo = LONDON) -> list[str]:
    """Write slots as the clock on the wall shows them, with the zone's own name of the hour."""
    return [f"{start.astimezone(zone):%H:%M %Z} to {end.astimezone(zone):%H:%M %Z}" for start, end in times]


def offered(table: Timetable, day: date, now: datetime = LONG_BEFORE) -> list[str]:
    """Write what is offered of a day."""
    return [
        f"{start.astimezone(table.zone):%d %H:%M}-{end.astimezone(table.zone):%H:%M} {rule.name}"
        for start, end, rule in table.slots_of(day, now)
    ]


def london(text: str) -> datetime:
    """Read a time of the clock on a wall in London."""
    return datetime.fromisoformat(text).replace(tzinfo=LONDON)


# --- one rule, one day ---


def test_a_day_is_cut_into_slots_of_one_length() -> None:
    slots = list(rule("09:00", "12:00").times_of(MONDAY, LONDON))

    assert shown(slots) == ["09:00 GMT to 10:00 GMT", "10:00 GMT to 11:00 GMT", "11:00 GMT to 12:00 GMT"]
    assert all(moment.tzinfo is UTC for slot in slots for moment in slot)


def test_what_is_left_over_and_too_short_is_no_slot() -> None:
    assert shown(list(rule("09:00", "11:59", 60).times_of(MONDAY, LONDON)))[-1] == "10:00 GMT to 11:00 GMT"
    assert list(rule("09:00", "09:59", 60).times_of(MONDAY, LONDON)) == []


@pytest.mark.parametrize("day", [MONDAY, TUESDAY])
def test_a_rule_has_its_days_of_the_week(day: date) -> None:
    slots = list(rule(weekdays=[1]).times_of(day, LONDON))

    assert bool(slots) == (day == MONDAY)


def test_a_night_belongs_to_the_day_on_which_it_begins() -> None:
    slots = list(rule("22:00", "02:00", 120, weekdays=[1]).times_of(MONDAY, LONDON))

    assert slots == [
        (london("2026-11-30 22:00"), london("2026-12-01 00:00")),
        (london("2026-12-01 00:00"), london("2026-12-01 02:00")),
    ]
    assert list(rule("22:00", "02:00", 120, weekdays=[1]).times_of(TUESDAY, LONDON)) == []


def test_midnight_as_the_end_is_the_end_of_the_day_itself() -> None:
    slots = list(rule("22:00", "00:00").times_of(MONDAY, LONDON))

    assert shown(slots) == ["22:00 GMT to 23:00 GMT", "23:00 GMT to 00:00 GMT"]
    assert slots[-1][1] == london("2026-12-01 00:00")


def test_from_a_time_to_the_same_is_round_the_clock() -> None:
    slots = list(rule("06:00", "06:00").times_of(MONDAY, LONDON))

    assert (len(slots), slots[-1][1]) == (24, london("2026-12-01 06:00"))


def test_round_the_clock_one_day_ends_where_the_next_begins() -> None:
    always = rule("00:00", "00:00")

    assert list(always.times_of(MONDAY, LONDON))[-1][1] == next(always.times_of(TUESDAY, LONDON))[0]


# --- the nights in which the clocks change ---

SPRING, AUTUMN = date(2027, 3, 28), date(2026, 10, 25)
"""In London the clock jumps from 01:00 to 02:00 in spring, and shows 01:00 to 02:00 twice in autumn."""


def test_the_night_that_loses_an_hour_has_one_slot_less() -> None:
    slots = list(rule("00:00", "04:00").times_of(SPRING, LONDON))

    assert shown(slots) == ["00:00 GMT to 02:00 BST", "02:00 BST to 03:00 BST", "03:00 BST to 04:00 BST"]
    assert {end - start for start, end in slots} == {timedelta(hours=1)}


def test_the_night_that_has_an_hour_twice_has_one_slot_more() -> None:
    slots = list(rule("00:00", "03:00").times_of(AUTUMN, LONDON))

    assert shown(slots) == [
        "00:00 BST to 01:00 BST",
        "01:00 BST to 01:00 GMT",
        "01:00 GMT to 02:00 GMT",
        "02:00 GMT to 03:00 GMT",
    ]
    assert {end - start for start, end in slots} == {timedelta(hours=1)}


@pytest.mark.parametrize(
    ("from_time", "to_time", "expected"),
    [
        ("01:00", "02:00", []),
        ("01:15", "01:45", []),
        ("01:30", "02:30", ["02:00 BST to 02:30 BST"]),
        ("00:30", "01:30", ["00:30 GMT to 02:00 BST"]),
        ("00:30", "02:30", ["00:30 GMT to 02:00 BST", "02:00 BST to 02:30 BST"]),
    ],
)
def test_a_time_that_no_clock_shows_is_when_the_clocks_jump_past_it(
    from_time: str, to_time: str, expected: list[str]
) -> None:
    assert shown(list(rule(from_time, to_time, 30).times_of(SPRING, LONDON))) == expected


@pytest.mark.parametrize(
    ("from_time", "to_time", "expected"),
    [
        ("01:00", "01:30", ["01:00 BST to 01:30 BST"]),
        ("01:30", "02:00", ["01:30 BST to 01:00 GMT", "01:00 GMT to 01:30 GMT", "01:30 GMT to 02:00 GMT"]),
        ("00:30", "01:00", ["00:30 BST to 01:00 BST"]),
    ],
)
def test_of_a_time_that_is_shown_twice_the_first_one_is_meant(
    from_time: str, to_time: str, expected: list[str]
) -> None:
    assert shown(list(rule(from_time, to_time, 30).times_of(AUTUMN, LONDON))) == expected


def test_a_night_that_ends_in_the_change_does_not_meet_the_next_one() -> None:
    nightly = rule("02:00", "01:40", 20)
    saturday = list(nightly.times_of(SPRING - timedelta(days=1), LONDON))
    sunday = list(nightly.times_of(SPRING, LONDON))

    assert saturday[-1][1] <= sunday[0][0]
    assert shown([saturday[-1], sunday[0]]) == ["00:40 GMT to 02:00 BST", "02:00 BST to 02:20 BST"]


LORD_HOWE_SPRING, LORD_HOWE_AUTUMN = date(2026, 10, 4), date(2027, 4, 4)
"""On Lord Howe Island the clocks change by half an hour: past 02:00 to 02:30, and from 02:00 back to 01:30."""


def test_where_the_clocks_change_by_half_an_hour_so_many_slots_go_and_come() -> None:
    halves = rule("01:00", "03:00", 30)

    assert shown(list(halves.times_of(LORD_HOWE_SPRING, LORD_HOWE)), LORD_HOWE) == [
        "01:00 +1030 to 01:30 +1030",
        "01:30 +1030 to 02:30 +11",
        "02:30 +11 to 03:00 +11",
    ]
    assert shown(list(halves.times_of(LORD_HOWE_AUTUMN, LORD_HOWE)), LORD_HOWE) == [
        "01:00 +11 to 01:30 +11",
        "01:30 +11 to 01:30 +1030",
        "01:30 +1030 to 02:00 +1030",
        "02:00 +1030 to 02:30 +1030",
        "02:30 +1030 to 03:00 +1030",
    ]


def test_where_the_clocks_change_by_half_an_hour_an_hour_stays_an_hour() -> None:
    hours = rule("00:00", "04:00")
    spring, autumn = (list(hours.times_of(day, LORD_HOWE)) for day in (LORD_HOWE_SPRING, LORD_HOWE_AUTUMN))

    assert shown(spring, LORD_HOWE)[-1] == "02:30 +11 to 03:30 +11"  # of the night's three and a half hours
    assert (len(spring), len(autumn)) == (3, 4)
    assert {end - start for start, end in spring + autumn} == {timedelta(hours=1)}
    assert all(one[1] == other[0] for one, other in (*pairwise(spring), *pairwise(autumn)))


def test_a_day_whose_midnight_is_skipped_begins_at_one() -> None:
    changes = date(2027, 3, 14)  # in Havana the clocks go from 00:00 to 01:00
    slots = list(rule("00:00", "03:00").times_of(changes, HAVANA))
    evening = list(rule("22:00", "00:00").times_of(changes - timedelta(days=1), HAVANA))

    assert shown(slots, HAVANA) == ["01:00 CDT to 02:00 CDT", "02:00 CDT to 03:00 CDT"]
    assert evening[-1][1] == slots[0][0]


@pytest.mark.parametrize("day", [SPRING, AUTUMN, LORD_HOWE_SPRING, LORD_HOWE_AUTUMN])
def test_where_no_clock_changes_every_night_is_the_same(day: date) -> None:
    slots = shown(list(rule("00:00", "03:00").times_of(day, TOKYO)), TOKYO)

    assert slots == ["00:00 JST to 01:00 JST", "01:00 JST to 02:00 JST", "02:00 JST to 03:00 JST"]


@pytest.mark.parametrize("day", [SPRING, AUTUMN])
def test_both_hours_of_the_night_are_found_again_by_their_rule(day: date) -> None:
    table = timetable(rule("00:00", "04:00"))
    slots = list(table.slots_of(day, LONG_BEFORE))

    assert all(table.rule_of(start, end, LONG_BEFORE) is found for start, end, found in slots)


# --- what is offered, and until when ---


def test_a_slot_can_be_booked_until_its_notice_and_not_later() -> None:
    table = timetable(rule("09:00", "11:00"), notice_minutes=90)

    assert len(offered(table, MONDAY, london("2026-11-30 07:30"))) == 2
    assert len(offered(table, MONDAY, london("2026-11-30 07:31"))) == 1
    assert offered(table, MONDAY, london("2026-11-30 08:31")) == []


def test_without_notice_a_slot_can_be_booked_until_it_begins() -> None:
    table = timetable(rule("09:00", "10:00"))

    assert len(offered(table, MONDAY, london("2026-11-30 09:00"))) == 1
    assert offered(table, MONDAY, london("2026-11-30 09:00") + timedelta(seconds=1)) == []


def test_notice_is_real_time_in_the_night_of_the_change() -> None:
    table = timetable(rule("03:00", "04:00"), notice_minutes=180)

    assert len(offered(table, SPRING, london("2027-03-27 23:00"))) == 1
    assert offered(table, SPRING, london("2027-03-27 23:01")) == []


@pytest.mark.parametrize(("ahead_days", "days"), [(0, 1), (1, 2), (60, 61)])
def test_today_is_the_first_of_the_days_ahead(ahead_days: int, days: int) -> None:
    table = timetable(rule(), ahead_days=ahead_days)
    now = london("2026-11-30 00:00")

    found = [day for day in range(80) if offered(table, MONDAY + timedelta(days=day), now)]

    assert found == list(range(days))


def test_the_days_ahead_are_counted_where_the_calendar_is() -> None:
    now = datetime(2026, 11, 30, 16, tzinfo=UTC)  # in Tokyo it is tomorrow

    assert timetable(zone=TOKYO, ahead_days=0).last_day(now) == TUESDAY
    assert timetable(zone=LONDON, ahead_days=0).last_day(now) == MONDAY


def test_on_closed_days_nothing_is_offered_first_and_last_included() -> None:
    table = timetable(rule(), closures=[Closure(MONDAY, TUESDAY), Closure(date(2026, 12, 4), date(2026, 12, 4))])

    found = [day for day in range(-1, 6) if offered(table, MONDAY + timedelta(days=day))]

    assert found == [-1, 2, 3, 5]


def test_a_closed_day_takes_its_night_with_it_and_leaves_the_night_before() -> None:
    table = timetable(rule("22:00", "02:00", 120), closures=[Closure(MONDAY, MONDAY)])

    assert offered(table, MONDAY - timedelta(days=1)) == ["29 22:00-00:00 An hour", "30 00:00-02:00 An hour"]
    assert offered(table, MONDAY) == []
    assert table.rule_of(london("2026-11-30 00:00"), london("2026-11-30 02:00"), LONG_BEFORE) is not None
    assert table.rule_of(london("2026-12-01 00:00"), london("2026-12-01 02:00"), LONG_BEFORE) is None


# --- several rules ---


def test_a_time_that_two_rules_offer_is_the_first_ones() -> None:
    table = timetable(rule("09:00", "11:00", name="First"), rule("10:00", "12:00", name="Second"))

    assert offered(table, MONDAY) == ["30 09:00-10:00 First", "30 10:00-11:00 First", "30 11:00-12:00 Second"]


def test_times_that_only_overlap_are_both_offered() -> None:
    table = timetable(rule("09:00", "11:00", name="Hour"), rule("09:00", "11:00", 120, name="Morning"))

    assert offered(table, MONDAY) == ["30 09:00-10:00 Hour", "30 10:00-11:00 Hour", "30 09:00-11:00 Morning"]


def test_a_time_is_found_only_with_its_own_start_and_end() -> None:
    table = timetable(rule("09:00", "11:00"))
    nine, ten, eleven = (london(f"2026-11-30 {hour}:00") for hour in ("09", "10", "11"))

    assert table.rule_of(nine, ten, LONG_BEFORE) is not None
    assert table.rule_of(nine, eleven, LONG_BEFORE) is None
    assert table.rule_of(nine + timedelta(minutes=30), ten + timedelta(minutes=30), LONG_BEFORE) is None
    assert table.rule_of(nine, ten, ten) is None


def test_a_time_after_midnight_that_the_next_day_offers_as_well_is_the_next_days() -> None:
    night = rule("22:00", "02:00", 60, name="Night", price="20.00")
    early = rule("00:00", "02:00", 60, name="Early", weekdays=[2], price="5.00")
    table = timetable(night, early)
    one, two = london("2026-12-01 01:00"), london("2026-12-01 02:00")

    assert offered(table, MONDAY) == ["30 22:00-23:00 Night", "30 23:00-00:00 Night"]
    assert offered(table, TUESDAY)[-2:] == ["01 00:00-01:00 Early", "01 01:00-02:00 Early"]
    assert table.rule_of(one, two, LONG_BEFORE) is early


def test_where_the_next_day_is_closed_its_early_times_stay_the_nights() -> None:
    night, early = rule("22:00", "02:00", 120, name="Night"), rule("00:00", "02:00", 120, name="Early")
    table = timetable(night, early, closures=[Closure(TUESDAY, TUESDAY)])

    assert offered(table, MONDAY) == ["30 22:00-00:00 Night", "01 00:00-02:00 Night", "30 00:00-02:00 Early"]


@pytest.mark.parametrize(("now", "first"), [("00:30", MONDAY), ("01:00", MONDAY), ("01:01", TUESDAY)])
def test_yesterday_is_offered_as_long_as_its_night_can_be_booked(now: str, first: date) -> None:
    table = timetable(rule("22:00", "02:00"))

    assert table.first_day(london(f"2026-12-01 {now}")) == first


def test_where_no_rule_runs_past_midnight_today_is_the_first_day() -> None:
    assert timetable(rule("22:00", "00:00")).first_day(london("2026-12-01 00:00")) == TUESDAY


@pytest.mark.parametrize("zone", [LONDON, TOKYO, HAVANA])
@pytest.mark.parametrize("text", ["0001-01-01T00:00", "2029-01-01T09:00", "9999-12-31T23:59"])
def test_a_time_that_is_far_away_is_simply_not_offered(zone: ZoneInfo, text: str) -> None:
    start = datetime.fromisoformat(text).replace(tzinfo=UTC)

    assert timetable(rule(), zone=zone).rule_of(start, start, LONG_BEFORE) is None
