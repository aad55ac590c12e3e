"""The blueprints of the events app."""
