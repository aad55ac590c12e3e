"""What the pages show on which times of a calendar are booked."""
