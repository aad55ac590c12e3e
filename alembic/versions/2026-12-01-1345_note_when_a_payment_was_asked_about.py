"""Note when the provider was last asked about a payment for somebody who looked: the return page is anybody's."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "5d1f7c2a9e64"
down_revision = "3b9e5d0c7f42"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.add_column("payments", sa.Column("asked_at", sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    """Take back."""
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.drop_column("payments", "asked_at")
