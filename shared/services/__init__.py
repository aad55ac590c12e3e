"""What stands behind the protocols. Takes the caller's session, never commits, knows no request."""
