"""Keep a journal of what concerns the safety of accounts: who signed in, who was given power, who used it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from shared.db.functions import install

revision = "c6f0a3d9e817"
down_revision = "b4e8c1a75d20"
branch_labels = None
depends_on = None

INSTALLS = {"refuse_change": "54608c0266c1"}


def upgrade() -> None:
    """Apply."""
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.create_table(
        "security_journal",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False),
        sa.Column("event", sa.Text(), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=True),
        sa.Column("network", sa.Text(), server_default="", nullable=False),
        sa.Column("data", postgresql.JSONB(), nullable=True),
        sa.Column("request_id", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_security_journal")),
    )
    op.create_index("ix_security_journal_user_id_id", "security_journal", ["user_id", "id"])
    install(op.get_bind(), INSTALLS)


def downgrade() -> None:
    """Take back."""
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.drop_table("security_journal")
