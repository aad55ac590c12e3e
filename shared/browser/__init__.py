"""What people see: templates, static files, and how money, times and codes are written."""
