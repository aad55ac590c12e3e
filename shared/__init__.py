"""What every app depends on; it depends on no app."""
