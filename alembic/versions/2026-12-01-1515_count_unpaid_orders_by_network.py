"""Note which network a guest's order came from, so that one network cannot hold everything unpaid."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "d2b7e4f9061c"
down_revision = "6e0a4d8c1f73"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.add_column("orders", sa.Column("network", sa.Text(), server_default="", nullable=False))
    op.create_index("ix_orders_network", "orders", ["created_at"], postgresql_where=sa.text("network <> ''"))


def downgrade() -> None:
    """Take back."""
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.drop_index("ix_orders_network", table_name="orders")
    op.drop_column("orders", "network")
