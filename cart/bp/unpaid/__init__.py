"""The two ways on from an unpaid order: pay it, or put it back into the cart."""
