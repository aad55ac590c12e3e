"""Dividing an amount among lines: to the cent, and never more of a line than is left of it."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from cart.refunds.refundable import RefundableLine, spread

CENTS = st.integers(min_value=0, max_value=10_000_000).map(lambda cents: Decimal(cents) / 100)


def a_line(number: int, left: Decimal) -> RefundableLine:
    return RefundableLine(number, "Ticket", "", 1, left, left)


@given(lefts=st.lists(CENTS, min_size=1, max_size=12).filter(any), part=st.floats(min_value=0, max_value=1))
def test_an_amount_is_divided_to_the_cent_within_what_is_left(lefts: list[Decimal], part: float) -> None:
    total = sum(lefts, Decimal(0))
    amount = max(Decimal("0.01"), (total * Decimal(part)).quantize(Decimal("0.01")))

    shares = spread(min(amount, total), [a_line(number, left) for number, left in enumerate(lefts)])

    assert sum(share.amount for share in shares) == min(amount, total)
    assert all(share.line is not None and 0 < share.amount <= share.line.left for share in shares)
    assert all(share.amount == share.amount.quantize(Decimal("0.01")) for share in shares)


@given(lefts=st.lists(CENTS, min_size=1, max_size=12).filter(any))
def test_all_that_is_left_gives_every_line_its_own(lefts: list[Decimal]) -> None:
    shares = spread(sum(lefts, Decimal(0)), [a_line(number, left) for number, left in enumerate(lefts)])

    assert [(share.line_id, share.amount) for share in shares] == [(n, left) for n, left in enumerate(lefts) if left]
