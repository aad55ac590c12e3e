"""Orders: read, mailed about, cancelled. The lowest of the cart's layers."""
