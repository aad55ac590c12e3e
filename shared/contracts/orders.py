"""Orders, their lines, sellers and payments, as they are read."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from .states import (
    OrderState,
    PaymentState,
)

MOST_UNPAID = 2
"""How many orders of one buyer may wait for their payment at once."""


@dataclass(frozen=True, slots=True)
class OrderLineDTO:
    """One immutable line of an order, as it was at checkout."""

    id: int
    kind: str
    """Of which kind: a ``LineKind``, or another one's name."""
    title: str
    detail: str
    quantity: int
    unit_price: Decimal
    total: Decimal
    vat_rate: Decimal
    ticket_id: int | None = None
    entry_id: int | None = None
    ticket_type_id: int | None = None
    variant_id: int | None = None
    page_post_id: int | None = None
    thing_id: int | None = None
    """What is sold, where it is neither ticket, booking nor product."""


@dataclass(frozen=True, slots=True)
class SellerDTO:
    """Who sells some lines of a cart or an order, on which terms, and where their products are collected."""

    # Of an order from the row that checkout wrote: a dispute is about the terms of that day.
    page_post_id: int
    page_title: str
    name: str
    address: str
    email: str
    phone: str
    terms: str
    refund_policy: str
    collection_place: str
    collection_times: str

    @property
    def can_be_asked(self) -> bool:
        """Whether a buyer can write to them, or ring them."""
        return bool(self.email or self.phone)


@dataclass(frozen=True, slots=True)
class PaymentDTO:
    """One attempt to pay an order."""

    id: int
    order_id: int
    state: PaymentState
    amount: Decimal
    currency: str
    # The payment's own: its page may be paid to another account by now.
    merchant_code: str
    provider: str
    """The name of the provider that it was begun at."""
    checkout_reference: str
    checkout_id: str | None
    hosted_url: str | None
    valid_until: datetime
    transaction_id: str | None = None
    transaction_code: str | None = None


@dataclass(frozen=True, slots=True)
class OrderDTO:
    """An order with its lines. ``number`` is what people are shown."""

    id: int
    number: str
    state: OrderState
    total: Decimal
    currency: str
    created_at: datetime
    # Half an hour at the most: the provider's page lives no longer (docs/sumup.md § 3).
    expires_at: datetime
    paid_at: datetime | None
    user_id: int | None
    page_post_id: int | None
    merchant_code: str
    lines: tuple[OrderLineDTO, ...] = ()
    guest_email: str | None = None
    access_token_hash: str | None = None
    """What the token of a guest's order is known by; it opens nothing."""
