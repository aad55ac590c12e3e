"""Pay a page to another account from a moment on: who sees the change in time can take it back."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "6e0a4d8c1f73"
down_revision = "2c7f9b3e6d15"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.add_column("page_configs", sa.Column("next_merchant_code", sa.Text(), nullable=True))
    op.add_column("page_configs", sa.Column("next_account_at", sa.DateTime(timezone=True), nullable=True))
    op.create_check_constraint(
        op.f("ck_page_configs_next_account"),
        "page_configs",
        "next_account_at IS NOT NULL OR next_merchant_code IS NULL",
    )


def downgrade() -> None:
    """Take back; an account that was to be used later is forgotten."""
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute("UPDATE page_configs SET sumup_merchant_code = next_merchant_code WHERE next_account_at <= now()")
    op.drop_constraint(op.f("ck_page_configs_next_account"), "page_configs", type_="check")
    op.drop_column("page_configs", "next_account_at")
    op.drop_column("page_configs", "next_merchant_code")
