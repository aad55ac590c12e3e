"""What is sold: one module a kind of thing, and the protocol that all of them keep. The lowest of the cart's layers."""
