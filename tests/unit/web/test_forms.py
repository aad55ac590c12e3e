"""Reading forms, whatever is sent, and showing them again with what is wrong."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, ClassVar
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field, StringConstraints
from werkzeug.datastructures import MultiDict

from shared.contracts.errors import BadInput, Conflict, ShopError
from shared.web.forms import (
    INCOMPLETE,
    EmptyIsNone,
    Form,
    FormPage,
    FormRefused,
    Id,
    Key,
    Moment,
    ShownAmount,
    Text,
    Ticked,
    Yes,
    in_words,
    or_say,
)
from shared.web.numbers import shown_amount_of, typed_amount_of


class Order(Form):
    """A form with a field of each kind."""

    name: Annotated[Text, StringConstraints(min_length=2), or_say("Say who you are.")] = Field(
        "", validate_default=True
    )
    place: Annotated[Id | None, EmptyIsNone, or_say("Choose a place of the list.")] = None
    lines: tuple[Id, ...] = Field((), alias="line")
    gift: Ticked = False
    mailed: Yes = False


class Press(Form):
    """What a page of ours writes into its form."""

    last: Id
    shown: ShownAmount
    key: Key
    since: Moment


PRESS = {
    "last": "7",
    "shown": "12.50",
    "key": "7f9c24e8-3b12-4fef-91e0-56a2d5c5e8aa",
    "since": "2026-11-28T10:00:00+00:00",
}


def refused(form: type[Form], sent: Mapping[str, str]) -> FormRefused:
    """Send a form that is refused."""
    with pytest.raises(FormRefused) as found:
        form.parse(sent)
    return found.value


def test_a_form_is_read_by_its_fields() -> None:
    sent = MultiDict(
        [("name", " Ada "), ("place", "3"), ("line", "7"), ("line", "9"), ("gift", "on"), ("mailed", "yes")]
    )

    assert Order.parse(sent) == Order(name="Ada", place=3, lines=(7, 9), gift=True, mailed=True)


def test_what_is_not_sent_is_as_the_form_says_and_what_it_does_not_know_is_ignored() -> None:
    form = Order.parse({"name": "Ada", "place": "", "mailed": "no", "colour": "red"})

    assert (form.place, form.lines, form.gift, form.mailed) == (None, (), False, False)
    assert not hasattr(form, "colour")


def test_one_value_of_a_plain_mapping_is_a_list_of_one() -> None:
    assert Order.parse({"name": "Ada", "line": "7"}).lines == (7,)


def test_the_first_of_several_values_counts_where_one_is_wanted() -> None:
    assert Order.parse(MultiDict([("name", "Ada"), ("name", "Eve")])).name == "Ada"


def test_every_field_that_is_wrong_says_so_in_its_own_words() -> None:
    refusal = refused(Order, {"place": "x"})

    assert refusal.problems == (("name", "Say who you are."), ("place", "Choose a place of the list."))
    assert (str(refusal), refusal.field, refusal.status) == ("Say who you are.", "name", BadInput.status)


def test_a_field_of_several_values_is_named_as_in_the_form() -> None:
    assert refused(Order, {"name": "Ada", "line": "x"}).problems == (("line", INCOMPLETE),)


def test_what_no_person_types_and_is_missing_makes_the_form_incomplete() -> None:
    assert dict(refused(Press, {}).problems) == dict.fromkeys(PRESS, INCOMPLETE)


def test_what_a_page_of_ours_wrote_comes_back_as_it_was() -> None:
    form = Press.parse(PRESS)

    assert (form.last, form.shown) == (7, Decimal("12.50"))
    assert (form.key, form.since) == (UUID(PRESS["key"]), datetime(2026, 11, 28, 10, tzinfo=UTC))


@pytest.mark.parametrize(
    ("field", "text"),
    [
        ("last", "-1"),
        ("last", "9" * 19),
        ("last", "1.0"),
        ("last", " 1"),
        ("shown", "12.5"),
        ("shown", "1e3"),
        ("shown", "-1.00"),
        ("shown", "NaN"),
        ("shown", "\uff11.00"),
        ("key", "x"),
        ("since", "2026-11-28T10:00:00"),
        ("since", "1764324000"),
        ("since", "x"),
    ],
)
def test_anything_else_in_its_place_is_refused(field: str, text: str) -> None:
    assert refused(Press, PRESS | {field: text}).field == field


def test_a_refusal_holds_nothing_of_what_was_sent() -> None:
    refusal = refused(Order, {"name": "Ada", "place": "sup_sk_secret"})

    assert refusal.__cause__ is None
    assert "sup_sk_secret" not in repr((refusal, refusal.problems))


def test_words_are_shown_as_they_are() -> None:
    assert in_words("{a} %s {").message() == "{a} %s {"


@given(st.dictionaries(st.sampled_from(["name", "place", "line", "gift", "mailed", *PRESS]), st.text()))
def test_no_form_crashes_it(sent: dict[str, str]) -> None:
    for form in (Order, Press):
        try:
            form.parse(sent)
        except FormRefused:
            continue


@pytest.mark.parametrize(
    ("typed", "amount"),
    [
        ("12", "12.00"),
        ("12.5", "12.50"),
        ("12,50", "12.50"),
        ("0", "0.00"),
        ("12.505", None),
        ("-1", None),
        ("", None),
        ("1 2", None),
    ],
)
def test_an_amount_is_read_as_people_write_it(typed: str, amount: str | None) -> None:
    assert typed_amount_of(typed) == (None if amount is None else Decimal(amount))


@given(st.decimals(0, 9_999_999_999, places=2))
def test_an_amount_survives_the_page(amount: Decimal) -> None:
    assert shown_amount_of(f"{amount:.2f}") == amount


class Page(FormPage):
    """A page with two fields."""

    CONTROLS: ClassVar[Mapping[str, str]] = {"name": "f-name", "place": "places"}


@pytest.mark.parametrize(
    ("refusal", "problems", "at_name"),
    [
        (None, (), ""),
        (BadInput("Too short.", field="name"), (("f-name", "Too short."),), "Too short."),
        (BadInput("Bad.", field="colour"), (("", "Bad."),), ""),
        (Conflict("Too late."), (("", "Too late."),), ""),
        (
            FormRefused((("name", "Too short."), ("place", "Choose one."))),
            (("f-name", "Too short."), ("places", "Choose one.")),
            "Too short.",
        ),
        (FormRefused((("key", INCOMPLETE), ("shown", INCOMPLETE))), (("", INCOMPLETE),), ""),
    ],
)
def test_a_page_says_what_is_wrong_at_the_field_and_in_the_summary(
    refusal: ShopError | None, problems: tuple[tuple[str, str], ...], at_name: str
) -> None:
    page = Page(refusal=refusal)

    assert page.problems == problems
    assert page.problem_at("name") == at_name
