"""The cart itself: looking at it, changing it, checking out, and coming back from the payment."""
