"""Try a mail one at a time: nobody finds it due while an attempt to send it has its time."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "a6d14f90c2b8"
down_revision = "5b83f0d2ac17"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.execute("SET LOCAL lock_timeout = '5s'")
    soon = sa.text("now() + interval '30 seconds'")
    op.add_column("mails", sa.Column("next_try_at", sa.DateTime(timezone=True), server_default=soon, nullable=False))
    _index("next_try_at")


def downgrade() -> None:
    """Take back."""
    op.execute("SET LOCAL lock_timeout = '5s'")
    _index("created_at")
    op.drop_column("mails", "next_try_at")


def _index(column: str) -> None:
    """Make the index of what waits anew."""
    op.drop_index("ix_mails_unsent", table_name="mails")
    waits = sa.text("sent_at IS NULL AND given_up_at IS NULL")
    op.create_index("ix_mails_unsent", "mails", [column], postgresql_where=waits)
