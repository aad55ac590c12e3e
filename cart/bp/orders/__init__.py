"""A shopper's orders."""
