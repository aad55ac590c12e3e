"""Orders that wait for their payment: whoever comes back from the provider's page must not find an empty cart."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import selectinload

from cart.orders.buyer import Buyer
from cart.orders.queries import order_to_dto
from shared.contracts.dtos import OrderDTO
from shared.contracts.states import LineKind, OrderState, PaymentState
from shared.models import Order, OrderLine, Payment
from shared.web.state import app_state


@dataclass(frozen=True, slots=True)
class OpenOrder:
    """An order that waits for its payment."""

    order: OrderDTO
    seconds_left: int
    payment_state: PaymentState | None
    hosted_url: str | None
    begun: tuple[str, ...] = ()
    """What those of its events are called that have begun."""


async def get_open_orders(session: AsyncSession, buyer: Buyer) -> list[OpenOrder]:
    """Return the buyer's unpaid orders, newest first, with the time left and where each is paid."""
    statement = (
        select(Order)
        .where(buyer.owns(), Order.state == OrderState.PENDING)
        # Three queries, however many orders wait.
        .options(selectinload(Order.lines), selectinload(Order.payments))
        .order_by(Order.id.desc())
    )
    now = app_state().clock()
    return [_open_order(order, now) for order in await session.scalars(statement)]


def _open_order(order: Order, now: datetime) -> OpenOrder:
    """Map an unpaid order; its latest payment is the one that counts."""
    # Earlier attempts are closed: there is one payable attempt an order (docs/money.md, promise 15).
    payment: Payment | None = order.payments[-1] if order.payments else None
    return OpenOrder(
        order=order_to_dto(order),
        # Past the deadline until it is fenced: then zero, not less.
        seconds_left=max(0, int((order.expires_at - now).total_seconds())),
        payment_state=None if payment is None else payment.state,
        hosted_url=None if payment is None else payment.hosted_url,
        # Each event once, in the order of the lines.
        begun=tuple(dict.fromkeys(line.title for line in order.lines if _has_begun(line, now))),
    )


def _has_begun(line: OrderLine, now: datetime) -> bool:
    """Tell whether a line is a ticket for an event that has begun, by when it was to begin as it was ordered."""
    return line.kind == LineKind.TICKET and line.start_at is not None and line.start_at <= now
