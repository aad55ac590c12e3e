"""What the pages about waiting bookings show."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from cart.bp.bookings.services import WaitingBooking
from cart.bp.notes import NotePage
from cart.bp.orders.pages import LineSummary, summarise
from shared.contracts.dtos import ZERO, OrderDTO
from shared.contracts.errors import ShopError

RESULTS: dict[str, str] = {
    "approved": "The booking is confirmed, and the booker is told by mail.",
    "declined": "The booking is declined, and the booker is told by mail.",
    "owed": "The booking is declined, and the booker is told by mail. What was paid for it stands in the refund queue.",
}
"""What is said after a decision."""


@dataclass(frozen=True, slots=True)
class WaitingView:
    """A booking in the list."""

    waiting: WaitingBooking
    has_begun: bool
    """Whether its time has come, and nobody has decided."""


@dataclass(frozen=True, slots=True)
class BookingsPage:
    """A page of the queue, soonest first."""

    bookings: tuple[WaitingView, ...]
    next_url: str
    result: str = ""
    owes: bool = False
    """Whether the result put something into the refund queue."""
    problem: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class BookingPage(NotePage):
    """One booking with the order that it is part of, and the question whether it is to be confirmed or declined.

    With the question a word to the booker may be noted.
    """

    waiting: WaitingBooking
    has_begun: bool
    order: OrderDTO
    lines: tuple[LineSummary, ...]
    question: str = ""
    """``approve``, ``decline``, or empty: nothing is asked yet."""
    owed: Decimal = ZERO
    """What is owed back once it is declined, where that is asked."""


def view_of(waiting: WaitingBooking, now: datetime) -> WaitingView:
    """Return a booking as the queue shows it."""
    return WaitingView(waiting, has_begun=waiting.entry.start_at <= now)


def build_booking_page(
    waiting: WaitingBooking,
    order: OrderDTO,
    *,
    now: datetime,
    time_zone: str,
    question: str = "",
    owed: Decimal = ZERO,
    typed: str = "",
    refusal: ShopError | None = None,
) -> BookingPage:
    """Put a booking's page together."""
    return BookingPage(
        waiting=waiting,
        has_begun=waiting.entry.start_at <= now,
        order=order,
        lines=summarise(order.lines),
        time_zone=time_zone,
        question=question,
        owed=owed,
        typed=typed,
        refusal=refusal,
    )
