"""Bookings in an order: claimed, released, confirmed, taken again, decided on, cancelled.

What they promise: docs/money.md, promises 1, 2, 8 and 9. Everything here locks whole rooms, then slots, each by id,
after the seats of the same order; the caller has locked the cart's owner and the order.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, case, null, or_, select, tuple_, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from shared.contracts.errors import Conflict, LineProblem, NotFound, NotOffered, SoldOut
from shared.contracts.lines import booking_key
from shared.contracts.states import DebtReason, EntryKind, EntryState, LineKind
from shared.db.locks import lock_calendars, lock_slots
from shared.db.refusals import holding_refused
from shared.labels import TAKE_OUT, sale_words
from shared.models import Calendar, CalendarEntry, Slot

from .cart_bookings import Standing, bookings, pending_of, standings
from .slots import holding_spans, load_bookable
from .timetable import Rule

SlotKey = tuple[int, datetime, datetime]
"""What names a slot: its calendar, its start and its end."""

KEPT = (EntryState.PROVISIONAL, EntryState.CONFIRMED)


@dataclass(frozen=True, slots=True)
class LateBookings:
    """Whose late order it is, and when it is settled."""

    order_id: int
    user_id: int | None
    now: datetime


# --- claimed, released, confirmed ---


async def claim_bookings(
    session: AsyncSession, order_id: int, owner: ColumnElement[bool], page_post_id: int | None, *, now: datetime
) -> None:
    """Order a cart's pending bookings: all or none. Raises SoldOut, NotOffered."""
    entries = list(await session.scalars(pending_of(owner, page_post_id)))
    # Nothing is locked for a cart without bookings.
    if not entries:
        return
    standing = await _lock(session, entries, now)
    # First what is no longer offered at all: "sold out" would be the wrong word for it.
    rules = {entry.id: _rule_of(entry, standing[entry.id]) for entry in entries}
    sales = [(entry.id, standing[entry.id].sale) for entry in entries]
    problems = tuple(LineProblem(booking_key(each), wanted=1, sale=sale) for each, sale in sales if not sale.is_open)
    if problems:
        raise SoldOut(problems)
    await _hold(session, order_id, entries, rules)


def _rule_of(entry: CalendarEntry, standing: Standing) -> Rule:
    """Return the rule that offers a booking's time now. Raises NotOffered where none does any more."""
    if standing.rule is None:
        words = sale_words(LineKind.BOOKING, standing.sale, name=f"{entry.name} at {entry.calendar.name}")
        raise NotOffered(f"{words.refusal} {TAKE_OUT}")
    return standing.rule


async def _lock(session: AsyncSession, entries: Sequence[CalendarEntry], now: datetime) -> dict[int, Standing]:
    """Lock everything that the bookings want to hold, and say how each stands then."""
    # Whole rooms before slots, as in docs/locking.md.
    await lock_calendars(session, {entry.calendar_id for entry in entries if entry.calendar.whole_room})
    await _lock_slots(session, entries, now)
    return await standings(session, entries, now)


async def _lock_slots(session: AsyncSession, entries: Sequence[CalendarEntry], now: datetime) -> dict[SlotKey, Slot]:
    """Lock the slots of some bookings, and give each the places that its rule has now; where there is none, make it."""
    wanted = await _places_now(session, entries, now)
    if wanted:
        # In one order: an insert waits for another's row of the same slot, and two could wait for each other.
        rows = [
            {"calendar_id": calendar_id, "start_at": start, "end_at": end, "places": places}
            for (calendar_id, start, end), places in sorted(wanted.items())
        ]
        # Made before it is locked: two first bookings of one slot both need a row to wait for.
        await session.execute(insert(Slot).values(rows).on_conflict_do_nothing())
    slots = await _slots_of(session, {_key(entry) for entry in entries})
    for slot in await lock_slots(session, {slot.id for slot in slots.values()}):
        places = wanted.get((slot.calendar_id, slot.start_at, slot.end_at), slot.places)
        # Never below what is held: the rule may offer fewer places than were sold before.
        slot.places = max(places, slot.held)
    await session.flush()  # the rule's places may have changed since the slot was made
    return slots


async def _places_now(session: AsyncSession, entries: Sequence[CalendarEntry], now: datetime) -> dict[SlotKey, int]:
    """Return how many places the rules offer at the times of some bookings, where one does."""
    bookable = await load_bookable(session, {entry.calendar_id: entry.calendar for entry in entries}.values())
    rules = {_key(e): bookable[e.calendar_id].timetable.rule_of(e.start_at, e.end_at, now) for e in entries}
    whole = {entry.calendar_id for entry in entries if entry.calendar.whole_room}
    return {key: 1 if key[0] in whole else rule.places for key, rule in rules.items() if rule is not None}


async def _slots_of(session: AsyncSession, keys: Collection[SlotKey]) -> dict[SlotKey, Slot]:
    where = tuple_(Slot.calendar_id, Slot.start_at, Slot.end_at).in_(keys)
    rows = await session.scalars(select(Slot).where(where))
    return {(slot.calendar_id, slot.start_at, slot.end_at): slot for slot in rows}


async def _hold(session: AsyncSession, order_id: int, entries: Sequence[CalendarEntry], rules: dict[int, Rule]) -> None:
    """Write bookings into an order, each at the price that it has now."""
    slots = await _slots_of(session, {_key(entry) for entry in entries})
    for entry in entries:
        rule = rules[entry.id]
        # Written and counted by one flush: the trigger on entries takes the slot's place.
        entry.state, entry.order_id, entry.slot_id = EntryState.ORDERED, order_id, slots[_key(entry)].id
        entry.cost, entry.vat_rate, entry.name = rule.price, rule.vat_rate, rule.name
    with holding_refused():
        await session.flush()  # the database's own guards speak here


def _key(entry: CalendarEntry) -> SlotKey:
    return entry.calendar_id, entry.start_at, entry.end_at


async def release_bookings(session: AsyncSession, order_id: int) -> None:
    """Put an order's ordered bookings back into the cart; those of a session that is gone are cancelled."""
    # Nobody's cart is left to put it back into.
    gone = CalendarEntry.user_id.is_(None) & CalendarEntry.session_id.is_(None)
    await session.execute(
        update(CalendarEntry)
        .where(CalendarEntry.order_id == order_id, CalendarEntry.state == EntryState.ORDERED)
        .values(
            state=case((gone, EntryState.CANCELLED.value), else_=EntryState.PENDING.value),
            order_id=case((gone, order_id), else_=null()),
            slot_id=None,
        )
        .execution_options(synchronize_session=False)
    )


async def confirm_bookings(session: AsyncSession, order_id: int) -> None:
    """Confirm an order's ordered bookings; where the calendar asks for approval they wait for it."""
    waits = (
        select(Calendar.needs_approval).where(Calendar.id == CalendarEntry.calendar_id).correlate(CalendarEntry)
    ).scalar_subquery()
    await session.execute(
        update(CalendarEntry)
        .where(CalendarEntry.order_id == order_id, CalendarEntry.state == EntryState.ORDERED)
        .values(state=case((waits, EntryState.PROVISIONAL.value), else_=EntryState.CONFIRMED.value))
        .execution_options(synchronize_session=False)
    )


async def orders_in_the_way(session: AsyncSession, entry_ids: Collection[int]) -> set[int]:
    """Return the orders whose bookings wait for payment and hold the times of these bookings.

    In a whole room that is whatever overlaps, elsewhere the same slot alone.
    """
    wanted, holder = aliased(CalendarEntry), aliased(CalendarEntry)
    overlap = (wanted.start_at < holder.end_at) & (wanted.end_at > holder.start_at)
    same = (wanted.start_at == holder.start_at) & (wanted.end_at == holder.end_at)
    rows = await session.scalars(
        select(holder.order_id)
        .join(wanted, (wanted.calendar_id == holder.calendar_id) & overlap & (wanted.whole_room | same))
        .where(wanted.id.in_(entry_ids), holder.state == EntryState.ORDERED)
    )
    return {order_id for order_id in rows if order_id is not None}


# --- late money ---


async def retake_bookings(session: AsyncSession, late: LateBookings, entry_ids: Sequence[int]) -> dict[int, DebtReason]:
    """Take an order's bookings again, one by one; return those that could not be taken, and why. Safe to repeat.

    Each is the old one if that is still in the cart, else a new one in its place. A slot that is free is given even
    where its rule would not offer it any more: money is never sent back while the thing is there.
    """
    originals = list(await session.scalars(bookings(CalendarEntry.id.in_(entry_ids)))) if entry_ids else []
    # First what was settled by an earlier call: money that is told of twice gives nothing twice.
    settled = await _already_settled(session, late, originals)
    open_ones = [entry for entry in originals if entry.id not in settled]
    await lock_calendars(session, {entry.calendar_id for entry in open_ones if entry.calendar.whole_room})
    slots = await _lock_slots(session, open_ones, late.now) if open_ones else {}
    again = await _booked_again(session, late, settled, slots) if open_ones else Counter()
    for entry in open_ones:
        # One that was bought again pays for one of these, not for all of them.
        if again[_key(entry)]:
            again[_key(entry)] -= 1
            settled[entry.id] = DebtReason.PAID_TWICE
        else:
            settled[entry.id] = await _retake(session, late, entry, slots[_key(entry)])
    await confirm_bookings(session, late.order_id)
    return {entry_id: reason for entry_id, reason in settled.items() if reason is not None}


async def _already_settled(
    session: AsyncSession, late: LateBookings, originals: Sequence[CalendarEntry]
) -> dict[int, DebtReason | None]:
    """Return the bookings that this order has again already (None), and those that another one has: paid twice.

    What an order has released has no slot; that of a guest who is gone is still the order's.
    """
    kept: dict[int, DebtReason | None] = {}
    for entry in originals:
        if entry.order_id == late.order_id and entry.slot_id is not None:
            kept[entry.id] = None
        elif entry.state in KEPT:
            kept[entry.id] = DebtReason.PAID_TWICE
    in_their_place = CalendarEntry.replaces_id.in_([entry.id for entry in originals])
    for entry in await session.scalars(bookings(in_their_place)):
        if entry.replaces_id is not None:
            kept[entry.replaces_id] = None if entry.order_id == late.order_id else DebtReason.PAID_TWICE
    return kept


async def _retake(session: AsyncSession, late: LateBookings, entry: CalendarEntry, slot: Slot) -> DebtReason | None:
    """Take one booking again, or say why not."""
    # Begun already: nobody can use it, whether it is free or not.
    if entry.start_at <= late.now:
        return DebtReason.ORDER_CLOSED
    if not await _is_free(session, entry, slot):
        return DebtReason.SOLD_OUT
    # Still in the cart: taken from there, or the buyer would be asked to pay for it again.
    if entry.state == EntryState.PENDING:
        entry.state, entry.order_id, entry.slot_id = EntryState.ORDERED, late.order_id, slot.id
    else:
        session.add(_in_place_of(entry, late, slot))
    await session.flush()  # the next one must find this one's place taken
    return None


def _in_place_of(entry: CalendarEntry, late: LateBookings, slot: Slot) -> CalendarEntry:
    return CalendarEntry(
        calendar_id=entry.calendar_id,
        kind=EntryKind.BOOKING,
        state=EntryState.ORDERED,
        name=entry.name,
        start_at=entry.start_at,
        end_at=entry.end_at,
        cost=entry.cost,
        vat_rate=entry.vat_rate,
        user_id=late.user_id,
        order_id=late.order_id,
        slot_id=slot.id,
        replaces_id=entry.id,
    )


async def _booked_again(
    session: AsyncSession, late: LateBookings, settled: Collection[int], keys: Collection[SlotKey]
) -> Counter[SlotKey]:
    """Count what the buyer has booked of the same slots in later orders that are paid, besides what is settled."""
    # A guest's later order may be anybody's.
    if late.user_id is None:
        return Counter()
    slot = tuple_(CalendarEntry.calendar_id, CalendarEntry.start_at, CalendarEntry.end_at)
    rows = await session.scalars(
        bookings(CalendarEntry.user_id == late.user_id, CalendarEntry.state.in_(KEPT), slot.in_(keys)).where(
            CalendarEntry.order_id > late.order_id,
            CalendarEntry.id.not_in(settled),
            or_(CalendarEntry.replaces_id.is_(None), CalendarEntry.replaces_id.not_in(settled)),
        )
    )
    return Counter(_key(entry) for entry in rows)


async def _is_free(session: AsyncSession, entry: CalendarEntry, slot: Slot) -> bool:
    """Tell whether a booking's time can be had, under the locks of its room and its slot."""
    if entry.calendar.whole_room:
        return not await holding_spans(session, entry.calendar_id, entry.start_at, entry.end_at)
    held = await session.scalar(select(Slot.held).where(Slot.id == slot.id))
    return held is not None and held < slot.places


# --- approved or declined ---


async def decide_booking(session: AsyncSession, entry_id: int, *, approved: bool) -> int:
    """Approve a booking that waits, or decline it, and return its order's id. The caller has locked the order.

    Raises NotFound, and Conflict where it does not wait any more.
    """
    state = EntryState.CONFIRMED if approved else EntryState.DECLINED
    moved = await session.scalar(
        update(CalendarEntry)
        .where(CalendarEntry.id == entry_id, CalendarEntry.state == EntryState.PROVISIONAL)
        .values(state=state)
        .returning(CalendarEntry.order_id)
        .execution_options(synchronize_session=False)
    )
    # One statement decides: of two admins one finds it decided.
    if moved is not None:
        return moved
    if await session.get(CalendarEntry, entry_id) is None:
        raise NotFound
    raise Conflict("Somebody has decided on this booking already.")


# --- cancelled ---


async def cancel_bookings(session: AsyncSession, order_id: int, entry_ids: Collection[int]) -> set[int]:
    """Cancel an order's paid bookings, or those made in their place; return which of ``entry_ids`` these were."""
    moved = await session.execute(
        update(CalendarEntry)
        .where(CalendarEntry.order_id == order_id, CalendarEntry.state.in_(KEPT))
        # By either: after late money the line names the booking in whose place this one was made.
        .where(or_(CalendarEntry.id.in_(entry_ids), CalendarEntry.replaces_id.in_(entry_ids)))
        .values(state=EntryState.CANCELLED)
        .returning(CalendarEntry.id, CalendarEntry.replaces_id)
        .execution_options(synchronize_session=False)
    )
    return {named for row in moved for named in row if named in entry_ids}
