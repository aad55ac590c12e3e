"""Reading the form that puts a product into the cart, whatever is sent."""

from __future__ import annotations

from decimal import Decimal
from urllib.parse import parse_qsl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from market.bp.products.forms import (
    AT_LEAST_ONE,
    CHOOSE_ONE,
    INCOMPLETE,
    NOT_SOLD,
    AddForm,
    ProductChoice,
    choice_query,
)
from shared.contracts.dtos import ProductDTO, VariantDTO
from shared.contracts.errors import BadInput
from shared.web.numbers import BEYOND_ANY_LIMIT, NOT_A_NUMBER


def variant(number: int) -> VariantDTO:
    """Make a variant with this id."""
    return VariantDTO(
        id=number,
        product_id=1,
        product_slug="smock",
        title="Smock",
        label=f"Size {number}",
        unit="each",
        price=Decimal(38),
        vat_rate=Decimal(0),
        available=None,
        on_show=True,
        container_id=1,
    )


def product(*numbers: int) -> ProductDTO:
    """Make a product with these variants."""
    return ProductDTO(1, "smock", "Smock", "", "each", 1, Decimal(0), tuple(variant(number) for number in numbers))


def choose(chosen: str, typed: str = "1", *, of: tuple[int, ...] = (3, 4)) -> ProductChoice:
    """Send a form of a product with two variants, and read it."""
    return AddForm.parse({"variant_id": chosen, "quantity": typed}).choice(product(*of))


@pytest.mark.parametrize(
    ("typed", "quantity"),
    [
        ("1", 1),
        (" 2 ", 2),
        ("007", 7),
        ("999999", 999_999),
        ("1000000", BEYOND_ANY_LIMIT),
        ("9" * 9999, BEYOND_ANY_LIMIT),
    ],
)
def test_digits_are_a_number(typed: str, quantity: int) -> None:
    assert choose("4", typed) == (variant(4), quantity)


@pytest.mark.parametrize("typed", ["0", "000", "0" * 9999])
def test_none_is_too_few(typed: str) -> None:
    with pytest.raises(BadInput, match=AT_LEAST_ONE) as refused:
        choose("4", typed)

    assert refused.value.field == "quantity"


@pytest.mark.parametrize("typed", ["", " ", "-1", "1.5", "1,5", "1e3", "x", "+1", "1 1", "²", "٣", "\uff12", "1\x00"])
def test_anything_else_is_no_number(typed: str) -> None:
    with pytest.raises(BadInput, match=NOT_A_NUMBER) as refused:
        choose("4", typed)

    assert refused.value.field == "quantity"


@pytest.mark.parametrize(
    ("chosen", "of", "words"),
    [
        ("", (3, 4), CHOOSE_ONE),
        (" ", (3, 4), CHOOSE_ONE),
        ("", (3,), INCOMPLETE),
        ("5", (3, 4), NOT_SOLD),
        ("5", (3,), NOT_SOLD),
        ("03", (3, 4), NOT_SOLD),
        ("9" * 9999, (3, 4), NOT_SOLD),
        ("x", (3, 4), NOT_SOLD),
    ],
)
def test_what_is_no_variant_of_the_product_is_refused(chosen: str, of: tuple[int, ...], words: str) -> None:
    with pytest.raises(BadInput, match=words) as refused:
        choose(chosen, of=of)

    assert refused.value.field == "variant_id"


@pytest.mark.parametrize(("sent", "in_list"), [({"in_list": "yes"}, True), ({}, False)])
def test_a_lists_own_form_says_so(sent: dict[str, str], in_list: bool) -> None:
    assert AddForm.parse(sent).in_list is in_list


@given(st.dictionaries(st.sampled_from(["variant_id", "quantity", "in_list"]), st.text() | st.just("3")))
def test_no_form_crashes_it(form: dict[str, str]) -> None:
    try:
        choice = AddForm.parse(form).choice(product(3, 4))
    except BadInput:
        return
    assert choice.variant.id in {3, 4}
    assert 0 < choice.quantity <= BEYOND_ANY_LIMIT


@given(st.sampled_from([3, 4]), st.integers(1, 99))
def test_a_choice_survives_the_address(number: int, quantity: int) -> None:
    query = dict(parse_qsl(choice_query(ProductChoice(variant(number), quantity)).removeprefix("?")))

    assert AddForm.parse(query).choice(product(3, 4)) == (variant(number), quantity)
