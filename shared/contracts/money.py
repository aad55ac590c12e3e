"""Money: an exact amount and its currency, in major units with two decimals (docs/pricing.md).

One currency serves an installation. Prices include VAT. Never a float outside the SumUp adapter.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

ZERO = Decimal("0.00")
CENT = Decimal("0.01")
SYMBOLS = {"GBP": "£", "EUR": "€", "USD": "$"}


def to_cents(value: Decimal) -> Decimal:
    """Round ``value`` half up to two decimals, the form in which money is stored and compared."""
    # Half up, as people round; Python's own default would round half a penny to the even one.
    return value.quantize(CENT, rounding=ROUND_HALF_UP)


@dataclass(frozen=True, slots=True)
class Money:
    """An amount in major units of ``currency`` (an ISO 4217 code)."""

    amount: Decimal
    currency: str

    def __str__(self) -> str:
        """Write it for people: ``£12.50``, or ``12.50 CHF`` where the currency has no short symbol here."""
        amount = f"{to_cents(self.amount):,.2f}"
        symbol = SYMBOLS.get(self.currency)
        if symbol is None:
            return f"{amount} {self.currency}"
        # The sign goes before the symbol, as people write it.
        return f"-{symbol}{amount[1:]}" if amount.startswith("-") else f"{symbol}{amount}"


def price_of(type_cost: Decimal | None, entry_price: Decimal | None) -> Decimal | None:
    """Return a ticket's price: its type's unless the type has none, then the entry's.

    ``0.00`` is a price; only ``None`` falls through (docs/pricing.md).
    """
    # Not ``or``: a price of 0.00 counts as false, and a free ticket would cost the entry's price.
    return entry_price if type_cost is None else type_cost
