"""Every check of the audit: silent after a busy day, and loud about exactly what breaks its promise."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession

from demo.load import load_demo
from shared.audit.check import Check
from shared.audit.run import CHECKS, make_checks, run_audit
from shared.db.engine import Database
from shared.settings import Settings
from tests.integration.audit.conftest import BusyDay

BY_NAME = {check.name: check for check in CHECKS}


async def test_after_a_busy_day_all_is_well(busy_day: BusyDay) -> None:
    database = Database(busy_day.urls.app, pool_size=1, settings=busy_day.settings)
    findings = await run_audit(database, now=busy_day.now)
    await database.dispose()

    assert [(each.name, each.first_ids) for each in findings if each.wrong] == []
    assert [each.name for each in findings if not each.looked_at] == []


# --- each promise broken by itself ---

PAID_ORDER = "(SELECT min(id) FROM orders WHERE state = 'paid' AND total > 0)"
TICKET_SOLD = "(SELECT min(id) FROM tickets WHERE state = 'confirmed')"
HELD_ROOM = "(SELECT min(id) FROM calendar_entries WHERE kind = 'booking' AND whole_room AND state = 'confirmed')"
FORGOTTEN = "(SELECT max(id) FROM journal WHERE thing = '{}')"

BREAKS = {
    "seats of events": "UPDATE calendar_entries SET held = held + 1 WHERE held > 0",
    "seats of types": f"UPDATE tickets SET state = 'cancelled' WHERE id = {TICKET_SOLD}",
    "places of slots": "UPDATE slots SET held = 0",
    "stock of variants": "UPDATE stock_allocations SET quantity = quantity + 1 WHERE state = 'sold'",
    "caps of events": "UPDATE calendar_entries SET capacity = held - 1 WHERE held > 0",
    "caps of types": "UPDATE ticket_types SET capacity = held - 1 WHERE held > 0",
    "caps of slots": "UPDATE slots SET places = 0 WHERE held > 0",
    "caps of variants": "UPDATE product_variants SET stock = held - 1 WHERE held > 0",
    "rooms one at a time": f"""
        INSERT INTO calendar_entries (calendar_id, kind, state, name, start_at, end_at, whole_room)
        SELECT calendar_id, 'event', 'confirmed', 'A fair', start_at - interval '3 hours', end_at + interval '1 minute',
            true FROM calendar_entries WHERE id = {HELD_ROOM}""",
    "rooms known as such": f"""
        UPDATE calendars SET whole_room = false WHERE id = (SELECT calendar_id FROM calendar_entries WHERE id = {HELD_ROOM});
        UPDATE calendar_entries SET whole_room = true WHERE id = {HELD_ROOM}""",
    "bookings in their slot": f"UPDATE calendar_entries SET start_at = start_at + interval '5 minutes' WHERE id = {HELD_ROOM}",
    "totals of orders": f"UPDATE orders SET total = total + 1 WHERE id = {PAID_ORDER}",
    "totals of lines": f"UPDATE order_lines SET unit_price = unit_price + 1 WHERE order_id = {PAID_ORDER}",
    "open orders hold all": "UPDATE tickets SET state = 'pending', order_id = NULL WHERE state = 'reserved'",
    "closed orders hold none": "UPDATE orders SET state = 'expired' WHERE state = 'pending'",
    "paid lines given or owed": f"UPDATE tickets SET state = 'oversold' WHERE id = {TICKET_SOLD}",
    "owed lines not given": "UPDATE calendar_entries SET state = 'confirmed' WHERE state = 'declined'",
    "refunded things paid back": f"UPDATE tickets SET state = 'refunded' WHERE id = {TICKET_SOLD}",
    "tickets named by a line": f"DELETE FROM order_lines WHERE ticket_id = {TICKET_SOLD}",
    "bookings named by a line": f"UPDATE calendar_entries SET order_id = {PAID_ORDER} WHERE id = {HELD_ROOM}",
    "products named by a line": "DELETE FROM order_lines WHERE kind = 'product'",
    "tickets have their code": "UPDATE tickets SET code = 'THE-SAME' WHERE state = 'confirmed'",
    "every penny": "DELETE FROM refunds WHERE state = 'succeeded'",
    "states by money": "UPDATE orders SET state = 'paid' WHERE state = 'refunded'",
    "terms of payments": "UPDATE payments SET amount = amount + 1 WHERE state = 'open'",
    "paid orders have money": "UPDATE payments SET fulfilled_at = NULL",
    "one payable attempt": "UPDATE payments SET state = 'open' WHERE state = 'paid'",
    "money on top is owed": "UPDATE debts SET reason = 'goodwill' WHERE reason = 'paid_twice'",
    "only paid is fulfilled": "UPDATE payments SET state = 'review' WHERE state = 'paid'",
    "owed of payments": "UPDATE debts SET amount = amount - 1",
    "refunded of payments": "UPDATE refunds SET state = 'external' WHERE state = 'failed'",
    "no more back than paid": "UPDATE payments SET owed = amount + 1, refunded = amount + 1 WHERE refunded > 0",
    "no more back than it cost": "UPDATE debts SET amount = amount * 2",
    "money back was paid": "UPDATE payments SET state = 'open' WHERE owed > 0",
    "settled debts are paid": "UPDATE debts SET state = 'settled' WHERE state = 'owed'",
    "paid debts are settled": "UPDATE refunds SET state = 'succeeded' WHERE state = 'unknown'",
    "hands say who and how": "UPDATE debts SET note = '' WHERE by_hand",
    "debts of their order": "UPDATE debts SET currency = 'EUR'",
    "refunds of their debt": "UPDATE refunds SET payment_id = (SELECT min(id) FROM payments)",
    "one refund in flight": "UPDATE refunds SET state = 'sent', payment_id = (SELECT min(id) FROM payments)",
    "open payments looked at": "UPDATE payments SET next_check_at = NULL",
    "open refunds looked at": "UPDATE refunds SET next_check_at = NULL",
    "seats not past their time": "UPDATE orders SET expires_at = expires_at - interval '2 hours' WHERE state = 'pending'",
    "money in is fulfilled": "UPDATE payments SET fulfilled_at = NULL, paid_at = paid_at - interval '2 hours'",
    "payments looked at in time": "UPDATE payments SET next_check_at = next_check_at - interval '2 hours'",
    "refunds looked at in time": "UPDATE refunds SET next_check_at = next_check_at - interval '2 hours'",
    "notices are followed": "UPDATE payment_notices SET handled_at = NULL, received_at = received_at - interval '2 hours'",
    "buyers are told": "UPDATE orders SET mail_queued_at = NULL, paid_at = paid_at - interval '2 hours'",
    "mails are sent": "UPDATE mails SET sent_at = NULL, created_at = created_at - interval '2 days'",
    **{
        f"journal of {name}": f"DELETE FROM journal WHERE id = {FORGOTTEN.format(thing)}"
        for name, thing in (
            ("orders", "order"),
            ("payments", "payment"),
            ("debts", "debt"),
            ("refunds", "refund"),
            ("tickets", "ticket"),
            ("bookings", "entry"),
            ("stock", "stock"),
        )
    },
}


def test_there_is_a_way_to_break_each_check() -> None:
    assert set(BREAKS) == set(BY_NAME)


@pytest.mark.parametrize("name", BREAKS)
async def test_a_check_finds_what_breaks_its_promise(unguarded: AsyncSession, busy_day: BusyDay, name: str) -> None:
    [before] = await make_checks(unguarded, now=busy_day.now, checks=[BY_NAME[name]])

    for statement in BREAKS[name].split(";"):
        await unguarded.execute(text(statement))

    [after] = await make_checks(unguarded, now=busy_day.now, checks=[BY_NAME[name]])
    assert (before.wrong, bool(after.wrong), bool(after.first_ids)) == (0, True, True)


async def test_the_demo_is_well(database: Database, database_url: str, settings: Settings) -> None:
    await load_demo(settings, database_url)

    findings = await run_audit(database, now=datetime.now(UTC))

    assert [(each.name, each.first_ids) for each in findings if each.wrong] == []


async def test_the_audit_cannot_write(database: Database) -> None:
    writes = Check("writes", 13, "nothing is written", "user", "users", "DELETE FROM users RETURNING id")
    with pytest.raises(DBAPIError):
        await run_audit(database, now=datetime.now(UTC), checks=[writes])
