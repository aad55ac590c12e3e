"""Tickets in any state, with whatever that state needs."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import count
from secrets import token_hex

from sqlalchemy.ext.asyncio import AsyncSession

from shared.models import CalendarEntry, Order, Ticket, TicketType

_numbers = count(1)
_IN_AN_ORDER = ("reserved", "confirmed", "checked_in", "oversold", "refunded")
_WITH_A_CODE = ("confirmed", "checked_in")


async def make_tickets(
    session: AsyncSession,
    entry: CalendarEntry,
    *,
    user_id: int,
    ticket_type: TicketType | None = None,
    state: str = "confirmed",
    quantity: int = 1,
) -> list[Ticket]:
    """Make tickets of one kind; those that are bought share an order (without lines: nothing was charged)."""
    order_id = await make_empty_order(session, user_id) if state in _IN_AN_ORDER else None
    made = [
        Ticket(
            entry_id=entry.id,
            ticket_type_id=None if ticket_type is None else ticket_type.id,
            user_id=user_id,
            order_id=order_id,
            state=state,
            code=f"T{token_hex(8).upper()}" if state in _WITH_A_CODE else None,
            checked_in_at=datetime.now(UTC) if state == "checked_in" else None,
        )
        for _ in range(quantity)
    ]
    session.add_all(made)
    await session.flush()
    return made


async def make_empty_order(session: AsyncSession, user_id: int) -> int:
    """Make an order over nothing, for tickets to belong to."""
    made = Order(
        number=f"T-{next(_numbers)}-{token_hex(4)}",
        user_id=user_id,
        merchant_code="MSANDBOX",
        currency="GBP",
        total=Decimal("0.00"),
        expires_at=datetime.now(UTC) + timedelta(minutes=30),
    )
    session.add(made)
    await session.flush()
    return made.id
