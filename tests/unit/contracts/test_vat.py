"""VAT that is contained in prices: reckoned once a rate, so that however lines are cut, the sums are the same."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.contracts.vat import VatLine, rate_text, vat_by_rate

amounts = st.decimals(0, Decimal("9999.99"), places=2)
rates = st.sampled_from([Decimal(rate) for rate in ("0", "5", "5.5", "7", "19", "20")])
sold = st.lists(st.tuples(rates, amounts), max_size=12)


@pytest.mark.parametrize(
    ("gross", "rate", "net", "vat"),
    [
        ("12.00", "20", "10.00", "2.00"),
        ("4.50", "20", "3.75", "0.75"),
        ("0.03", "20", "0.02", "0.01"),  # 0.005 is rounded up
        ("0.02", "20", "0.02", "0.00"),
        ("10.00", "5.5", "9.48", "0.52"),
        ("8.00", "0", "8.00", "0.00"),
    ],
)
def test_the_vat_in_a_price_is_rounded_half_up_to_a_penny(gross: str, rate: str, net: str, vat: str) -> None:
    assert vat_by_rate([(Decimal(rate), Decimal(gross))]) == (
        VatLine(rate=Decimal(rate), gross=Decimal(gross), net=Decimal(net), vat=Decimal(vat)),
    )


def test_rates_are_listed_from_the_highest_and_equal_ones_are_one() -> None:
    found = vat_by_rate([(Decimal(5), Decimal("1.05")), (Decimal(20), Decimal(12)), (Decimal("5.00"), Decimal("1.05"))])
    assert [(line.rate, line.gross, line.vat) for line in found] == [
        (Decimal(20), Decimal(12), Decimal("2.00")),
        (Decimal(5), Decimal("2.10"), Decimal("0.10")),
    ]


def test_what_is_free_has_no_line() -> None:
    assert vat_by_rate([(Decimal(20), Decimal("0.00"))]) == ()
    assert vat_by_rate([]) == ()


@given(lines=sold)
def test_nothing_is_added_to_what_is_paid(lines: list[tuple[Decimal, Decimal]]) -> None:
    found = vat_by_rate(lines)
    assert sum(line.gross for line in found) == sum(amount for _, amount in lines)
    assert all(line.net + line.vat == line.gross for line in found)
    assert all(Decimal(0) <= line.vat <= line.gross for line in found)


@given(lines=sold, rate=rates, pair=st.tuples(amounts, amounts))
def test_it_does_not_matter_how_lines_are_cut(
    lines: list[tuple[Decimal, Decimal]], rate: Decimal, pair: tuple[Decimal, Decimal]
) -> None:
    one, other = pair
    assert vat_by_rate([*lines, (rate, one), (rate, other)]) == vat_by_rate([(rate, one + other), *reversed(lines)])


@pytest.mark.parametrize(
    ("rate", "text"), [("20", "20%"), ("20.00", "20%"), ("5.50", "5.5%"), ("0", "0%"), ("100", "100%")]
)
def test_a_rate_is_written_without_needless_digits(rate: str, text: str) -> None:
    assert rate_text(Decimal(rate)) == text
