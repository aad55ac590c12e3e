"""Orders with their lines, tickets and payment, in any state: what a shopper may come back to."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from secrets import token_hex, token_urlsafe

from sqlalchemy.ext.asyncio import AsyncSession

from shared.contracts.states import OrderState, PaymentState, TicketState
from shared.models import CalendarEntry, Debt, Order, OrderLine, OrderSeller, Payment, Refund, Ticket, TicketType

TICKET_STATES = {
    OrderState.PENDING: TicketState.RESERVED,
    OrderState.PAID: TicketState.CONFIRMED,
    OrderState.PARTIALLY_REFUNDED: TicketState.CONFIRMED,
    OrderState.REFUNDED: TicketState.REFUNDED,
}
"""What the tickets of an order are; those of any other order are back in the cart."""


@dataclass(frozen=True, slots=True)
class MadeOrder:
    """An order and what belongs to it; its payment is None where there was nothing to pay."""

    order: Order
    tickets: list[Ticket]
    lines: list[OrderLine]
    payment: Payment | None

    @property
    def paying(self) -> Payment:
        """The payment of an order that has one."""
        assert self.payment is not None
        return self.payment


async def make_order(
    session: AsyncSession,
    entry: CalendarEntry,
    *,
    user_id: int,
    ticket_type: TicketType | None = None,
    quantity: int = 2,
    price: str = "12.50",
    state: OrderState = OrderState.PENDING,
    payment_state: PaymentState | None = PaymentState.OPEN,
    checkout_id: str | None = None,
    minutes_left: float = 30,
    page_post_id: int | None = None,
) -> MadeOrder:
    """Make an order for tickets of one kind, as it would stand after checkout, payment or expiry.

    ``page_post_id``: the page that its lines are of.
    """
    now = datetime.now(UTC)
    order = Order(
        number=f"T-{token_hex(4).upper()}",
        state=state,
        user_id=user_id,
        merchant_code="MSANDBOX",
        currency="GBP",
        total=Decimal(price) * quantity,
        created_at=now - timedelta(minutes=30 - minutes_left),
        expires_at=now + timedelta(minutes=minutes_left),
        paid_at=now if state in TICKET_STATES and state is not OrderState.PENDING else None,
    )
    session.add(order)
    await session.flush()
    tickets = await _tickets(session, order, entry, ticket_type, quantity)
    lines = await _lines(session, order, entry, ticket_type, tickets, Decimal(price), page_post_id)
    payment = None
    if payment_state is not None:
        payment = await make_payment(session, order, state=payment_state, checkout_id=checkout_id)
    return MadeOrder(order, tickets, lines, payment)


async def make_payment(
    session: AsyncSession, order: Order, *, state: PaymentState = PaymentState.OPEN, checkout_id: str | None = None
) -> Payment:
    """Make one attempt to pay an order."""
    now = datetime.now(UTC)
    made = Payment(
        order_id=order.id,
        state=state,
        merchant_code=order.merchant_code,
        amount=order.total,
        currency=order.currency,
        checkout_reference=str(uuid.uuid4()),
        checkout_id=None if state is PaymentState.CREATED else checkout_id or str(uuid.uuid4()),
        hosted_url="http://localhost:8010/pay/there",
        return_token=token_urlsafe(16),
        webhook_token=token_urlsafe(16),
        valid_until=order.expires_at,
        paid_at=now if state is PaymentState.PAID else None,
        fulfilled_at=now if state is PaymentState.PAID and order.state == OrderState.PAID else None,
        transaction_id=str(uuid.uuid4()) if state is PaymentState.PAID else None,
    )
    session.add(made)
    await session.flush()
    return made


async def make_seller(
    session: AsyncSession, order: Order, page_post_id: int, *, name: str = "", email: str = "", phone: str = ""
) -> OrderSeller:
    """Write down who sold some lines of an order, and how they are reached; without a name the page's is "The Barn"."""
    made = OrderSeller(
        order_id=order.id,
        page_post_id=page_post_id,
        page_title="The Barn",
        name=name,
        address="",
        email=email,
        phone=phone,
        terms="",
        refund_policy="",
        collection_place="",
        collection_times="",
    )
    session.add(made)
    await session.flush()
    return made


async def make_debt(
    session: AsyncSession,
    made: MadeOrder,
    *,
    line: int | None = 0,
    reason: str = "sold_out",
    created_at: datetime | None = None,
) -> Debt:
    """Owe the buyer one line of an order, or (None) all of it."""
    order_line = None if line is None else made.lines[line]
    debt = Debt(
        order_id=made.order.id,
        payment_id=made.paying.id,
        order_line_id=None if order_line is None else order_line.id,
        amount=made.order.total if order_line is None else order_line.total,
        currency=made.order.currency,
        reason=reason,
        created_at=created_at or datetime.now(UTC),
    )
    session.add(debt)
    await session.flush()
    return debt


async def make_refund(session: AsyncSession, debt: Debt, *, state: str = "failed", reason: str = "") -> Refund:
    """Make one attempt to pay a debt back."""
    made = Refund(
        debt_id=debt.id,
        payment_id=debt.payment_id,
        amount=debt.amount,
        currency=debt.currency,
        state=state,
        reason=reason,
    )
    session.add(made)
    await session.flush()
    return made


async def _tickets(
    session: AsyncSession, order: Order, entry: CalendarEntry, ticket_type: TicketType | None, quantity: int
) -> list[Ticket]:
    """Make the order's tickets, in the state that the order's says."""
    state = TICKET_STATES.get(OrderState(order.state), TicketState.PENDING)
    made = [
        Ticket(
            entry_id=entry.id,
            ticket_type_id=None if ticket_type is None else ticket_type.id,
            user_id=order.user_id,
            order_id=None if state is TicketState.PENDING else order.id,
            state=state,
            code=f"T{token_hex(8).upper()}" if state is TicketState.CONFIRMED else None,
        )
        for _ in range(quantity)
    ]
    session.add_all(made)
    await session.flush()
    return made


async def _lines(
    session: AsyncSession,
    order: Order,
    entry: CalendarEntry,
    ticket_type: TicketType | None,
    tickets: list[Ticket],
    price: Decimal,
    page_post_id: int | None,
) -> list[OrderLine]:
    """Write the order's lines, one for each ticket."""
    made = [
        OrderLine(
            order_id=order.id,
            kind="ticket",
            title=entry.name,
            detail="" if ticket_type is None else ticket_type.name,
            quantity=1,
            unit_price=price,
            total=price,
            ticket_id=ticket.id,
            entry_id=entry.id,
            ticket_type_id=ticket.ticket_type_id,
            page_post_id=page_post_id,
        )
        for ticket in tickets
    ]
    session.add_all(made)
    await session.flush()
    return made
