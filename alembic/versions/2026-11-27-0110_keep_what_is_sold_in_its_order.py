"""Keep what is sold in its order: it may be let go by it, and not be moved to another one."""

from __future__ import annotations

from alembic import op

revision = "c41e7b8a95d3"
down_revision = "a6d14f90c2b8"
branch_labels = None
depends_on = None

TABLES = ("payments", "calendar_entries", "tickets", "stock_allocations")
"""In the order in which the apps lock their rows."""

STAY_IN_ORDER = """
CREATE FUNCTION stay_in_order() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% % may not go from order % to order %', TG_TABLE_NAME, OLD.id, OLD.order_id, NEW.order_id
        USING ERRCODE = 'check_violation', CONSTRAINT = 'stay_in_order';
END $$
"""


def upgrade() -> None:
    """Apply."""
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute(STAY_IN_ORDER)
    for table in TABLES:
        op.execute(
            f"""CREATE TRIGGER stay_in_order BEFORE UPDATE OF order_id ON {table} FOR EACH ROW
                WHEN (OLD.order_id <> NEW.order_id) EXECUTE FUNCTION stay_in_order()"""
        )


def downgrade() -> None:
    """Take back."""
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute("DROP FUNCTION stay_in_order() CASCADE")
