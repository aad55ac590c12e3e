"""Let buyers write to sellers and ring them: how a seller is reached, as at checkout, and where answers to mails go."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "7f2d9c60b3e8"
down_revision = "c41e7b8a95d3"
branch_labels = None
depends_on = None

COLUMNS = (
    ("page_configs", "seller_email"),
    ("page_configs", "seller_phone"),
    ("order_sellers", "email"),
    ("order_sellers", "phone"),
    ("mails", "reply_to"),
)


def upgrade() -> None:
    """Apply."""
    op.execute("SET LOCAL lock_timeout = '5s'")
    for table, column in COLUMNS:
        op.add_column(table, sa.Column(column, sa.Text(), server_default="", nullable=False))


def downgrade() -> None:
    """Take back."""
    op.execute("SET LOCAL lock_timeout = '5s'")
    for table, column in COLUMNS:
        op.drop_column(table, column)
