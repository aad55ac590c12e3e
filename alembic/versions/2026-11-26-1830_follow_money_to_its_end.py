"""Follow money to its end: debts of an admin's making, what the provider knows and we do not, a fuller journal."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "e1f7c20a9b64"
down_revision = "d9a04c7be315"
branch_labels = None
depends_on = None

REPLACED = {
    "debts": {
        "reason": "reason IN ('sold_out', 'paid_twice', 'order_closed', 'cancelled_by_organiser', 'declined', 'goodwill')"
    },
    "user_roles": {"role": "role IN ('admin')"},
}
CHECKS = {
    "debts": {
        "reason": "reason IN ('sold_out', 'paid_twice', 'order_closed', 'cancelled_by_organiser', 'declined', 'goodwill',"
        " 'overpaid', 'mismatch')",
        "by_hand_says_who_and_how": "NOT by_hand OR (state = 'settled' AND settled_by IS NOT NULL AND note <> '')",
    },
    "payments": {"owed_within_amount": "owed >= 0 AND owed <= amount"},
    "user_roles": {"role": "role IN ('admin', 'orders', 'refunds')"},
}

# What of a payment is owed or was given back, each penny once: its debts, and what went back without any.
COUNT_OWED = """
CREATE FUNCTION count_owed() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    delta numeric := 0;
BEGIN
    IF TG_TABLE_NAME = 'debts' THEN
        delta := CASE WHEN TG_OP = 'DELETE' THEN 0 ELSE NEW.amount END
               - CASE WHEN TG_OP = 'INSERT' THEN 0 ELSE OLD.amount END;
    ELSE
        IF TG_OP <> 'INSERT' AND OLD.debt_id IS NULL AND OLD.state = 'external' THEN
            delta := delta - OLD.amount;
        END IF;
        IF TG_OP <> 'DELETE' AND NEW.debt_id IS NULL AND NEW.state = 'external' THEN
            delta := delta + NEW.amount;
        END IF;
    END IF;
    IF delta <> 0 THEN
        UPDATE payments SET owed = owed + delta WHERE id = coalesce(NEW.payment_id, OLD.payment_id);
    END IF;
    RETURN NULL;
END $$
"""

# The order is locked by whoever writes a debt, so two of one line never look past each other.
HOLD_DEBTS_TO_LINE = """
CREATE FUNCTION hold_debts_to_line() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.order_line_id IS NOT NULL AND (
        SELECT coalesce(sum(d.amount), 0) FROM debts d WHERE d.order_line_id = NEW.order_line_id AND d.id <> NEW.id
    ) + NEW.amount > (SELECT l.total FROM order_lines l WHERE l.id = NEW.order_line_id) THEN
        RAISE EXCEPTION 'debts of order line % are more than it cost (debts_within_line)', NEW.order_line_id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'debts_within_line';
    END IF;
    RETURN NULL;
END $$
"""

# Who and why come from the transaction (shared/services/journal.py); a change that nobody announced is the system's.
WRITE_JOURNAL = """
CREATE FUNCTION write_journal() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO journal (thing, thing_id, order_id, event, actor, why, data, request_id)
    VALUES (
        TG_ARGV[0],
        NEW.id,
        CASE WHEN TG_OP = 'INSERT' THEN NEW.order_id ELSE coalesce(NEW.order_id, OLD.order_id) END,
        NEW.state,
        coalesce(nullif(current_setting('maypole.actor', true), ''), 'system'),
        coalesce(current_setting('maypole.why', true), ''),
        CASE WHEN TG_OP = 'INSERT' THEN jsonb_build_object('to', NEW.state)
             ELSE jsonb_build_object('from', OLD.state, 'to', NEW.state) END,
        nullif(current_setting('maypole.request_id', true), '')
    );
    RETURN NULL;
END $$
"""

JOURNALED = {"tickets": "ticket", "calendar_entries": "entry", "stock_allocations": "stock"}
TRIGGERS = (
    """CREATE TRIGGER count_owed AFTER INSERT OR UPDATE OF amount OR DELETE ON debts
        FOR EACH ROW EXECUTE FUNCTION count_owed()""",
    """CREATE TRIGGER count_owed AFTER INSERT OR UPDATE OF state, amount, debt_id OR DELETE ON refunds
        FOR EACH ROW EXECUTE FUNCTION count_owed()""",
    """CREATE TRIGGER hold_debts_to_line AFTER INSERT OR UPDATE OF amount, order_line_id ON debts
        FOR EACH ROW EXECUTE FUNCTION hold_debts_to_line()""",
    *(
        f"""CREATE TRIGGER write_journal_of_new AFTER INSERT ON {table} FOR EACH ROW
            WHEN (NEW.order_id IS NOT NULL) EXECUTE FUNCTION write_journal('{thing}')"""
        for table, thing in JOURNALED.items()
    ),
    *(
        f"""CREATE TRIGGER write_journal AFTER UPDATE OF state ON {table} FOR EACH ROW
            WHEN (OLD.state IS DISTINCT FROM NEW.state AND (OLD.order_id IS NOT NULL OR NEW.order_id IS NOT NULL))
            EXECUTE FUNCTION write_journal('{thing}')"""
        for table, thing in JOURNALED.items()
    ),
)
FUNCTIONS = {
    "count_owed": COUNT_OWED,
    "hold_debts_to_line": HOLD_DEBTS_TO_LINE,
    "write_journal": WRITE_JOURNAL,
}

INDEXES = (
    ("ix_users_name_prefix", "users", [sa.text("lower(name) text_pattern_ops")], None),
    ("ix_users_email_prefix", "users", [sa.text("email text_pattern_ops")], None),
    (
        "ix_orders_guest_email_prefix",
        "orders",
        [sa.text("lower(guest_email) text_pattern_ops")],
        "guest_email IS NOT NULL",
    ),
    ("ix_orders_state_id", "orders", ["state", "id"], None),
    ("ix_orders_created_at", "orders", ["created_at"], None),
    ("ix_order_lines_page_post_id_order_id", "order_lines", ["page_post_id", "order_id"], None),
    ("ix_payments_needing_a_person", "payments", ["order_id"], "state IN ('review', 'unknown', 'closing')"),
)


def upgrade() -> None:
    """Apply."""
    op.execute("SET LOCAL lock_timeout = '5s'")
    _add_columns()
    _make_tables()
    op.drop_constraint(op.f("uq_debts_payment_id_order_line_id"), "debts", type_="unique")
    op.create_index(
        "uq_debts_once",
        "debts",
        ["payment_id", "order_line_id"],
        unique=True,
        postgresql_nulls_not_distinct=True,
        postgresql_where=sa.text("reason NOT IN ('goodwill', 'cancelled_by_organiser')"),
    )
    op.execute(
        "UPDATE payments p SET owed = (SELECT coalesce(sum(d.amount), 0) FROM debts d WHERE d.payment_id = p.id)"
    )
    for table, named in REPLACED.items():
        for name in named:
            op.drop_constraint(op.f(f"ck_{table}_{name}"), table, type_="check")
    for table, named in CHECKS.items():
        for name, rule in named.items():
            op.create_check_constraint(op.f(f"ck_{table}_{name}"), table, rule)
    for statement in (*FUNCTIONS.values(), *TRIGGERS):
        op.execute(statement)
    for name, table, columns, where in INDEXES:
        op.create_index(name, table, columns, postgresql_where=None if where is None else sa.text(where))


def downgrade() -> None:
    """Take back."""
    op.execute("SET LOCAL lock_timeout = '5s'")
    for name, table, _, _ in INDEXES:
        op.drop_index(name, table_name=table)
    for name in FUNCTIONS:
        op.execute(f"DROP FUNCTION {name}() CASCADE")
    for table, named in CHECKS.items():
        for name in named:
            op.drop_constraint(op.f(f"ck_{table}_{name}"), table, type_="check")
    for table, named in REPLACED.items():
        for name, rule in named.items():
            op.create_check_constraint(op.f(f"ck_{table}_{name}"), table, rule)
    op.drop_index("uq_debts_once", table_name="debts")
    op.create_unique_constraint(
        op.f("uq_debts_payment_id_order_line_id"),
        "debts",
        ["payment_id", "order_line_id"],
        postgresql_nulls_not_distinct=True,
    )
    for table in ("order_notes", "provider_findings", "provider_walks"):
        op.drop_table(table)
    op.drop_index("uq_refunds_external_event", table_name="refunds")
    op.drop_index("uq_debts_request_key", table_name="debts")
    for table, column in (
        ("page_configs", "refund_automatically"),
        ("payments", "owed"),
        ("refunds", "provider_event"),
        ("refunds", "chargeback"),
        ("debts", "request_key"),
        ("debts", "settled_by"),
        ("debts", "by_hand"),
    ):
        op.drop_column(table, column)


def _add_columns() -> None:
    """Add what debts, refunds, payments and pages have to say besides."""
    false = sa.text("false")
    op.add_column("debts", sa.Column("by_hand", sa.Boolean(), server_default=false, nullable=False))
    op.add_column("debts", sa.Column("settled_by", sa.BigInteger(), nullable=True))
    op.create_foreign_key(op.f("fk_debts_settled_by"), "debts", "users", ["settled_by"], ["id"])
    op.add_column("debts", sa.Column("request_key", sa.Uuid(), nullable=True))
    op.create_index(
        "uq_debts_request_key",
        "debts",
        ["request_key", "payment_id", "order_line_id"],
        unique=True,
        postgresql_nulls_not_distinct=True,
        postgresql_where=sa.text("request_key IS NOT NULL"),
    )
    op.add_column("refunds", sa.Column("provider_event", sa.Text(), nullable=True))
    op.add_column("refunds", sa.Column("chargeback", sa.Boolean(), server_default=false, nullable=False))
    op.create_index(
        "uq_refunds_external_event",
        "refunds",
        ["payment_id", "provider_event", "debt_id"],
        unique=True,
        postgresql_nulls_not_distinct=True,
        postgresql_where=sa.text("provider_event IS NOT NULL"),
    )
    op.add_column("payments", sa.Column("owed", sa.Numeric(precision=10, scale=2), server_default="0", nullable=False))
    op.add_column("page_configs", sa.Column("refund_automatically", sa.Boolean(), server_default=false, nullable=False))


def _make_tables() -> None:
    """Make the tables of what the provider told, and of what admins note."""
    now = sa.text("now()")
    op.create_table(
        "provider_walks",
        sa.Column("merchant_code", sa.Text(), nullable=False),
        sa.Column("walked_until", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("merchant_code", name=op.f("pk_provider_walks")),
    )
    op.create_table(
        "provider_findings",
        sa.Column("merchant_code", sa.Text(), nullable=False),
        sa.Column("transaction_id", sa.Text(), nullable=False),
        sa.Column("transaction_code", sa.Text(), server_default="", nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("payment_id", sa.BigInteger(), nullable=True),
        sa.Column("amount", sa.Numeric(precision=10, scale=2), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("happened_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("found_at", sa.DateTime(timezone=True), server_default=now, nullable=False),
        sa.Column("resolved_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("resolved_by", sa.BigInteger(), nullable=True),
        sa.Column("note", sa.Text(), server_default="", nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.CheckConstraint(
            "kind IN ('foreign_payment', 'external_refund', 'chargeback', 'difference')",
            name=op.f("ck_provider_findings_kind"),
        ),
        sa.CheckConstraint(
            "resolved_at IS NULL OR (resolved_by IS NOT NULL AND note <> '')",
            name=op.f("ck_provider_findings_resolved_says_who_and_how"),
        ),
        sa.ForeignKeyConstraint(["payment_id"], ["payments.id"], name=op.f("fk_provider_findings_payment_id")),
        sa.ForeignKeyConstraint(["resolved_by"], ["users.id"], name=op.f("fk_provider_findings_resolved_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_provider_findings")),
        sa.UniqueConstraint(
            "merchant_code",
            "transaction_id",
            "kind",
            "amount",
            name=op.f("uq_provider_findings_merchant_code_transaction_id_kind_amount"),
        ),
    )
    op.create_index("ix_provider_findings_payment_id", "provider_findings", ["payment_id"])
    op.create_index(
        "ix_provider_findings_open", "provider_findings", ["id"], postgresql_where=sa.text("resolved_at IS NULL")
    )
    op.create_table(
        "order_notes",
        sa.Column("order_id", sa.BigInteger(), nullable=False),
        sa.Column("author_id", sa.BigInteger(), nullable=True),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=now, nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.CheckConstraint("body <> ''", name=op.f("ck_order_notes_body")),
        sa.ForeignKeyConstraint(
            ["author_id"], ["users.id"], name=op.f("fk_order_notes_author_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name=op.f("fk_order_notes_order_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_order_notes")),
    )
    op.create_index("ix_order_notes_order_id", "order_notes", ["order_id"])
