"""Bookings in a cart: chosen, shown with what is known against them, taken out, and joined to an account."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, Select, func, or_, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased, contains_eager

from shared.contracts.dtos import EntryDTO
from shared.contracts.errors import BadInput, NotFound, NotOffered
from shared.contracts.owner import CartOwner
from shared.contracts.sale import Sale, SaleState, sale_of_stock
from shared.contracts.states import HELD_ENTRY_STATES, EntryKind, EntryState, LineKind
from shared.db.locks import lock_cart_owner
from shared.db.owners import owned_by, owner_columns
from shared.labels import sale_words
from shared.models import Calendar, CalendarEntry, Order, Slot

from .mapping import entry_to_dto
from .slots import Bookable, load_bookable, overlaps_any, some_unpaid_of_slot
from .timetable import Rule, Span

Wish = Mapping[Span, int]
"""How many places of which stretches of time; a room that is let as a whole has one."""

MOST_BOOKINGS = 50
"""How many bookings one cart may hold."""


@dataclass(frozen=True, slots=True)
class Standing:
    """How a booking in a cart stands: the rule that offers it now, and whether it can be had."""

    rule: Rule | None
    sale: Sale


def bookings(*which: ColumnElement[bool]) -> Select[CalendarEntry]:
    """Select bookings with their calendars, in the order in which people read them."""
    return (
        select(CalendarEntry)
        .join(CalendarEntry.calendar)
        .where(CalendarEntry.kind == EntryKind.BOOKING, *which)
        .options(contains_eager(CalendarEntry.calendar))
        .order_by(CalendarEntry.start_at, CalendarEntry.id)
        # What the session read before it waited for a lock may be out of date.
        .execution_options(populate_existing=True)
    )


def pending_of(owner: ColumnElement[bool], page_post_id: int | None = None) -> Select[CalendarEntry]:
    """Select the bookings in a cart, of one page if named."""
    statement = bookings(owner, CalendarEntry.state == EntryState.PENDING)
    if page_post_id is None:
        return statement
    return statement.where(Calendar.container_type == "page", Calendar.container_id == page_post_id)


def ordered_by(user_id: int) -> Select[CalendarEntry]:
    """Select a user's bookings that are in an order of theirs, in any state."""
    # By way of the orders, which have an index by user: of entries only those in carts have one.
    theirs = select(Order.id).where(Order.user_id == user_id)
    return bookings(CalendarEntry.user_id == user_id, CalendarEntry.order_id.in_(theirs))


# --- how they stand ---


async def standings(session: AsyncSession, entries: Sequence[CalendarEntry], now: datetime) -> dict[int, Standing]:
    """Say how the bookings of one cart stand, by id; four queries at most, however many there are."""
    # Each calendar once, however many bookings of it the cart has.
    bookable = await load_bookable(session, {entry.calendar_id: entry.calendar for entry in entries}.values())
    room = await _Room.load(session, entries)
    return {entry.id: _standing(entry, bookable[entry.calendar_id], room, now) for entry in entries}


def _standing(entry: CalendarEntry, bookable: Bookable, room: _Room, now: datetime) -> Standing:
    """Say how one booking stands, and take its place, so that the next one of its cart finds one less."""
    if entry.start_at <= now:
        return Standing(None, Sale(SaleState.OVER, left=0))
    rule = bookable.timetable.rule_of(entry.start_at, entry.end_at, now)
    if rule is None:
        return Standing(None, Sale(SaleState.ENDED, left=0))
    # A rule may have been given fewer places since they were taken.
    left = max(0, room.left(entry, rule))
    standing = Standing(rule, sale_of_stock(on_show=True, left=left, some_unpaid=room.may_come_back(entry)))
    # What cannot be had takes nobody's place: the next booking of the cart may still fit.
    if left:
        room.take(entry)
    return standing


@dataclass(frozen=True, slots=True)
class _Room:
    """What is taken already, by others and by the bookings of the same cart that came before."""

    spans: dict[int, list[tuple[Span, bool]]]
    """Stretches of time, by calendar, of rooms that are let as a whole, and whether each waits for its payment."""
    held: Counter[tuple[int, datetime, datetime]]
    unpaid: Collection[tuple[int, datetime, datetime]]
    """The slots some of whose places wait for their payment."""

    @classmethod
    async def load(cls, session: AsyncSession, entries: Sequence[CalendarEntry]) -> _Room:
        """Read what holds the times of some bookings."""
        spans: dict[int, list[tuple[Span, bool]]] = {}
        whole = [entry for entry in entries if entry.calendar.whole_room]
        if whole:
            for calendar_id, start, end, is_unpaid in await session.execute(_holding(whole)):
                spans.setdefault(calendar_id, []).append(((start, end), is_unpaid))
        parts = {(e.calendar_id, e.start_at, e.end_at) for e in entries if not e.calendar.whole_room}
        rows = (await session.execute(_held(parts))).all() if parts else []
        held = Counter({(calendar_id, start, end): count for calendar_id, start, end, count, _ in rows})
        unpaid = {(calendar_id, start, end) for calendar_id, start, end, _, some_unpaid in rows if some_unpaid}
        return cls(spans, held, unpaid)

    def left(self, entry: CalendarEntry, rule: Rule) -> int:
        """Return the places left for one more booking."""
        span = (entry.start_at, entry.end_at)
        if entry.calendar.whole_room:
            return 0 if self._in_the_way(entry) else 1
        return rule.places - self.held[entry.calendar_id, *span]

    def may_come_back(self, entry: CalendarEntry) -> bool:
        """Tell whether what takes a booking's time or place waits for its payment."""
        if entry.calendar.whole_room:
            # All of what is in the way would have to go.
            return all(self._in_the_way(entry))
        return (entry.calendar_id, entry.start_at, entry.end_at) in self.unpaid

    def _in_the_way(self, entry: CalendarEntry) -> list[bool]:
        """Return what takes a booking's room: of each, whether it waits for its payment."""
        span = (entry.start_at, entry.end_at)
        taken = self.spans.get(entry.calendar_id, ())
        return [is_unpaid for other, is_unpaid in taken if overlaps_any(span, (other,))]

    def take(self, entry: CalendarEntry) -> None:
        """Let a booking have its place."""
        span = (entry.start_at, entry.end_at)
        if entry.calendar.whole_room:
            self.spans.setdefault(entry.calendar_id, []).append((span, False))
        else:
            self.held[entry.calendar_id, *span] += 1


def _held(slots: Collection[tuple[int, datetime, datetime]]) -> Select[int, datetime, datetime, int, bool]:
    """Select how many places of some slots are held, and whether any of them waits for its payment."""
    return select(Slot.calendar_id, Slot.start_at, Slot.end_at, Slot.held, some_unpaid_of_slot()).where(
        tuple_(Slot.calendar_id, Slot.start_at, Slot.end_at).in_(slots)
    )


def _holding(entries: Sequence[CalendarEntry]) -> Select[int, datetime, datetime, bool]:
    """Select when whole rooms are taken, by anything that overlaps one of these bookings, and what is not paid yet."""
    meets = (
        (CalendarEntry.calendar_id == entry.calendar_id)
        & (CalendarEntry.start_at < entry.end_at)
        & (CalendarEntry.end_at > entry.start_at)
        for entry in entries
    )
    is_unpaid = CalendarEntry.state == EntryState.ORDERED
    return select(CalendarEntry.calendar_id, CalendarEntry.start_at, CalendarEntry.end_at, is_unpaid).where(
        CalendarEntry.state.in_(HELD_ENTRY_STATES), or_(*meets)
    )


def booking_to_dto(entry: CalendarEntry, standing: Standing | None = None) -> EntryDTO:
    """Map a booking; one in a cart with how it stands, and at the price that it has now."""
    dto = entry_to_dto(entry, default_max=1)
    if standing is None:
        return dto
    price = entry.cost if standing.rule is None else standing.rule.price
    return replace(dto, cost=price, cost_seen=entry.cost, sale=standing.sale)


# --- in and out of the cart ---


async def add_bookings(
    session: AsyncSession, owner: CartOwner, *, calendar_id: int, wish: Wish, now: datetime
) -> list[int]:
    """Put stretches of time into a cart, and return the new bookings' ids; what a cart has already is left as it is.

    Raises NotFound, BadInput, or NotOffered where one of them cannot be had now; then nothing was added.
    """
    calendar = await session.get(Calendar, calendar_id, populate_existing=True)
    if calendar is None:
        raise NotFound
    # The pages cannot send this; another caller could.
    if not wish or any(count < 1 for count in wish.values()):
        raise BadInput("Choose at least one time.", field="slot")
    # Before the cart is read: two tabs would each find room for the same time.
    await lock_cart_owner(session, owner)
    have = list(await session.scalars(pending_of(owned_by(CalendarEntry, owner))))
    # In order of time, so that of two that overlap the earlier one is had.
    more = {span: _more(calendar, have, span, count) for span, count in sorted(wish.items())}
    if len(have) + sum(more.values()) > MOST_BOOKINGS:
        raise BadInput(f"A cart holds at most {MOST_BOOKINGS} bookings. Please check out what you have first.")
    new = [_new_booking(calendar, span, owner) for span, count in more.items() for _ in range(count)]
    await _fill_in(session, have, new, now)
    session.add_all(new)
    await session.flush()  # the caller wants their ids
    return [entry.id for entry in new]


def _more(calendar: Calendar, have: Sequence[CalendarEntry], span: Span, count: int) -> int:
    """Return how many bookings of a stretch of time are to be made: a whole room is booked once."""
    if not calendar.whole_room:
        return count
    mine = any(entry.calendar_id == calendar.id and (entry.start_at, entry.end_at) == span for entry in have)
    return 0 if mine else 1


def _new_booking(calendar: Calendar, span: Span, owner: CartOwner) -> CalendarEntry:
    start, end = span
    return CalendarEntry(
        calendar_id=calendar.id,
        calendar=calendar,
        kind=EntryKind.BOOKING,
        state=EntryState.PENDING,
        name="",
        start_at=start,
        end_at=end,
        **owner_columns(owner),
    )


async def _fill_in(
    session: AsyncSession, have: Sequence[CalendarEntry], new: Sequence[CalendarEntry], now: datetime
) -> None:
    """Give new bookings their name, price and VAT rate. Raises NotOffered."""
    bookable = await load_bookable(session, {entry.calendar_id: entry.calendar for entry in new}.values())
    room = await _Room.load(session, [*have, *new])
    # What the cart has already goes first; the new ones share what is left.
    for entry in have:
        room.take(entry)
    for entry in new:
        standing = _standing(entry, bookable[entry.calendar_id], room, now)
        if standing.rule is None or not standing.sale.is_open:
            raise NotOffered(sale_words(LineKind.BOOKING, standing.sale).text, field="slot")
        entry.name, entry.cost, entry.vat_rate = standing.rule.name, standing.rule.price, standing.rule.vat_rate


async def remove_booking(session: AsyncSession, owner: CartOwner, entry_id: int) -> None:
    """Take a booking out of a cart. Safe to repeat; somebody else's is left alone."""
    await _take_out(session, CalendarEntry.id == entry_id, owned_by(CalendarEntry, owner))


async def _take_out(session: AsyncSession, *which: ColumnElement[bool]) -> None:
    # Cancelled, not deleted: the immutable lines of an order that was released may still name them.
    await session.execute(
        update(CalendarEntry)
        .where(*which, CalendarEntry.state == EntryState.PENDING)
        .values(state=EntryState.CANCELLED)
        .execution_options(synchronize_session=False)
    )


async def join_bookings(session: AsyncSession, *, session_id: UUID, user_id: int) -> None:
    """Give an anonymous session's bookings, in its cart and in orders that wait for their payment, to a user.

    The caller has locked both. A room that the user has in the cart already, at the same time, is not had twice, and
    what is beyond what one cart may hold is left out. Safe to repeat.
    """
    of_session = owned_by(CalendarEntry, CartOwner.of_session(session_id))
    # Before they change hands: afterwards the two could not be told apart.
    await _take_out(session, of_session, CalendarEntry.whole_room.is_(True), _has_already(user_id))
    # After the doubles are out: they would take the places of what is wanted.
    await _take_out(session, CalendarEntry.id.in_(await _beyond(session, user_id, of_session)))
    await session.execute(
        update(CalendarEntry)
        .where(of_session, CalendarEntry.state.in_((EntryState.PENDING, EntryState.ORDERED)))
        .values(user_id=user_id, session_id=None)
        .execution_options(synchronize_session=False)
    )


def _has_already(user_id: int) -> ColumnElement[bool]:
    """Bound a query to bookings whose time a user has in the cart already."""
    mine = aliased(CalendarEntry)
    same = select(mine.id).where(
        mine.user_id == user_id,
        mine.state == EntryState.PENDING,
        mine.calendar_id == CalendarEntry.calendar_id,
        mine.start_at == CalendarEntry.start_at,
        mine.end_at == CalendarEntry.end_at,
    )
    return same.exists()


async def _beyond(session: AsyncSession, user_id: int, of_session: ColumnElement[bool]) -> list[int]:
    """Return those of a session's bookings that a user's cart has no room for, the newest."""
    pending = CalendarEntry.state == EntryState.PENDING
    mine = select(func.count()).select_from(CalendarEntry).where(CalendarEntry.user_id == user_id, pending)
    room = max(0, MOST_BOOKINGS - (await session.scalar(mine) or 0))
    theirs = select(CalendarEntry.id).where(of_session, pending).order_by(CalendarEntry.id)
    # The oldest fit; a cart of two devices may hold more than one cart may.
    return list(await session.scalars(theirs.offset(room)))
