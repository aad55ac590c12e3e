"""Bookings that are paid and wait for a yes, for admins."""
