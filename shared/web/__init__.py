"""The web layer that the four apps share: the app factory and what it puts together."""
