"""The cart domain's summary over PostgreSQL: what the badge shows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from shared.contracts.dtos import ZERO, CartItemDTO, CartSummaryDTO, EntryDTO, TicketDTO
from shared.contracts.protocols import CalendarService
from shared.contracts.states import OrderState
from shared.models import Order


def total_of_tickets(tickets: Sequence[TicketDTO]) -> Decimal:
    """Add up what tickets cost; one without a price costs nothing (it cannot be put into a cart)."""
    return sum((ticket.cost for ticket in tickets if ticket.cost is not None), ZERO)


def total_of_entries(entries: Sequence[EntryDTO]) -> Decimal:
    """Add up what bookings cost."""
    return sum((entry.cost for entry in entries if entry.cost is not None), ZERO)


def total_of_items(items: Sequence[CartItemDTO]) -> Decimal:
    """Add up what products cost."""
    return sum((item.total for item in items), ZERO)


@dataclass(frozen=True, slots=True)
class SqlCartService:
    """CartService over PostgreSQL; tickets and bookings come from the calendar domain."""

    calendar: CalendarService

    async def cart_summary(
        self,
        session: AsyncSession,
        *,
        user_id: int | None,
        session_id: str | None,
        page_post_id: int | None = None,
    ) -> CartSummaryDTO:
        """Return how much is in a cart; of one page, if named."""
        tickets: list[TicketDTO] = []
        if user_id is not None:
            tickets = await self.calendar.pending_tickets(session, user_id=user_id)
        entries = await self.calendar.pending_entries(session, user_id=user_id, session_id=session_id)
        items = await self.cart_items(session, user_id=user_id, session_id=session_id)
        if page_post_id is not None:
            tickets = [ticket for ticket in tickets if ticket.calendar_container_id == page_post_id]
            entries = [entry for entry in entries if entry.calendar_container_id == page_post_id]
            items = [item for item in items if item.container_id == page_post_id]
        return CartSummaryDTO(
            count=sum(item.quantity for item in items),
            total=total_of_items(items),
            calendar_count=len(entries),
            calendar_total=total_of_entries(entries),
            ticket_count=len(tickets),
            ticket_total=total_of_tickets(tickets),
            open_orders=await self._open_orders(session, user_id),
        )

    async def cart_items(
        self,
        session: AsyncSession,  # noqa: ARG002
        *,
        user_id: int | None,  # noqa: ARG002
        session_id: str | None,  # noqa: ARG002
    ) -> list[CartItemDTO]:
        """Return the product lines of a cart: none, products are shown and not yet sold here."""
        return []

    async def _open_orders(self, session: AsyncSession, user_id: int | None) -> int:
        """Count the user's orders that wait for their payment."""
        if user_id is None:
            return 0
        statement = (
            select(func.count()).select_from(Order).where(Order.user_id == user_id, Order.state == OrderState.PENDING)
        )
        return await session.scalar(statement) or 0
