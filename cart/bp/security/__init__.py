"""Which account each page is paid to, for admins."""
