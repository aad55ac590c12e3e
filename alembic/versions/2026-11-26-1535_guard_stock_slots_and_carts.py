"""Guard stock, slots and whole rooms in the database itself, and note whose cart may hold something."""

from __future__ import annotations

from alembic import op

revision = "b1c6f2a40d97"
down_revision = "27df194f79cd"
branch_labels = None
depends_on = None

# As they were when this migration was written: a later change of the states brings its own migration.
STOCK_MOVES = """reserved>released reserved>sold released>reserved released>oversold sold>cancelled sold>refunded
    oversold>sold oversold>refunded cancelled>refunded"""
REASONS = "'sold_out', 'paid_twice', 'order_closed', 'cancelled_by_organiser', 'goodwill'"

# One statement at a time, and rows in the order of their ids: the order of docs/locking.md.
COUNT_SLOTS = """
CREATE FUNCTION count_held_slots() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    held_states constant text[] := ARRAY['ordered', 'provisional', 'confirmed'];
    gone jsonb := '[]';
    come jsonb := '[]';
    changed record;
BEGIN
    IF TG_OP <> 'INSERT' THEN
        SELECT coalesce(jsonb_agg(jsonb_build_object('s', slot_id, 'n', n)), '[]') INTO gone
        FROM (SELECT slot_id, -count(*) AS n FROM old_rows
              WHERE slot_id IS NOT NULL AND state = ANY (held_states) GROUP BY 1) AS o;
    END IF;
    IF TG_OP <> 'DELETE' THEN
        SELECT coalesce(jsonb_agg(jsonb_build_object('s', slot_id, 'n', n)), '[]') INTO come
        FROM (SELECT slot_id, count(*) AS n FROM new_rows
              WHERE slot_id IS NOT NULL AND state = ANY (held_states) GROUP BY 1) AS o;
    END IF;
    FOR changed IN
        SELECT r.s, sum(r.n)::bigint AS n FROM jsonb_to_recordset(gone || come) AS r(s bigint, n bigint)
        GROUP BY r.s HAVING sum(r.n) <> 0 ORDER BY r.s
    LOOP
        UPDATE slots SET held = held + changed.n WHERE id = changed.s;
    END LOOP;
    RETURN NULL;
END $$
"""

COUNT_STOCK = """
CREATE FUNCTION count_held_stock() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    held_states constant text[] := ARRAY['reserved', 'sold'];
    gone jsonb := '[]';
    come jsonb := '[]';
    changed record;
BEGIN
    IF TG_OP <> 'INSERT' THEN
        SELECT coalesce(jsonb_agg(jsonb_build_object('v', variant_id, 'n', n)), '[]') INTO gone
        FROM (SELECT variant_id, -sum(quantity) AS n FROM old_rows WHERE state = ANY (held_states) GROUP BY 1) AS o;
    END IF;
    IF TG_OP <> 'DELETE' THEN
        SELECT coalesce(jsonb_agg(jsonb_build_object('v', variant_id, 'n', n)), '[]') INTO come
        FROM (SELECT variant_id, sum(quantity) AS n FROM new_rows WHERE state = ANY (held_states) GROUP BY 1) AS o;
    END IF;
    FOR changed IN
        SELECT r.v, sum(r.n)::bigint AS n FROM jsonb_to_recordset(gone || come) AS r(v bigint, n bigint)
        GROUP BY r.v HAVING sum(r.n) <> 0 ORDER BY r.v
    LOOP
        UPDATE product_variants SET held = held + changed.n WHERE id = changed.v;
    END LOOP;
    RETURN NULL;
END $$
"""

# Whoever writes an entry need not know how its room is let; the foreign key follows the calendar from then on.
FILL_WHOLE_ROOM = """
CREATE FUNCTION fill_whole_room() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    SELECT c.whole_room INTO NEW.whole_room FROM calendars c WHERE c.id = NEW.calendar_id;
    RETURN NEW;
END $$
"""

# The cart's owner is locked by whoever puts something in, so this waits for nobody.
NOTE_CART = """
CREATE FUNCTION note_cart() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    owner jsonb := to_jsonb(NEW);
BEGIN
    IF owner ->> 'user_id' IS NOT NULL THEN
        UPDATE users SET has_cart = true WHERE id = (owner ->> 'user_id')::bigint AND NOT has_cart;
    ELSIF owner ->> 'session_id' IS NOT NULL THEN
        UPDATE sessions SET has_cart = true WHERE id = (owner ->> 'session_id')::uuid AND NOT has_cart;
    END IF;
    RETURN NULL;
END $$
"""

# Bookings are not deleted with an anonymous session: the lines of an order that was let go may still name them.
EMPTY_CART = """
CREATE FUNCTION empty_cart_of_session() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE calendar_entries SET state = 'cancelled' WHERE session_id = OLD.id AND state = 'pending';
    RETURN OLD;
END $$
"""

FUNCTIONS = (COUNT_SLOTS, COUNT_STOCK, FILL_WHOLE_ROOM, NOTE_CART, EMPTY_CART)
NAMES = ("count_held_slots", "count_held_stock", "fill_whole_room", "note_cart", "empty_cart_of_session")


def _counting(table: str, function: str) -> tuple[str, ...]:
    """Return the triggers that keep a counter of a table's rows, one for each kind of statement."""
    tables = {
        "INSERT": "NEW TABLE AS new_rows",
        "UPDATE": "OLD TABLE AS old_rows NEW TABLE AS new_rows",
        "DELETE": "OLD TABLE AS old_rows",
    }
    return tuple(
        f"""CREATE TRIGGER {function}_on_{event.lower()} AFTER {event} ON {table} REFERENCING {rows}
            FOR EACH STATEMENT EXECUTE FUNCTION {function}()"""
        for event, rows in tables.items()
    )


TRIGGERS = (
    *_counting("calendar_entries", "count_held_slots"),
    *_counting("stock_allocations", "count_held_stock"),
    """CREATE TRIGGER guard_transition BEFORE UPDATE OF state ON stock_allocations FOR EACH ROW
        WHEN (OLD.state IS DISTINCT FROM NEW.state) EXECUTE FUNCTION guard_transition('stock')""",
    """CREATE TRIGGER fill_whole_room BEFORE INSERT OR UPDATE OF calendar_id ON calendar_entries
        FOR EACH ROW EXECUTE FUNCTION fill_whole_room()""",
    """CREATE TRIGGER refuse_change BEFORE UPDATE OR DELETE ON order_sellers
        FOR EACH ROW EXECUTE FUNCTION refuse_change()""",
    *(
        f"""CREATE TRIGGER note_cart AFTER INSERT OR UPDATE OF state, user_id ON {table}
            FOR EACH ROW WHEN (NEW.state = 'pending') EXECUTE FUNCTION note_cart()"""
        for table in ("tickets", "calendar_entries")
    ),
    """CREATE TRIGGER note_cart AFTER INSERT OR UPDATE OF user_id ON cart_items
        FOR EACH ROW EXECUTE FUNCTION note_cart()""",
    """CREATE TRIGGER empty_cart_of_session BEFORE DELETE ON sessions
        FOR EACH ROW EXECUTE FUNCTION empty_cart_of_session()""",
)

CHECKS = {
    "calendar_entries": {
        "kind_and_state": """(kind = 'event' AND state IN ('draft', 'confirmed', 'cancelled') AND user_id IS NULL
            AND session_id IS NULL AND order_id IS NULL) OR (kind = 'booking' AND state <> 'draft'
            AND (state <> 'pending' OR (user_id IS NULL) <> (session_id IS NULL)))""",
        "held_with_slot": """kind = 'event' OR state NOT IN ('ordered', 'provisional', 'confirmed')
            OR slot_id IS NOT NULL""",
    },
    "order_lines": {
        "booking": "kind <> 'booking' OR (entry_id IS NOT NULL AND quantity = 1)",
        "product": "kind <> 'product' OR variant_id IS NOT NULL",
    },
    "orders": {"guest_has_token": "user_id IS NOT NULL OR access_token_hash IS NOT NULL"},
    "debts": {"reason": f"reason IN ({REASONS}, 'declined')"},
}
REPLACED = {
    "calendar_entries": {
        "kind_and_state": """(kind = 'event' AND state IN ('draft', 'confirmed', 'cancelled') AND user_id IS NULL
            AND session_id IS NULL AND order_id IS NULL) OR (kind = 'booking' AND state <> 'draft'
            AND (user_id IS NOT NULL OR session_id IS NOT NULL OR order_id IS NOT NULL))"""
    },
    "debts": {"reason": f"reason IN ({REASONS})"},
}

ONE_AT_A_TIME = """
ALTER TABLE calendar_entries ADD CONSTRAINT ex_calendar_entries_one_at_a_time
    EXCLUDE USING gist (calendar_id WITH =, tstzrange(start_at, end_at) WITH &&)
    WHERE (whole_room AND state IN ('ordered', 'provisional', 'confirmed'))
"""

HAS_CART = """
UPDATE users u SET has_cart = true
WHERE EXISTS (SELECT 1 FROM tickets t WHERE t.user_id = u.id AND t.state = 'pending')
   OR EXISTS (SELECT 1 FROM calendar_entries e WHERE e.user_id = u.id AND e.state = 'pending')
   OR EXISTS (SELECT 1 FROM orders o WHERE o.user_id = u.id AND o.state = 'pending')
"""


def _drop(checks: dict[str, dict[str, str]]) -> None:
    for table, named in checks.items():
        for name in named:
            op.drop_constraint(op.f(f"ck_{table}_{name}"), table, type_="check")


def _create(checks: dict[str, dict[str, str]]) -> None:
    for table, named in checks.items():
        for name, rule in named.items():
            op.create_check_constraint(op.f(f"ck_{table}_{name}"), table, rule)


def upgrade() -> None:
    """Apply."""
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute("CREATE EXTENSION IF NOT EXISTS btree_gist")
    moves = ", ".join("('stock', '{}', '{}')".format(*move.split(">")) for move in STOCK_MOVES.split())
    op.execute(f"INSERT INTO allowed_transitions (thing, old_state, new_state) VALUES {moves}")
    _drop(REPLACED)
    _create(CHECKS)
    for statement in (ONE_AT_A_TIME, *FUNCTIONS, *TRIGGERS, HAS_CART):
        op.execute(statement)


def downgrade() -> None:
    """Take back."""
    op.execute("SET LOCAL lock_timeout = '5s'")
    for name in NAMES:
        op.execute(f"DROP FUNCTION {name}() CASCADE")
    op.execute("DROP TRIGGER guard_transition ON stock_allocations")
    op.execute("DROP TRIGGER refuse_change ON order_sellers")
    op.drop_constraint(op.f("ex_calendar_entries_one_at_a_time"), "calendar_entries")
    _drop(CHECKS)
    _create(REPLACED)
    op.execute("DELETE FROM allowed_transitions WHERE thing = 'stock'")
    op.execute("DROP EXTENSION btree_gist")
