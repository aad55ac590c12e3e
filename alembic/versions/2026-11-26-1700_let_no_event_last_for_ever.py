"""Let no event last for ever: lists of what is on need not look at what began more than a year ago."""

from __future__ import annotations

from alembic import op

revision = "c4d19b7e2f60"
down_revision = "b1c6f2a40d97"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.create_check_constraint(
        op.f("ck_calendar_entries_ends_within_a_year"),
        "calendar_entries",
        "end_at <= start_at + interval '366 days'",
    )


def downgrade() -> None:
    """Take back."""
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.drop_constraint(op.f("ck_calendar_entries_ends_within_a_year"), "calendar_entries", type_="check")
