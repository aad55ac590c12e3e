"""Engine, sessions, units of work, locks, and the embedded PostgreSQL."""
