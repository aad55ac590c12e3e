"""What the page about the safety of accounts is made of."""

from .entries import SecurityRow, list_security

__all__ = ["SecurityRow", "list_security"]
