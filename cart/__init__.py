"""The cart app: one cart, one checkout, orders, and refunds."""
