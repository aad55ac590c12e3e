"""Let an order's line sell any kind of thing: tickets, bookings and products keep their columns, others name a row."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "3b9e5d0c7f42"
down_revision = "b83d5e0f7a16"
branch_labels = None
depends_on = None

KNOWN = "kind IN ('ticket', 'booking', 'product')"


def upgrade() -> None:
    """Apply."""
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.add_column("order_lines", sa.Column("thing_id", sa.BigInteger(), nullable=True))
    op.drop_constraint(op.f("ck_order_lines_kind"), "order_lines", type_="check")
    op.create_check_constraint(op.f("ck_order_lines_kind"), "order_lines", "kind ~ '^[a-z][a-z_]*$'")
    op.create_check_constraint(op.f("ck_order_lines_thing"), "order_lines", f"{KNOWN} OR thing_id IS NOT NULL")
    op.create_index(
        "uq_order_lines_order_id_kind_thing_id",
        "order_lines",
        ["order_id", "kind", "thing_id"],
        unique=True,
        postgresql_where=sa.text("thing_id IS NOT NULL"),
    )


def downgrade() -> None:
    """Take back; refused by the database where lines of another kind were sold meanwhile."""
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.drop_index("uq_order_lines_order_id_kind_thing_id", table_name="order_lines")
    op.drop_constraint(op.f("ck_order_lines_thing"), "order_lines", type_="check")
    op.drop_constraint(op.f("ck_order_lines_kind"), "order_lines", type_="check")
    op.create_check_constraint(op.f("ck_order_lines_kind"), "order_lines", KNOWN)
    op.drop_column("order_lines", "thing_id")
