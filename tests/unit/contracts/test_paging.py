"""Lists a part at a time: where one part ends, and the keys in their addresses."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.contracts.errors import BadInput
from shared.contracts.ids import id_of
from shared.contracts.paging import Part, moment_key, read_id_key, read_moment_key, read_part

MOMENTS = st.datetimes(min_value=datetime(1970, 1, 1), timezones=st.just(UTC), max_value=datetime(5000, 1, 1))  # noqa: DTZ001


class Numbers:
    """A list of numbers, and how many of them were asked for at once."""

    def __init__(self, last: int) -> None:
        self.last = last
        self.asked: list[int] = []

    async def after(self, key: str, *, size: int) -> Part[int]:
        async def source(*, limit: int) -> list[int]:
            self.asked.append(limit)
            return list(range((read_id_key(key) or 0) + 1, self.last + 1))[:limit]

        return await read_part(source, size=size, key_of=str)


@pytest.mark.parametrize("last", [0, 1, 3, 4, 6, 7])
async def test_every_row_is_shown_once_and_no_part_is_empty_but_of_an_empty_list(last: int) -> None:
    numbers, parts = Numbers(last), [await Numbers(last).after("", size=3)]
    while parts[-1].next_key:
        parts.append(await numbers.after(parts[-1].next_key, size=3))

    assert [row for part in parts for row in part.rows] == list(range(1, last + 1))
    assert len(parts) == max(1, -(-last // 3))


async def test_one_more_than_is_shown_is_asked_for() -> None:
    numbers = Numbers(9)
    await numbers.after("", size=3)

    assert numbers.asked == [4]


@pytest.mark.parametrize(("key", "url"), [("7", "/?after=7"), ("", "")])
def test_only_what_goes_on_has_an_address_for_it(key: str, url: str) -> None:
    assert Part((), key).next_url(lambda key: f"/?after={key}") == url


@given(MOMENTS, st.integers(0, 10**18 - 1), st.integers(-12, 12))
def test_a_moment_and_an_id_survive_the_address_in_any_zone(moment: datetime, row_id: int, hours: int) -> None:
    elsewhere = moment.astimezone(timezone(timedelta(hours=hours)))

    assert read_moment_key(moment_key(elsewhere, row_id)) == (moment, row_id)


def test_the_largest_key_can_be_read() -> None:
    found = read_moment_key("9" * 17 + "-" + "9" * 18)

    assert found is not None
    assert found[1] == 10**18 - 1


@pytest.mark.parametrize("text", ["x", "1", "1-", "-1-1", "1" * 18 + "-1", "1-" + "1" * 19, "1-1\n", "\uff11-1"])
def test_a_key_that_we_never_wrote_is_refused(text: str) -> None:
    with pytest.raises(BadInput, match="go back"):
        read_moment_key(text, refusal="go back")


@pytest.mark.parametrize("text", ["x", "-1", "1.5", " 1", "1\n", "\uff11", "9" * 19])
def test_what_is_no_id_is_none(text: str) -> None:
    assert id_of(text) is None
    with pytest.raises(BadInput):
        read_id_key(text)


def test_no_key_is_the_beginning() -> None:
    assert read_id_key("") is None
    assert read_moment_key("") is None


@pytest.mark.parametrize(("text", "number"), [("0", 0), ("007", 7), ("9" * 18, 10**18 - 1)])
def test_digits_that_a_bigint_holds_are_an_id(text: str, number: int) -> None:
    assert (id_of(text), read_id_key(text)) == (number, number)
