"""The market app: what the pages sell in their shops."""
