"""Pages and posts, as visitors read them."""
