"""The calendar domain's parts, behind SqlCalendarService."""
