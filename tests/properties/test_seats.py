"""What can be had of an event, for any caps and any wish (docs/money.md, "What is available")."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from shared.contracts.states import EntryState
from shared.models import CalendarEntry, TicketType
from shared.services.calendar.order_tickets import Locked

NOW = datetime(2026, 12, 1, 12, tzinfo=UTC)
Cap = tuple[int | None, int]
"""A cap (None: no limit) and how much of it is held."""


@st.composite
def caps(draw: st.DrawFn) -> Cap:
    cap = draw(st.none() | st.integers(0, 12))
    return cap, draw(st.integers(0, 12 if cap is None else cap))


def locked(entry: Cap, types: dict[int, Cap]) -> Locked:
    """Lock one event that is on sale, number 1, with its types."""
    start = NOW + timedelta(days=7)
    event = CalendarEntry(
        id=1, state=EntryState.CONFIRMED, start_at=start, end_at=start, capacity=entry[0], held=entry[1]
    )
    of_event = {
        number: TicketType(id=number, entry_id=1, cost=Decimal(9), capacity=cap, held=held)
        for number, (cap, held) in types.items()
    }
    return Locked({1: event}, of_event)


def fits(cap: Cap, more: int) -> bool:
    """Say whether so many more stay within a cap: what the database's CHECK says."""
    return cap[0] is None or cap[1] + more <= cap[0]


wishes = st.dictionaries(st.integers(1, 3), st.integers(1, 12), min_size=1)


@given(entry=caps(), types=st.fixed_dictionaries({1: caps(), 2: caps(), 3: caps()}), wish=wishes)
def test_there_is_a_problem_exactly_where_the_database_would_refuse(
    entry: Cap, types: dict[int, Cap], wish: dict[int, int]
) -> None:
    problems = locked(entry, types).problems(Counter({(1, number): count for number, count in wish.items()}), NOW)

    all_fits = fits(entry, sum(wish.values())) and all(fits(types[number], count) for number, count in wish.items())
    assert (not problems) == all_fits


@given(entry=caps(), types=st.fixed_dictionaries({1: caps(), 2: caps(), 3: caps()}), wish=wishes)
def test_what_is_left_of_the_first_bad_line_can_be_had_by_itself(
    entry: Cap, types: dict[int, Cap], wish: dict[int, int]
) -> None:
    place = locked(entry, types)
    problems = place.problems(Counter({(1, number): count for number, count in wish.items()}), NOW)

    for problem in problems:
        assert problem.wanted == wish[problem.key[2] or 0]
        left: Counter[tuple[int, int | None]] = Counter({(1, problem.key[2]): problem.left})
        assert problem.left == 0 or not place.problems(left, NOW)
