"""Give up on mails that nobody takes: they are marked, and no longer tried."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "d9a04c7be315"
down_revision = "c4d19b7e2f60"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.add_column("mails", sa.Column("given_up_at", sa.DateTime(timezone=True), nullable=True))
    op.create_check_constraint(op.f("ck_mails_sent_or_given_up"), "mails", "sent_at IS NULL OR given_up_at IS NULL")
    _index("sent_at IS NULL AND given_up_at IS NULL")


def downgrade() -> None:
    """Take back."""
    op.execute("SET LOCAL lock_timeout = '5s'")
    _index("sent_at IS NULL")
    op.drop_constraint(op.f("ck_mails_sent_or_given_up"), "mails", type_="check")
    op.drop_column("mails", "given_up_at")


def _index(where: str) -> None:
    """Make the index of what waits anew."""
    op.drop_index("ix_mails_unsent", table_name="mails")
    op.create_index("ix_mails_unsent", "mails", ["created_at"], postgresql_where=sa.text(where))
