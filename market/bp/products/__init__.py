"""Products, as visitors browse them."""
