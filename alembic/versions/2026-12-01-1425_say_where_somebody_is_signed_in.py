"""Say on which device a session is, and let an account be locked."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "b4e8c1a75d20"
down_revision = "9a2d6f4b1c38"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.add_column("sessions", sa.Column("device", sa.Text(), server_default="", nullable=False))
    op.add_column("users", sa.Column("locked_at", sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    """Take back."""
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.drop_column("users", "locked_at")
    op.drop_column("sessions", "device")
