"""Every state has its words: none that a page could stumble over."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

import pytest

from shared import labels
from shared.contracts.journal import SecurityEvent
from shared.contracts.states import (
    DebtReason,
    DebtState,
    EntryState,
    LineKind,
    OrderState,
    PaymentState,
    RefundState,
    Role,
    StockState,
    TicketState,
)


@pytest.mark.parametrize(
    ("words", "states"),
    [
        (labels.ORDER_TAGS, OrderState),
        (labels.STAFF_ORDER_TAGS, OrderState),
        (labels.PAYMENT_TAGS, PaymentState),
        (labels.DEBT_TAGS, DebtState),
        (labels.DEBT_REASONS, DebtReason),
        (labels.REFUND_WORDS, RefundState),
        (labels.TICKET_TAGS, TicketState),
        (labels.BOOKING_TAGS, EntryState),
        (labels.PRODUCT_TAGS, StockState),
        (labels.OWN_TAGS[LineKind.TICKET], TicketState),
        (labels.OWN_TAGS[LineKind.BOOKING], EntryState),
        (labels.OWN_TAGS[LineKind.PRODUCT], StockState),
        (labels.PAST_TICKET, TicketState),
        (labels.SECURITY_EVENTS, SecurityEvent),
        (labels.ROLE_MAY, Role),
    ],
)
def test_every_state_has_its_words(words: Mapping[str, Any], states: type[StrEnum]) -> None:
    assert set(words) == set(states)
