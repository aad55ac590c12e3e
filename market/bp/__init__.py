"""The blueprints of the market app."""
