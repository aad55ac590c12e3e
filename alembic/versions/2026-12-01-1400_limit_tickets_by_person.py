"""Let an event say how many of its tickets one person may have over all orders."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "7c4e1b92d8a5"
down_revision = "5d1f7c2a9e64"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.add_column("calendar_entries", sa.Column("max_per_person", sa.BigInteger(), nullable=True))
    op.create_check_constraint(
        op.f("ck_calendar_entries_max_per_person"), "calendar_entries", "max_per_person IS NULL OR max_per_person > 0"
    )


def downgrade() -> None:
    """Take back."""
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.drop_constraint(op.f("ck_calendar_entries_max_per_person"), "calendar_entries", type_="check")
    op.drop_column("calendar_entries", "max_per_person")
