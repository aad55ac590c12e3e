"""The payment provider's notices."""
