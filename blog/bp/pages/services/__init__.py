"""What the pages show, gathered from the domains."""
