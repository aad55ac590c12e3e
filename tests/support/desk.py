"""The booking desk: the calendar domain on one session, without carts, orders' totals or a provider."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import count

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from shared.contracts.dtos import EntryDTO
from shared.contracts.owner import CartOwner
from shared.contracts.sale import SaleState
from shared.contracts.states import DebtReason, LineKind
from shared.labels import SALE_WORDS, short_line
from shared.models import Calendar, CalendarEntry, Order, Slot
from shared.services.calendar_impl import SqlCalendarService
from shared.services.identity import start_session
from tests.factories.users import make_user
from tests.fakes.payments import MovableClock

Span = tuple[datetime, datetime]

SATURDAY_EVENING = datetime(2026, 11, 28, 19, 30, tzinfo=UTC)
MONDAY_MORNING = datetime(2026, 11, 30, 9, 0, tzinfo=UTC)
_orders = count(1)
PASSED, NOT_OFFERED, TAKEN, HELD = (
    SALE_WORDS[LineKind.BOOKING][state].line
    for state in (SaleState.OVER, SaleState.ENDED, SaleState.SOLD_OUT, SaleState.HELD)
)
"""Why a booking in a cart cannot be had, in words."""


def hour(number: int = 0, *, hours: float = 1) -> Span:
    """Give an hour of a Monday morning, from nine o'clock on, or a stretch of several."""
    start = MONDAY_MORNING + timedelta(hours=number)
    return start, start + timedelta(hours=hours)


@dataclass(slots=True)
class Desk:
    """What people do with a calendar that can be booked; nothing is committed."""

    session: AsyncSession
    clock: MovableClock = field(default_factory=lambda: MovableClock(SATURDAY_EVENING))

    @property
    def calendar(self) -> SqlCalendarService:
        """The domain."""
        return SqlCalendarService(self.clock, default_max_per_order=20)

    # --- people ---

    async def user(self) -> CartOwner:
        return CartOwner.of_user((await make_user(self.session)).id)

    async def guest(self) -> CartOwner:
        made = await start_session(self.session, user_id=None, now=self.clock(), days=30)
        return CartOwner.of_session(made.id)

    # --- carts ---

    async def add(self, owner: CartOwner, room: Calendar, *spans: Span, places: int = 1) -> list[EntryDTO]:
        return await self.calendar.add_pending_bookings(
            self.session,
            owner,
            calendar_id=room.id,
            wish=dict.fromkeys(spans, places),
        )

    async def remove(self, owner: CartOwner, entry_id: int) -> None:
        await self.calendar.remove_pending_booking(self.session, owner, entry_id=entry_id)

    async def cart(self, owner: CartOwner) -> list[EntryDTO]:
        return await self.calendar.pending_entries(self.session, owner)

    async def refusals(self, owner: CartOwner) -> list[str]:
        """Say what is known against each booking in a cart."""
        return ["" if each.sale.is_open else short_line(LineKind.BOOKING, each.sale) for each in await self.cart(owner)]

    # --- orders ---

    async def order(self, owner: CartOwner, page_post_id: int | None = None) -> int:
        """Order what is in a cart, all or none; give the order's id."""
        order_id = await self.bare_order(owner)
        await self.calendar.claim_entries_for_order(self.session, order_id, owner, page_post_id)
        return order_id

    async def bare_order(self, owner: CartOwner) -> int:
        """Make an order without lines or a total, which only a commit would ask for."""
        number = next(_orders)
        guest = {"guest_email": "guest@maypole.example", "access_token_hash": f"hash-{number}"}
        made = Order(
            number=f"D-{number}",
            user_id=owner.user_id,
            merchant_code="MSANDBOX",
            currency="GBP",
            total=Decimal(0),
            expires_at=self.clock() + timedelta(minutes=30),
            **({} if owner.user_id is not None else guest),
        )
        self.session.add(made)
        await self.session.flush()
        return made.id

    async def confirm(self, order_id: int) -> None:
        await self.calendar.confirm_entries_for_order(self.session, order_id)

    async def release(self, order_id: int) -> None:
        await self.calendar.release_entries_for_order(self.session, order_id)

    async def book(self, owner: CartOwner, room: Calendar, *spans: Span, places: int = 1) -> int:
        """Put hours into the cart, and order and pay them; give the order's id."""
        await self.add(owner, room, *spans, places=places)
        order_id = await self.order(owner)
        await self.confirm(order_id)
        return order_id

    async def released(self, owner: CartOwner, room: Calendar, *spans: Span, places: int = 1) -> tuple[int, list[int]]:
        """Order hours and let the order expire; give its id and its lines' bookings."""
        await self.add(owner, room, *spans, places=places)
        order_id = await self.order(owner)
        entry_ids = [entry.id for entry in await self.entries(order_id)]
        await self.release(order_id)
        return order_id, entry_ids

    async def retake(self, owner: CartOwner, order_id: int, entry_ids: list[int]) -> dict[int, DebtReason]:
        return await self.calendar.retake_entries_for_order(self.session, order_id, owner.user_id, entry_ids)

    # --- how it is ---

    async def entries(self, order_id: int) -> list[EntryDTO]:
        return await self.calendar.get_entries_for_order(self.session, order_id)

    async def states(self, room: Calendar) -> list[str]:
        """Return the states of a calendar's bookings, oldest first."""
        statement = select(CalendarEntry.state).where(
            CalendarEntry.calendar_id == room.id, CalendarEntry.kind == "booking"
        )
        return list(await self.session.scalars(statement.order_by(CalendarEntry.id)))

    async def free(self, room: Calendar, *spans: Span) -> list[int]:
        """Return the places that are shown as free of some hours."""
        slots = await self.calendar.bookable_slots(
            self.session, room.id, first=MONDAY_MORNING.date(), last=MONDAY_MORNING.date()
        )
        free: Mapping[Span, int] = {(slot.start_at, slot.end_at): slot.free for slot in slots}
        return [free[span] for span in spans]

    async def held(self, room: Calendar) -> dict[Span, int]:
        """Return the counters of a calendar's slots, having compared them with the bookings that hold them."""
        columns = select(Slot.id, Slot.start_at, Slot.end_at, Slot.held).where(Slot.calendar_id == room.id)
        slots = list(await self.session.execute(columns))
        rows = await self.session.execute(
            select(CalendarEntry.slot_id, func.count().label("number"))
            .where(CalendarEntry.calendar_id == room.id, CalendarEntry.slot_id.is_not(None))
            .where(CalendarEntry.state.in_(("ordered", "provisional", "confirmed")))
            .group_by(CalendarEntry.slot_id)
        )
        really = {row.slot_id: row.number for row in rows}
        assert {slot.id: slot.held for slot in slots if slot.held} == really
        return {(slot.start_at, slot.end_at): slot.held for slot in slots if slot.held}
