"""The work behind the routes: no request in here."""
