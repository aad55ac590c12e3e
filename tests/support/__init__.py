"""What the tests share and that is no fixture of its own."""
