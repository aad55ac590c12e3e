"""Bookings that wait for approval, and the decision on them."""

from .decide import decide_booking, owed_if_declined
from .queue import WaitingBooking, find_waiting, list_waiting, order_of

__all__ = ["WaitingBooking", "decide_booking", "find_waiting", "list_waiting", "order_of", "owed_if_declined"]
