"""Bookings: stretches of time in rooms and workshops."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import ClassVar

from sqlalchemy import ColumnElement
from sqlalchemy.ext.asyncio import AsyncSession

from shared.audit.sold import BOOKINGS, SoldRows
from shared.contracts.dtos import ZERO, EntryDTO, OrderLineDTO, PageDTO
from shared.contracts.lines import KIND_WORDS, LineKey
from shared.contracts.owner import CartOwner
from shared.contracts.states import DebtReason, EntryState, LineKind
from shared.contracts.times import until
from shared.labels import BOOKING_TAGS, now_text
from shared.models import Order
from shared.services.registry import Services

from .lines import CartLine, booking_lines
from .protocol import Given, KindWords, NewLine, Sellable

GIVEN = (EntryState.CONFIRMED, EntryState.PROVISIONAL)


@dataclass(frozen=True, slots=True)
class Bookings(Sellable[EntryDTO]):
    """Each booking is a line of its own, in a cart and in an order."""

    services: Services
    kind: ClassVar[str] = LineKind.BOOKING
    thing: ClassVar[str] = "entry"
    words: ClassVar[KindWords] = KindWords(*KIND_WORDS[LineKind.BOOKING])
    place: ClassVar[int] = 20
    audited: ClassVar[SoldRows] = BOOKINGS

    async def in_cart(self, session: AsyncSession, owner: CartOwner) -> Sequence[EntryDTO]:
        """Return the bookings in a cart."""
        return await self.services.calendar.pending_entries(session, owner)

    def page_of(self, item: EntryDTO) -> int | None:
        """Return the page whose calendar it is."""
        return item.calendar_container_id

    def price_of(self, item: EntryDTO) -> Decimal:
        """Return what it costs."""
        return item.cost or ZERO

    def quantity_of(self, item: EntryDTO) -> int:  # noqa: ARG002 - each is one
        """Return how many it is."""
        return 1

    async def cart_lines(
        self,
        session: AsyncSession,  # noqa: ARG002 - a booking brings what is known against it
        items: Sequence[EntryDTO],
        pages: Mapping[int, PageDTO],  # noqa: ARG002 - a calendar's address has no page in it
    ) -> list[CartLine]:
        """Make a line of each booking."""
        return booking_lines(items)

    async def change(
        self,
        session: AsyncSession,
        owner: CartOwner,
        key: LineKey,
        quantity: int,
        *,
        now: datetime,  # noqa: ARG002 - it may be taken out at any time
    ) -> None:
        """Take a booking out of a cart; there is one of it, to be kept or taken out."""
        if quantity <= 0:
            await self.services.calendar.remove_pending_booking(session, owner, entry_id=key[1])

    async def claim(
        self, session: AsyncSession, order_id: int, owner: CartOwner, page_post_id: int | None
    ) -> Sequence[EntryDTO]:
        """Order the bookings of a cart, and read them back."""
        calendar = self.services.calendar
        await calendar.claim_entries_for_order(session, order_id, owner, page_post_id)
        return await calendar.get_entries_for_order(session, order_id)

    def order_line(self, item: EntryDTO) -> NewLine:
        """Write a booking down as it is now."""
        return NewLine(
            kind=self.kind,
            title=item.name,
            detail=f"{item.calendar_name}, {until(item.start_at, item.end_at, item.time_zone)}",
            quantity=1,
            unit_price=item.cost,
            total=item.cost,
            vat_rate=item.vat_rate,
            page_post_id=item.calendar_container_id,
            option_name=item.calendar_name,
            start_at=item.start_at,
            end_at=item.end_at,
            time_zone=item.time_zone,
            place=item.place,
            entry_id=item.id,
        )

    async def confirm(self, session: AsyncSession, order_id: int) -> None:
        """Confirm an order's bookings, or have them wait for approval."""
        await self.services.calendar.confirm_entries_for_order(session, order_id)

    async def release(
        self,
        session: AsyncSession,
        order_id: int,
        owner: CartOwner,  # noqa: ARG002 - a booking knows its owner
        lines: Sequence[OrderLineDTO],  # noqa: ARG002 - and its order
    ) -> None:
        """Put an order's bookings back into their owner's cart."""
        await self.services.calendar.release_entries_for_order(session, order_id)

    async def take_again(
        self, session: AsyncSession, order_id: int, owner: CartOwner, lines: Sequence[OrderLineDTO]
    ) -> dict[int, DebtReason]:
        """Take bookings again, one by one; return the lines whose bookings are lost."""
        by_entry = self._by_entry(lines)
        calendar = self.services.calendar
        lost = await calendar.retake_entries_for_order(session, order_id, owner.user_id, list(by_entry))
        return {by_entry[entry_id]: reason for entry_id, reason in lost.items()}

    async def cancel(self, session: AsyncSession, order_id: int, lines: Sequence[OrderLineDTO]) -> set[int]:
        """Cancel bookings: their times can be had again."""
        by_entry = self._by_entry(lines)
        done = await self.services.calendar.cancel_entries(session, order_id, by_entry.keys())
        return {by_entry[entry_id] for entry_id in done}

    async def mark_refunded(self, session: AsyncSession, order_id: int, line: OrderLineDTO) -> None:
        """Leave a booking as it is: one that was declined or cancelled stays so."""

    def named_by(self, line: OrderLineDTO) -> int | None:
        """Return the booking that a line names."""
        return line.entry_id

    async def given(self, session: AsyncSession, order_id: int) -> list[Given]:
        """Return an order's bookings."""
        return [_given(entry) for entry in await self.services.calendar.get_entries_for_order(session, order_id)]

    def journal_ids(self, line: OrderLineDTO, given: Given | None) -> set[int]:
        """Return the booking that a line names, and the one made in its place."""
        return {one for one in (line.entry_id, None if given is None else given.id) if one is not None}

    async def holders(self, session: AsyncSession, ids: Collection[int]) -> ColumnElement[bool]:
        """Bound a query to orders whose bookings are in the way of these."""
        return Order.id.in_(await self.services.calendar.orders_in_the_way(session, ids))

    @staticmethod
    def _by_entry(lines: Sequence[OrderLineDTO]) -> dict[int, int]:
        return {line.entry_id: line.id for line in lines if line.entry_id is not None}


def _given(entry: EntryDTO) -> Given:
    return Given(
        kind=LineKind.BOOKING,
        named=entry.replaces_id or entry.id,
        id=entry.id,
        thing=entry,
        title=entry.name,
        detail=entry.calendar_name,
        state=BOOKING_TAGS[entry.state],
        is_given=entry.state in GIVEN,
        is_cancellable=entry.state in GIVEN,
        now=now_text(entry.was),
    )
