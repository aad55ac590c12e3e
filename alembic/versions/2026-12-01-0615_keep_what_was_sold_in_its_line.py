"""Keep what was sold in its line: which type, when and where it was to be, apart from the words that tell of it.

Lines that are there already get what is so today: how it was when they were ordered is known only as words.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "b83d5e0f7a16"
down_revision = "3d8e51b7f0a4"
branch_labels = None
depends_on = None

TEXTS = ("option_name", "time_zone", "place")
TIMES = ("start_at", "end_at")
FILL_IN = (
    """UPDATE order_lines l SET start_at = e.start_at, end_at = e.end_at, time_zone = c.time_zone, place = c.place,
           option_name = CASE l.kind WHEN 'booking' THEN c.name
               ELSE coalesce((SELECT t.name FROM ticket_types t WHERE t.id = l.ticket_type_id), '') END
       FROM calendar_entries e JOIN calendars c ON c.id = e.calendar_id
       WHERE e.id = l.entry_id""",
    "UPDATE order_lines SET option_name = detail WHERE kind = 'product'",
)


def upgrade() -> None:
    """Apply."""
    op.execute("SET LOCAL lock_timeout = '5s'")
    for column in TEXTS:
        op.add_column("order_lines", sa.Column(column, sa.Text(), server_default="", nullable=False))
    for column in TIMES:
        op.add_column("order_lines", sa.Column(column, sa.DateTime(timezone=True), nullable=True))
    # Lines are never changed: this once, for columns that have just been made, and for nobody but this transaction.
    op.execute("ALTER TABLE order_lines DISABLE TRIGGER refuse_change")
    for statement in FILL_IN:
        op.execute(statement)
    op.execute("ALTER TABLE order_lines ENABLE TRIGGER refuse_change")


def downgrade() -> None:
    """Take back."""
    op.execute("SET LOCAL lock_timeout = '5s'")
    for column in (*TIMES, *TEXTS):
        op.drop_column("order_lines", column)
