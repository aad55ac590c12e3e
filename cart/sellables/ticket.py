"""Tickets: seats of events, for those who have an account."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import ClassVar

from sqlalchemy import ColumnElement, select
from sqlalchemy.ext.asyncio import AsyncSession

from shared.audit.sold import TICKETS, SoldRows
from shared.contracts.dtos import ZERO, OrderLineDTO, PageDTO, TicketDTO
from shared.contracts.errors import SignInRequired
from shared.contracts.lines import KIND_WORDS, LineKey
from shared.contracts.owner import CartOwner
from shared.contracts.states import DebtReason, LineKind, TicketState
from shared.contracts.times import when
from shared.labels import TICKET_TAGS, now_text
from shared.models import Order, OrderLine
from shared.services.registry import Services

from .lines import CartLine, ticket_lines
from .protocol import Given, KindWords, NewLine, Sellable

GIVEN = (TicketState.CONFIRMED, TicketState.CHECKED_IN)


@dataclass(frozen=True, slots=True)
class Tickets(Sellable[TicketDTO]):
    """Each ticket is a line of its own in an order; in a cart equal ones are one line."""

    services: Services
    kind: ClassVar[str] = LineKind.TICKET
    thing: ClassVar[str] = "ticket"
    words: ClassVar[KindWords] = KindWords(
        *KIND_WORDS[LineKind.TICKET], in_cart="If the event sells out before payment, you will be refunded."
    )
    place: ClassVar[int] = 30
    audited: ClassVar[SoldRows] = TICKETS

    async def in_cart(self, session: AsyncSession, owner: CartOwner) -> Sequence[TicketDTO]:
        """Return the tickets in a cart; only somebody who is signed in has any."""
        if owner.user_id is None:
            return []
        return await self.services.calendar.pending_tickets(session, user_id=owner.user_id)

    def page_of(self, item: TicketDTO) -> int | None:
        """Return the page whose calendar has the event."""
        return item.calendar_container_id

    def price_of(self, item: TicketDTO) -> Decimal:
        """Return what it costs; one without a price costs nothing (it cannot be ordered)."""
        return item.cost or ZERO

    def quantity_of(self, item: TicketDTO) -> int:  # noqa: ARG002 - each is one
        """Return how many it is."""
        return 1

    async def cart_lines(
        self,
        session: AsyncSession,
        items: Sequence[TicketDTO],
        pages: Mapping[int, PageDTO],  # noqa: ARG002 - an event's address has no page in it
    ) -> list[CartLine]:
        """Make a line of the tickets of each event and type."""
        # The events of now: a ticket in the cart is at today's price, and may be over.
        events = await self.services.calendar.entries_by_id(session, {ticket.entry_id for ticket in items})
        return ticket_lines(items, events)

    async def change(
        self, session: AsyncSession, owner: CartOwner, key: LineKey, quantity: int, *, now: datetime
    ) -> None:
        """Make a cart hold exactly so many tickets of one event and type. Raises SignInRequired."""
        if owner.user_id is None:
            raise SignInRequired
        _, entry_id, ticket_type_id = key
        await self.services.calendar.set_pending_tickets(
            session,
            user_id=owner.user_id,
            entry_id=entry_id,
            ticket_type_id=ticket_type_id,
            quantity=quantity,
            now=now,
        )

    async def claim(
        self, session: AsyncSession, order_id: int, owner: CartOwner, page_post_id: int | None
    ) -> Sequence[TicketDTO]:
        """Reserve the tickets of a cart, and read them back."""
        # An anonymous cart has no tickets; the order is read back all the same, and gives none.
        if owner.user_id is not None:
            await self.services.calendar.claim_tickets_for_order(session, order_id, owner.user_id, page_post_id)
        # Read from what was moved, not from the cart: the total is made of what is really held.
        return await self.services.calendar.get_tickets_for_order(session, order_id)

    def order_line(self, item: TicketDTO) -> NewLine:
        """Write a ticket down as it is now: later changes of its type or event do not reach the order."""
        return NewLine(
            kind=self.kind,
            title=item.entry_name,
            detail=", ".join(filter(None, (item.ticket_type_name, when(item.entry_start_at, item.time_zone)))),
            quantity=1,
            unit_price=item.cost,
            total=item.cost,
            vat_rate=item.vat_rate,
            page_post_id=item.calendar_container_id,
            option_name=item.ticket_type_name or "",
            start_at=item.entry_start_at,
            end_at=item.entry_end_at,
            time_zone=item.time_zone,
            place=item.place,
            ticket_id=item.id,
            entry_id=item.entry_id,
            ticket_type_id=item.ticket_type_id,
        )

    async def confirm(self, session: AsyncSession, order_id: int) -> None:
        """Confirm an order's tickets: each gets its code."""
        await self.services.calendar.confirm_tickets_for_order(session, order_id)

    async def release(
        self,
        session: AsyncSession,
        order_id: int,
        owner: CartOwner,  # noqa: ARG002 - a ticket knows its owner
        lines: Sequence[OrderLineDTO],  # noqa: ARG002 - and its order
    ) -> None:
        """Put an order's tickets back into their owner's cart."""
        await self.services.calendar.release_tickets_for_order(session, order_id)

    async def take_again(
        self, session: AsyncSession, order_id: int, owner: CartOwner, lines: Sequence[OrderLineDTO]
    ) -> dict[int, DebtReason]:
        """Take tickets again, those of one event all or none; return the lines whose tickets are lost."""
        by_ticket = self._by_ticket(lines)
        # A released order whose buyer is gone had no tickets to begin with.
        if not by_ticket or owner.user_id is None:
            return {}
        lost = await self.services.calendar.retake_tickets_for_order(session, order_id, owner.user_id, list(by_ticket))
        return {by_ticket[ticket_id]: reason for ticket_id, reason in lost.items()}

    async def cancel(self, session: AsyncSession, order_id: int, lines: Sequence[OrderLineDTO]) -> set[int]:
        """Cancel tickets: their seats are for sale again."""
        by_ticket = self._by_ticket(lines)
        done = await self.services.calendar.cancel_tickets(session, order_id, by_ticket.keys())
        return {by_ticket[ticket_id] for ticket_id in done}

    async def mark_refunded(self, session: AsyncSession, order_id: int, line: OrderLineDTO) -> None:
        """Mark a ticket, or the one made in its place, as refunded."""
        if line.ticket_id is not None:
            await self.services.calendar.mark_tickets_refunded(session, order_id, [line.ticket_id])

    def named_by(self, line: OrderLineDTO) -> int | None:
        """Return the ticket that a line names."""
        return line.ticket_id

    async def given(self, session: AsyncSession, order_id: int) -> list[Given]:
        """Return an order's tickets."""
        return [_given(ticket) for ticket in await self.services.calendar.get_tickets_for_order(session, order_id)]

    def journal_ids(self, line: OrderLineDTO, given: Given | None) -> set[int]:
        """Return the ticket that a line names, and the one made in its place."""
        return {one for one in (line.ticket_id, None if given is None else given.id) if one is not None}

    async def holders(self, session: AsyncSession, ids: Collection[int]) -> ColumnElement[bool]:  # noqa: ARG002
        """Bound a query to orders that have seats of these events."""
        mine = (OrderLine.order_id == Order.id) & (OrderLine.kind == self.kind)
        return select(OrderLine.id).where(mine, OrderLine.entry_id.in_(ids)).exists()

    @staticmethod
    def _by_ticket(lines: Sequence[OrderLineDTO]) -> dict[int, int]:
        return {line.ticket_id: line.id for line in lines if line.ticket_id is not None}


def _given(ticket: TicketDTO) -> Given:
    return Given(
        kind=LineKind.TICKET,
        # The line names what was ordered first; the ticket that late money gave has another id.
        named=ticket.replaces_id or ticket.id,
        id=ticket.id,
        thing=ticket,
        title=ticket.entry_name,
        detail=ticket.ticket_type_name or "",
        state=TICKET_TAGS[ticket.state],
        is_given=ticket.state in GIVEN,
        # Not once it was used at the door: that takes a decision about money alone.
        is_cancellable=ticket.state is TicketState.CONFIRMED,
        code=ticket.code or "",
        now=now_text(ticket.was),
    )
