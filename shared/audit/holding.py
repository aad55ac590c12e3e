"""The audit of what is held: seats, places, stock and rooms (docs/money.md, promise 1)."""

from __future__ import annotations

from shared.contracts.states import HELD_ENTRY_STATES, HELD_STOCK_STATES, HELD_TICKET_STATES

from .check import Check, quoted

TICKETS_HELD = quoted(HELD_TICKET_STATES)
ENTRIES_HELD = quoted(HELD_ENTRY_STATES)
STOCK_HELD = quoted(HELD_STOCK_STATES)


def _counter(name: str, thing: str, table: str, rows: str) -> Check:
    """Compare a counter with the rows that it counts: ``rows`` selects ``id`` and how many hold it as ``n``."""
    return Check(
        name=name,
        promise=1,
        says=f"what is held of the {thing} is what its rows hold",
        thing=thing,
        looks_at=table,
        # LEFT JOIN: what nobody holds anything of has no row on the right, and its counter must then be 0.
        wrong=f"SELECT c.id FROM {table} c LEFT JOIN ({rows}) r ON r.id = c.id WHERE c.held <> coalesce(r.n, 0)",
    )


def _cap(name: str, thing: str, table: str, cap: str) -> Check:
    return Check(
        name=name,
        promise=1,
        says=f"no more is held of the {thing} than there is",
        thing=thing,
        looks_at=table,
        wrong=f"SELECT id FROM {table} WHERE held > {cap} OR held < 0",
    )


HOLDING = (
    _counter(
        "seats of events",
        "entry",
        "calendar_entries",
        f"SELECT entry_id AS id, count(*) AS n FROM tickets WHERE state IN ({TICKETS_HELD}) GROUP BY entry_id",
    ),
    _counter(
        "seats of types",
        "type",
        "ticket_types",
        f"SELECT ticket_type_id AS id, count(*) AS n FROM tickets WHERE state IN ({TICKETS_HELD})"
        " AND ticket_type_id IS NOT NULL GROUP BY ticket_type_id",
    ),
    _counter(
        "places of slots",
        "slot",
        "slots",
        f"SELECT slot_id AS id, count(*) AS n FROM calendar_entries WHERE state IN ({ENTRIES_HELD})"
        " AND slot_id IS NOT NULL GROUP BY slot_id",
    ),
    _counter(
        "stock of variants",
        "variant",
        "product_variants",
        f"SELECT variant_id AS id, sum(quantity) AS n FROM stock_allocations WHERE state IN ({STOCK_HELD})"
        " GROUP BY variant_id",
    ),
    # The CHECKs hold this too. The audit asks all the same, since it takes no constraint at its word.
    _cap("caps of events", "entry", "calendar_entries", "capacity"),
    _cap("caps of types", "type", "ticket_types", "capacity"),
    _cap("caps of slots", "slot", "slots", "places"),
    _cap("caps of variants", "variant", "product_variants", "stock"),
    Check(
        # By a running maximum, in one pass: to join every entry with every other would take far too long.
        name="rooms one at a time",
        promise=1,
        says="in a room that is let as a whole nothing overlaps",
        thing="entry",
        looks_at="calendar_entries e JOIN calendars c ON c.id = e.calendar_id WHERE c.whole_room",
        wrong=f"""
            SELECT s.id FROM (
                SELECT e.id, e.start_at, max(e.end_at) OVER (
                    PARTITION BY e.calendar_id ORDER BY e.start_at, e.id
                    ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
                ) AS taken_until
                FROM calendar_entries e JOIN calendars c ON c.id = e.calendar_id
                WHERE c.whole_room AND e.state IN ({ENTRIES_HELD})
            ) s WHERE s.start_at < s.taken_until""",
    ),
    Check(
        name="rooms known as such",
        promise=1,
        says="an entry knows whether its room is let as a whole",
        thing="entry",
        looks_at="calendar_entries",
        wrong="""
            SELECT e.id FROM calendar_entries e JOIN calendars c ON c.id = e.calendar_id
            WHERE e.whole_room <> c.whole_room""",
    ),
    Check(
        # Places are counted by slot: a booking at another time than its slot's would hold the wrong one.
        name="bookings in their slot",
        promise=1,
        says="a booking that holds a slot is at the slot's own time",
        thing="entry",
        looks_at="calendar_entries WHERE kind = 'booking'",
        wrong=f"""
            SELECT e.id FROM calendar_entries e LEFT JOIN slots s ON s.id = e.slot_id
            WHERE e.kind = 'booking' AND e.state IN ({ENTRIES_HELD}) AND (s.id IS NULL
                OR s.calendar_id <> e.calendar_id OR s.start_at <> e.start_at OR s.end_at <> e.end_at)""",
    ),
)
