"""Count sign-in mails by the inbox that they reach and by the network that asked for them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "9a2d6f4b1c38"
down_revision = "7c4e1b92d8a5"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.add_column("sign_in_links", sa.Column("inbox", sa.Text(), server_default="", nullable=False))
    op.add_column("sign_in_links", sa.Column("network", sa.Text(), server_default="", nullable=False))
    op.execute("UPDATE sign_in_links SET inbox = email")
    op.drop_index("ix_sign_in_links_email_created_at", table_name="sign_in_links")
    op.create_index("ix_sign_in_links_created_at", "sign_in_links", ["created_at"])


def downgrade() -> None:
    """Take back."""
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.drop_index("ix_sign_in_links_created_at", table_name="sign_in_links")
    op.create_index("ix_sign_in_links_email_created_at", "sign_in_links", ["email", "created_at"])
    op.drop_column("sign_in_links", "network")
    op.drop_column("sign_in_links", "inbox")
