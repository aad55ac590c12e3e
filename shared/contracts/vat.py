"""VAT contained in prices, by rate (prices include VAT). docs/pricing.md says how it rounds."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from .money import to_cents

HUNDRED = Decimal(100)


@dataclass(frozen=True, slots=True)
class VatLine:
    """What was sold at one rate (in per cent): with VAT, without it, and the VAT, in the installation's currency."""

    rate: Decimal
    gross: Decimal
    net: Decimal
    vat: Decimal


def vat_by_rate(sold: Iterable[tuple[Decimal, Decimal]]) -> tuple[VatLine, ...]:
    """Return the VAT contained in ``sold`` (pairs of rate and amount), the highest rate first.

    It is reckoned once for all of a rate, and rounded half up to a penny, so that lines and receipts agree however the
    lines are cut. Nothing of it is added: gross is what is paid.
    """
    gross: dict[Decimal, Decimal] = {}
    for rate, amount in sold:
        gross[rate] = gross.get(rate, Decimal(0)) + amount
    # What was free would make a line that says nothing.
    return tuple(_line(rate, gross[rate]) for rate in sorted(gross, reverse=True) if gross[rate])


def _line(rate: Decimal, gross: Decimal) -> VatLine:
    # Rounded once, and net is the rest: the two add up to what was paid, whatever the rate.
    vat = to_cents(gross * rate / (HUNDRED + rate))
    return VatLine(rate=rate, gross=gross, net=gross - vat, vat=vat)


def rate_text(rate: Decimal) -> str:
    """Write a rate for people: ``20%``, ``5.5%``."""
    # ``normalize`` drops the zeros of 20.00; ``:f`` keeps 20 from being written 2E+1.
    return f"{rate.normalize():f}%"
