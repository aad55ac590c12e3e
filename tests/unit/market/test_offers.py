"""What a page says of a product's kinds, for any stock."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from market.bp.products.offers import FEW_LEFT, offer_of
from shared.contracts.dtos import ProductDTO, VariantDTO

lefts = st.lists(st.none() | st.integers(0, 12), min_size=1, max_size=5)


def variant(number: int, left: int | None, price: int) -> VariantDTO:
    """Make a variant of which so many are left."""
    return VariantDTO(
        id=number,
        product_id=1,
        product_slug="jam",
        title="Jam",
        label=f"Size {number}",
        unit="each",
        price=Decimal(price),
        vat_rate=Decimal(0),
        available=left,
        on_show=True,
        container_id=1,
    )


def product(left: list[int | None], prices: list[int] | None = None) -> ProductDTO:
    """Make a product with a variant for each of these stocks."""
    kinds = zip(left, prices or [4] * len(left), strict=True)
    variants = tuple(variant(number, each, price) for number, (each, price) in enumerate(kinds, start=1))
    return ProductDTO(1, "jam", "Jam", "", "each", 1, Decimal(0), variants)


@pytest.mark.parametrize(
    ("left", "note"),
    [(None, ""), (0, "Sold out"), (1, "1 left"), (FEW_LEFT, f"{FEW_LEFT} left"), (FEW_LEFT + 1, "")],
)
def test_a_kind_says_what_is_left_of_it_where_that_matters(left: int | None, note: str) -> None:
    (kind,) = offer_of(product([left])).kinds

    assert kind.note == note
    assert kind.buyable is (left != 0)


@given(lefts)
def test_a_product_is_sold_out_exactly_when_all_its_kinds_are(left: list[int | None]) -> None:
    made = product(left)
    offer = offer_of(made)

    assert offer.is_sold_out == (not any(kind.buyable for kind in offer.kinds)) == made.is_sold_out
    assert (offer.note == "Sold out") == offer.is_sold_out


@given(lefts)
def test_no_kind_has_more_left_than_the_most(left: list[int | None]) -> None:
    most = offer_of(product(left)).most

    assert most is None if None in left else most in left
    assert most is None or all(each is not None and each <= most for each in left)


@given(
    lefts.flatmap(
        lambda left: st.tuples(st.just(left), st.lists(st.integers(0, 9), min_size=len(left), max_size=len(left)))
    )
)
def test_the_price_of_a_list_is_one_that_somebody_can_pay(drawn: tuple[list[int | None], list[int]]) -> None:
    left, prices = drawn
    made = product(left, prices)
    payable = [price for price, each in zip(prices, left, strict=True) if each != 0] or prices

    assert made.price == min(payable)
    assert made.has_dearer == (len(set(payable)) > 1)
