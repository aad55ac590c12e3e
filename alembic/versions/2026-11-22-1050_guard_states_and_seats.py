"""Guard states, seats and sums in the database itself."""

from __future__ import annotations

from alembic import op

revision = "5f0c7b1e9a21"
down_revision = "03a888f0e247"
branch_labels = None
depends_on = None

# As they were when this migration was written: a later change of the states brings its own migration.
TRANSITIONS = {
    "ticket": """pending>reserved pending>cancelled pending>oversold reserved>pending reserved>confirmed
        reserved>cancelled reserved>oversold confirmed>checked_in checked_in>confirmed confirmed>cancelled
        checked_in>cancelled confirmed>oversold oversold>refunded oversold>confirmed confirmed>refunded
        checked_in>refunded cancelled>refunded""",
    "entry": """draft>confirmed draft>cancelled pending>ordered pending>cancelled ordered>pending ordered>provisional
        ordered>confirmed ordered>cancelled provisional>confirmed provisional>declined provisional>cancelled
        confirmed>cancelled confirmed>draft""",
    "order": """pending>paid pending>failed pending>expired pending>cancelled failed>paid expired>paid
        cancelled>paid paid>partially_refunded paid>refunded partially_refunded>refunded""",
    "payment": """created>open created>unknown created>closing created>cancelled created>expired created>paid
        created>review unknown>open unknown>closing unknown>cancelled unknown>expired unknown>paid unknown>review
        open>closing open>unknown open>cancelled open>expired open>paid open>review closing>expired
        closing>cancelled closing>paid closing>review expired>paid expired>review cancelled>paid cancelled>review
        review>paid review>cancelled""",
    "debt": "owed>settled",
    "refund": """requested>sent requested>failed sent>succeeded sent>failed sent>unknown unknown>succeeded
        unknown>failed succeeded>failed""",
}
TABLES = {
    "tickets": "ticket",
    "calendar_entries": "entry",
    "orders": "order",
    "payments": "payment",
    "debts": "debt",
    "refunds": "refund",
}

GUARD_TRANSITION = """
CREATE FUNCTION guard_transition() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT 1 FROM allowed_transitions t
                   WHERE t.thing = TG_ARGV[0] AND t.old_state = OLD.state AND t.new_state = NEW.state) THEN
        RAISE EXCEPTION '% % may not go from % to %', TG_ARGV[0], OLD.id, OLD.state, NEW.state
            USING ERRCODE = 'check_violation', CONSTRAINT = 'allowed_transitions';
    END IF;
    RETURN NEW;
END $$
"""

# One statement at a time, and rows in the order of their ids: the order of docs/locking.md.
COUNT_HELD = """
CREATE FUNCTION count_held_tickets() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    held_states constant text[] := ARRAY['reserved', 'confirmed', 'checked_in'];
    gone jsonb := '[]';
    come jsonb := '[]';
    changed record;
BEGIN
    IF TG_OP <> 'INSERT' THEN
        SELECT coalesce(jsonb_agg(jsonb_build_object('e', entry_id, 't', ticket_type_id, 'n', n)), '[]') INTO gone
        FROM (SELECT entry_id, ticket_type_id, -count(*) AS n FROM old_rows
              WHERE state = ANY (held_states) GROUP BY 1, 2) AS o;
    END IF;
    IF TG_OP <> 'DELETE' THEN
        SELECT coalesce(jsonb_agg(jsonb_build_object('e', entry_id, 't', ticket_type_id, 'n', n)), '[]') INTO come
        FROM (SELECT entry_id, ticket_type_id, count(*) AS n FROM new_rows
              WHERE state = ANY (held_states) GROUP BY 1, 2) AS o;
    END IF;
    FOR changed IN
        SELECT r.e, sum(r.n)::bigint AS n FROM jsonb_to_recordset(gone || come) AS r(e bigint, t bigint, n bigint)
        GROUP BY r.e HAVING sum(r.n) <> 0 ORDER BY r.e
    LOOP
        UPDATE calendar_entries SET held = held + changed.n WHERE id = changed.e;
    END LOOP;
    FOR changed IN
        SELECT r.t, sum(r.n)::bigint AS n FROM jsonb_to_recordset(gone || come) AS r(e bigint, t bigint, n bigint)
        WHERE r.t IS NOT NULL GROUP BY r.t HAVING sum(r.n) <> 0 ORDER BY r.t
    LOOP
        UPDATE ticket_types SET held = held + changed.n WHERE id = changed.t;
    END LOOP;
    RETURN NULL;
END $$
"""

COUNT_REFUNDED = """
CREATE FUNCTION count_refunded() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    counting constant text[] := ARRAY['requested', 'sent', 'unknown', 'succeeded', 'external'];
    delta numeric := 0;
BEGIN
    IF TG_OP <> 'INSERT' AND OLD.state = ANY (counting) THEN
        delta := delta - OLD.amount;
    END IF;
    IF TG_OP <> 'DELETE' AND NEW.state = ANY (counting) THEN
        delta := delta + NEW.amount;
    END IF;
    IF delta <> 0 THEN
        UPDATE payments SET refunded = refunded + delta WHERE id = coalesce(NEW.payment_id, OLD.payment_id);
    END IF;
    RETURN NULL;
END $$
"""

REFUSE_CHANGE = """
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is written once and never changed', TG_TABLE_NAME
        USING ERRCODE = 'insufficient_privilege';
END $$
"""

CHECK_TOTAL = """
CREATE FUNCTION check_order_total() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    this_order bigint;
    difference numeric;
BEGIN
    IF TG_TABLE_NAME = 'orders' THEN
        this_order := NEW.id;
    ELSE
        this_order := NEW.order_id;
    END IF;
    SELECT o.total - coalesce((SELECT sum(l.total) FROM order_lines l WHERE l.order_id = o.id), 0) INTO difference
    FROM orders o WHERE o.id = this_order;
    IF difference <> 0 THEN
        RAISE EXCEPTION 'the total of order % is not the sum of its lines', this_order
            USING ERRCODE = 'check_violation', CONSTRAINT = 'order_total_is_sum_of_lines';
    END IF;
    RETURN NULL;
END $$
"""

TRIGGERS = (
    *(
        f"""CREATE TRIGGER guard_transition BEFORE UPDATE OF state ON {table} FOR EACH ROW
            WHEN (OLD.state IS DISTINCT FROM NEW.state) EXECUTE FUNCTION guard_transition('{thing}')"""
        for table, thing in TABLES.items()
    ),
    """CREATE TRIGGER count_held_on_insert AFTER INSERT ON tickets REFERENCING NEW TABLE AS new_rows
        FOR EACH STATEMENT EXECUTE FUNCTION count_held_tickets()""",
    """CREATE TRIGGER count_held_on_update AFTER UPDATE ON tickets
        REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
        FOR EACH STATEMENT EXECUTE FUNCTION count_held_tickets()""",
    """CREATE TRIGGER count_held_on_delete AFTER DELETE ON tickets REFERENCING OLD TABLE AS old_rows
        FOR EACH STATEMENT EXECUTE FUNCTION count_held_tickets()""",
    """CREATE TRIGGER count_refunded AFTER INSERT OR UPDATE OF state, amount OR DELETE ON refunds
        FOR EACH ROW EXECUTE FUNCTION count_refunded()""",
    """CREATE TRIGGER refuse_change BEFORE UPDATE OR DELETE ON order_lines
        FOR EACH ROW EXECUTE FUNCTION refuse_change()""",
    """CREATE TRIGGER refuse_change BEFORE UPDATE OR DELETE ON journal
        FOR EACH ROW EXECUTE FUNCTION refuse_change()""",
    """CREATE CONSTRAINT TRIGGER check_order_total AFTER INSERT OR UPDATE OF total ON orders
        DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION check_order_total()""",
    """CREATE CONSTRAINT TRIGGER check_order_total AFTER INSERT ON order_lines
        DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION check_order_total()""",
)

FUNCTIONS = (GUARD_TRANSITION, COUNT_HELD, COUNT_REFUNDED, REFUSE_CHANGE, CHECK_TOTAL)


def upgrade() -> None:
    """Apply."""
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute(
        """CREATE TABLE allowed_transitions (
            thing text NOT NULL, old_state text NOT NULL, new_state text NOT NULL,
            CONSTRAINT pk_allowed_transitions PRIMARY KEY (thing, old_state, new_state))"""
    )
    for thing, moves in TRANSITIONS.items():
        pairs = ", ".join("('{}', '{}', '{}')".format(thing, *move.split(">")) for move in moves.split())
        op.execute(f"INSERT INTO allowed_transitions (thing, old_state, new_state) VALUES {pairs}")
    for statement in (*FUNCTIONS, *TRIGGERS):
        op.execute(statement)


def downgrade() -> None:
    """Take back."""
    op.execute("SET LOCAL lock_timeout = '5s'")
    for name in ("guard_transition", "count_held_tickets", "count_refunded", "refuse_change", "check_order_total"):
        op.execute(f"DROP FUNCTION {name}() CASCADE")
    op.execute("DROP TABLE allowed_transitions")
