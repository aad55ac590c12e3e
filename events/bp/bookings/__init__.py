"""Booking times of a calendar: a month, a day, and into the cart."""
