"""Reading the buy form, whatever is sent."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.datastructures import MultiDict

from events.bp.entries.choice_query import choice_from_query, choice_query
from events.bp.tickets.forms import (
    CHOOSE_ONE,
    NO_SUCH_TYPE,
    BuyForm,
)
from shared.contracts.errors import BadInput, NotFound
from shared.web.numbers import BEYOND_ANY_LIMIT, NOT_A_NUMBER


def parse(*pairs: tuple[str, str]) -> BuyForm:
    """Parse a form for event 12."""
    return BuyForm.parse(MultiDict([("entry_id", "12"), *pairs]))


def one(typed: str) -> BuyForm:
    """Parse a form of an event with one price."""
    return parse(("quantity", typed))


@pytest.mark.parametrize(
    ("typed", "quantity"),
    [("1", 1), (" 2 ", 2), ("007", 7), ("1000000", BEYOND_ANY_LIMIT), ("9" * 9999, BEYOND_ANY_LIMIT)],
)
def test_digits_are_a_number(typed: str, quantity: int) -> None:
    assert one(typed).choice() == {None: quantity}


@pytest.mark.parametrize("typed", ["", " ", "0", "000", "0" * 9999])
def test_nothing_or_nought_is_none(typed: str) -> None:
    with pytest.raises(BadInput, match=CHOOSE_ONE):
        one(typed).choice()


@pytest.mark.parametrize(
    "typed", ["-1", "1.5", "1,5", "1e3", "x", "+1", "1 1", "²", "٣", "\uff12", "0x1", "1\x00", "½"]
)
def test_anything_else_is_no_number_and_stays_as_typed(typed: str) -> None:
    form = one(typed)

    assert form.errors == {None: NOT_A_NUMBER}
    assert form.typed == {None: typed}
    assert form.chosen == {}
    with pytest.raises(BadInput, match=NOT_A_NUMBER):
        form.choice()


def test_types_and_quantities_are_pairs_by_their_order() -> None:
    form = parse(("ticket_type_id", "3"), ("quantity", "2"), ("ticket_type_id", "4"), ("quantity", "0"))

    assert form.choice() == {3: 2}
    assert form.typed == {3: "2", 4: "0"}


@pytest.mark.parametrize(
    "pairs",
    [
        [("ticket_type_id", "3"), ("ticket_type_id", "4"), ("quantity", "1")],
        [("ticket_type_id", "3"), ("quantity", "1"), ("quantity", "1")],
        [("ticket_type_id", "3"), ("ticket_type_id", "3"), ("quantity", "1"), ("quantity", "1")],
        [("quantity", "1"), ("quantity", "1")],
        [pair for i in range(1, 102) for pair in (("ticket_type_id", str(i)), ("quantity", "1"))],
    ],
)
def test_pairs_that_do_not_match_are_refused(pairs: list[tuple[str, str]]) -> None:
    with pytest.raises(BadInput, match="complete"):
        parse(*pairs).choice()


@pytest.mark.parametrize("text", ["0", "-1", "x", "1.5", "9" * 30, str(2**63)])
def test_an_unreadable_type_is_no_type_of_ours(text: str) -> None:
    assert parse(("ticket_type_id", text), ("quantity", "1")).choice() == {NO_SUCH_TYPE: 1}


@pytest.mark.parametrize("text", ["x", "0", "-1", "1.5", str(2**63), "9" * 9999])
def test_an_unreadable_event_is_not_found(text: str) -> None:
    with pytest.raises(NotFound):
        BuyForm.parse(MultiDict({"entry_id": text}))


def test_a_form_without_an_event_is_refused() -> None:
    with pytest.raises(BadInput):
        BuyForm.parse(MultiDict())


@given(st.lists(st.tuples(st.sampled_from(["entry_id", "ticket_type_id", "quantity", "x"]), st.text())))
def test_no_form_crashes_it(pairs: list[tuple[str, str]]) -> None:
    try:
        choice = BuyForm.parse(MultiDict(pairs)).choice()
    except (BadInput, NotFound):
        return
    assert choice
    assert all(0 < count <= BEYOND_ANY_LIMIT for count in choice.values())


@pytest.mark.parametrize("choice", [{None: 2}, {3: 2, 4: 1}, {}])
def test_a_choice_survives_the_address(choice: dict[int | None, int]) -> None:
    from urllib.parse import parse_qsl

    query = dict(parse_qsl(choice_query(choice).removeprefix("?")))

    assert choice_from_query(query, [None, 3, 4]) == choice


@pytest.mark.parametrize("text", ["0", "-1", "x", "", "01", "1000", "9" * 5000, "1.5", "\uff12", "<script>"])
def test_what_makes_no_sense_in_an_address_is_left_out(text: str) -> None:
    assert choice_from_query({"t-3": text, "quantity": text}, [3, None]) == {}


def test_an_address_names_only_the_types_that_there_are() -> None:
    assert choice_from_query({"t-3": "2", "t-4": "2", "quantity": "2"}, [3]) == {3: 2}
