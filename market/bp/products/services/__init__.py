"""What the product pages show, gathered from the domains."""
