"""What is on: across all calendars, and of one."""
