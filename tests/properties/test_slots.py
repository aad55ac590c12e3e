"""Slots, for any zone, any day and any rule: each of its promised length, none on top of another, none lost."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from itertools import pairwise
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from shared.services.calendar.timetable import DAY, Closure, Rule, Timetable

ZONES = [
    ZoneInfo(name)
    for name in (
        "Europe/London",
        "America/New_York",
        "Australia/Lord_Howe",  # changes by half an hour
        "America/Havana",  # changes at midnight
        "Africa/Cairo",  # changes at midnight, forward on a Friday
        "Pacific/Chatham",  # is a quarter of an hour off
        "Pacific/Apia",  # has left out a whole day
        "Asia/Tokyo",  # never changes
    )
]
CHANGES = [
    date(2026, 3, 29), date(2026, 10, 25),  # London
    date(2026, 3, 8), date(2026, 11, 1),  # New York, Havana
    date(2026, 4, 5), date(2026, 10, 4),  # Lord Howe
    date(2026, 4, 24), date(2026, 10, 29),  # Cairo
    date(2026, 4, 5), date(2026, 9, 27),  # Chatham
    date(2011, 12, 30),  # Apia
]  # fmt: skip
MINUTE = timedelta(minutes=1)
EVERY_DAY = st.just(frozenset(range(1, 8)))

zones = st.sampled_from(ZONES)
days = st.dates(date(2024, 1, 1), date(2030, 12, 31)) | st.builds(
    lambda day, off: day + off * DAY, st.sampled_from(CHANGES), st.integers(-1, 1)
)
times = st.builds(time, st.integers(0, 23), st.sampled_from([0, 5, 15, 20, 30, 45]))
lengths = st.sampled_from([5, 15, 20, 30, 45, 60, 90, 120, 180, 360, 1440]).map(lambda minutes: minutes * MINUTE)


@st.composite
def rules(draw: st.DrawFn, weekdays: st.SearchStrategy[frozenset[int]] = EVERY_DAY) -> Rule:
    return Rule(
        name="A time",
        weekdays=draw(weekdays),
        from_time=draw(times),
        to_time=draw(times),
        length=draw(lengths),
        price=Decimal("1.00"),
        vat_rate=Decimal(0),
        places=1,
    )


def timetable(
    zone: ZoneInfo, *some: Rule, closures: list[Closure] | None = None, notice: timedelta = 0 * DAY
) -> Timetable:
    return Timetable(zone, some, closures or [], notice, ahead_days=20_000)


def first_minute_of(day: date, moment: time, zone: ZoneInfo) -> datetime:
    """Watch a clock on the wall, minute by minute, until it shows this time or a later one."""
    wanted = datetime.combine(day, moment)
    minute = datetime.combine(day, moment, UTC) - 16 * 60 * MINUTE
    while minute.astimezone(zone).replace(tzinfo=None) < wanted:
        minute += MINUTE
    return minute


def end_of(rule: Rule, day: date) -> date:
    """Return the day on which a day's rule ends."""
    return day if rule.to_time > rule.from_time else day + DAY


@given(zone=zones, day=days, rule=rules())
def test_every_slot_has_its_promised_length_in_real_time(zone: ZoneInfo, day: date, rule: Rule) -> None:
    assert {end - start for start, end in rule.times_of(day, zone)} <= {rule.length}


@given(zone=zones, day=days, rule=rules())
def test_a_days_slots_fill_its_rules_time_and_no_more(zone: ZoneInfo, day: date, rule: Rule) -> None:
    first = first_minute_of(day, rule.from_time, zone)
    last = first_minute_of(end_of(rule, day), rule.to_time, zone)

    slots = list(rule.times_of(day, zone))

    assert len(slots) == max(0, (last - first) // rule.length)
    assert [start for start, _ in slots] == [first + number * rule.length for number in range(len(slots))]


@given(zone=zones, day=days, rule=rules())
def test_no_slot_meets_another_of_its_rule_not_even_the_next_days(zone: ZoneInfo, day: date, rule: Rule) -> None:
    slots = [slot for each in (day, day + DAY, day + 2 * DAY) for slot in rule.times_of(each, zone)]

    assert all(end <= start for (_, end), (start, _) in pairwise(slots))


@given(zone=zones, day=days, rule=rules())
def test_round_the_clock_nothing_lies_between_one_day_and_the_next(zone: ZoneInfo, day: date, rule: Rule) -> None:
    always = Rule("Always", rule.weekdays, rule.from_time, rule.from_time, 5 * MINUTE, rule.price, rule.vat_rate, 1)

    today, tomorrow = list(always.times_of(day, zone)), list(always.times_of(day + DAY, zone))

    ends = today[-1][1] if today else first_minute_of(day, rule.from_time, zone)
    assert timedelta(0) <= tomorrow[0][0] - ends < always.length


@given(zone=zones, day=days, some=st.lists(rules(), min_size=1, max_size=3))
def test_what_is_offered_is_found_again_with_the_same_rule_and_is_offered_once(
    zone: ZoneInfo, day: date, some: list[Rule]
) -> None:
    table = timetable(zone, *some)
    now = datetime.combine(day, time(), UTC) - 2 * DAY

    offered = [slot for each in (day, day + DAY) for slot in table.slots_of(each, now)]

    assert len({(start, end) for start, end, _ in offered}) == len(offered)
    for start, end, rule in (offered[0], offered[-1]) if offered else ():
        assert table.rule_of(start, end, now) is rule


@given(
    zone=zones,
    day=days,
    rule=rules(st.frozensets(st.integers(1, 7), min_size=1)),
    notice=st.integers(0, 3000).map(lambda minutes: minutes * MINUTE),
    closed=st.integers(-2, 2),
    hours=st.integers(-30, 60),
)
def test_nothing_is_offered_too_late_on_another_weekday_or_on_a_closed_day(
    zone: ZoneInfo, day: date, rule: Rule, notice: timedelta, closed: int, hours: int
) -> None:
    now = datetime.combine(day, time(), UTC) + hours * 60 * MINUTE
    closure = Closure(day + closed * DAY, day + closed * DAY)
    table = timetable(zone, rule, closures=[closure], notice=notice)

    offered = list(table.slots_of(day, now))

    assert all(start - now >= notice for start, _, _ in offered)
    if closed == 0 or day.isoweekday() not in rule.weekdays:
        assert offered == []
    else:
        in_time = [start for start, _ in rule.times_of(day, zone) if start - now >= notice]
        assert [start for start, _, _ in offered] == in_time
