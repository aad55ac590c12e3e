"""Tell findings of one sum apart by the movement that they are about, and index what needs attention."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "5b83f0d2ac17"
down_revision = "e1f7c20a9b64"
branch_labels = None
depends_on = None

KEY = ("merchant_code", "transaction_id", "kind", "amount")
OLD_NAME = "uq_provider_findings_merchant_code_transaction_id_kind_amount"
NAME = "uq_provider_findings_once"

# Until now there was one finding of a sum: it is about the first movement of that sum which was counted.
NAME_EVENTS = """
UPDATE provider_findings f SET provider_event = counted.provider_event
FROM (
    SELECT DISTINCT ON (payment_id, chargeback, amount) payment_id, chargeback, amount, provider_event
    FROM (
        SELECT payment_id, chargeback, provider_event, sum(amount) AS amount, min(id) AS id
        FROM refunds WHERE state = 'external' AND provider_event IS NOT NULL
        GROUP BY payment_id, chargeback, provider_event
    ) movements
    ORDER BY payment_id, chargeback, amount, id
) counted
WHERE counted.payment_id = f.payment_id AND counted.amount = f.amount
    AND f.kind = CASE WHEN counted.chargeback THEN 'chargeback' ELSE 'external_refund' END
"""

# The old key has room for one of a sum: the newest is kept.
KEEP_NEWEST = """
DELETE FROM provider_findings f USING provider_findings newer
WHERE newer.id > f.id AND (newer.merchant_code, newer.transaction_id, newer.kind, newer.amount)
    = (f.merchant_code, f.transaction_id, f.kind, f.amount)
"""


def upgrade() -> None:
    """Apply."""
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.add_column("provider_findings", sa.Column("provider_event", sa.Text(), server_default="", nullable=False))
    op.execute(NAME_EVENTS)
    op.drop_constraint(op.f(OLD_NAME), "provider_findings", type_="unique")
    op.create_unique_constraint(op.f(NAME), "provider_findings", [*KEY, "provider_event"])
    op.create_index("ix_mails_given_up", "mails", ["kind", "key"], postgresql_where=sa.text("given_up_at IS NOT NULL"))
    op.create_index("ix_refunds_failed", "refunds", ["payment_id"], postgresql_where=sa.text("state = 'failed'"))


def downgrade() -> None:
    """Take back."""
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.drop_index("ix_refunds_failed", table_name="refunds")
    op.drop_index("ix_mails_given_up", table_name="mails")
    op.drop_constraint(op.f(NAME), "provider_findings", type_="unique")
    op.execute(KEEP_NEWEST)
    op.create_unique_constraint(op.f(OLD_NAME), "provider_findings", list(KEY))
    op.drop_column("provider_findings", "provider_event")
