"""The work behind the ticket pages."""

from .tickets import available_ticket_counts, get_available_ticket_count

__all__ = ["available_ticket_counts", "get_available_ticket_count"]
