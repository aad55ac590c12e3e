"""What the apps' role may do: applied after every migration, and the same each time."""

from __future__ import annotations

from sqlalchemy import text
from sqlalchemy.engine import Connection

APP_ROLE = "maypole_app"
APPEND_ONLY = ("journal", "security_journal", "order_lines", "order_sellers")
"""Tables that the apps may add to and read, and nothing else (docs/money.md, promise 13)."""
READ_ONLY = ("alembic_version", "allowed_transitions")
"""Tables that only the migrations write."""


def apply_grants(connection: Connection) -> None:
    """Give the apps' role its rights. Does nothing where the server has no such role. Safe to repeat."""
    # Somebody may run everything as one role on a server of their own.
    known = connection.scalar(text("SELECT 1 FROM pg_roles WHERE rolname = :role"), {"role": APP_ROLE})
    if known is None:
        return
    tables = set(connection.scalars(text("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")))
    for statement in (
        f"GRANT USAGE ON SCHEMA public TO {APP_ROLE}",
        # All first, then less: a table of a later migration is usable without a line here.
        f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {APP_ROLE}",
        f"GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO {APP_ROLE}",
        *(f"REVOKE UPDATE, DELETE ON {table} FROM {APP_ROLE}" for table in APPEND_ONLY if table in tables),
        *(f"REVOKE INSERT, UPDATE, DELETE ON {table} FROM {APP_ROLE}" for table in READ_ONLY if table in tables),
    ):
        connection.execute(text(statement))
