"""Checkout: from what is in the cart to an order that holds its seats (MONEY.md, "Checkout").

The cart's owner is locked, everything is claimed, and lines and total are made from exactly the rows that were
claimed. The total that the shopper saw is compared, never used.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncSession

from cart.bp.orders.services.queries import order_to_dto
from cart.wiring import Till
from shared.contracts.dtos import ZERO, EntryDTO, OrderDTO, TicketDTO
from shared.contracts.errors import CartEmpty, TotalChanged
from shared.contracts.states import LineKind, OrderState
from shared.db.locks import lock_cart_owner
from shared.db.uow import unit_of_work
from shared.models import Order, OrderLine, Payment
from shared.services.journal import SYSTEM, record, user_actor

from .calendar_cart import calendar_total, ticket_total
from .check_sumup_status import confirm_order
from .numbers import new_order_number, new_reference, new_token
from .page_config import resolve_page_config


@dataclass(frozen=True, slots=True)
class Buyer:
    """Whose cart is checked out: a user's, or an anonymous session's."""

    user_id: int | None
    session_id: str | None


@dataclass(frozen=True, slots=True)
class PlacedOrder:
    """An order that holds its seats, and the attempt to pay it (None: there was nothing to pay)."""

    order: OrderDTO
    payment_id: int | None


@dataclass(frozen=True, slots=True)
class _Claimed:
    """What was claimed, read back: the order is made of this and of nothing else."""

    tickets: Sequence[TicketDTO]
    entries: Sequence[EntryDTO]

    @property
    def total(self) -> Decimal:
        """What it costs."""
        return calendar_total(self.entries) + ticket_total(self.tickets)

    @property
    def page_ids(self) -> set[int | None]:
        """The pages that sell it."""
        return {ticket.calendar_container_id for ticket in self.tickets} | {
            entry.calendar_container_id for entry in self.entries
        }


async def create_order_from_cart(
    till: Till, buyer: Buyer, *, page_post_id: int | None, shown_total: Decimal
) -> PlacedOrder:
    """Make an order of a cart, or of one page's part of it, and the first attempt to pay it, in one commit.

    All of it or none: raises CartEmpty, SoldOut, NotOnSale, SeveralAccounts, or TotalChanged where
    ``shown_total`` (in the installation's currency) is not what the claimed things cost; then nothing is kept. Not safe
    to repeat by itself, but a second call finds nothing left to claim and raises CartEmpty.
    """
    async with unit_of_work(till.database) as uow:
        session = uow.session
        await lock_cart_owner(session, user_id=buyer.user_id, session_id=buyer.session_id)
        order = await _open_order(session, till, buyer)
        claimed = await _claim(session, till, buyer, order.id, page_post_id)
        if not claimed.tickets and not claimed.entries:
            raise CartEmpty
        if claimed.total != shown_total:
            raise TotalChanged
        await _fill(session, till, order, claimed)
        payment_id = await _intend_payment(session, order) if claimed.total else None
        if payment_id is None:  # there is nobody to ask for 0.00
            await confirm_order(session, till, order, actor=SYSTEM, why="nothing to pay")
        lines = await _lines_of(session, order.id)
        await uow.commit()
    return PlacedOrder(order_to_dto(order, lines), payment_id)


async def _open_order(session: AsyncSession, till: Till, buyer: Buyer) -> Order:
    """Insert the order; its lines, total and account follow before the commit."""
    now = till.clock()
    order = Order(
        number=new_order_number(),
        state=OrderState.PENDING,
        user_id=buyer.user_id,
        merchant_code=till.settings.sumup_merchant_code,
        currency=till.settings.currency,
        total=ZERO,
        created_at=now,
        expires_at=now + timedelta(minutes=till.settings.order_minutes),
    )
    session.add(order)
    await session.flush()  # the claims need the order's id
    return order


async def _claim(session: AsyncSession, till: Till, buyer: Buyer, order_id: int, page_post_id: int | None) -> _Claimed:
    """Claim bookings and tickets, and read back what was claimed."""
    calendar = till.services.calendar
    await calendar.claim_entries_for_order(session, order_id, buyer.user_id, buyer.session_id, page_post_id)
    if buyer.user_id is not None:
        await calendar.claim_tickets_for_order(session, order_id, buyer.user_id, page_post_id)
    return _Claimed(
        tickets=await calendar.get_tickets_for_order(session, order_id),
        entries=await calendar.get_entries_for_order(session, order_id),
    )


async def _fill(session: AsyncSession, till: Till, order: Order, claimed: _Claimed) -> None:
    """Write the order's lines, its total and who is paid."""
    payee = await resolve_page_config(
        session, claimed.page_ids, default_merchant_code=till.settings.sumup_merchant_code
    )
    order.page_post_id, order.merchant_code, order.total = payee.page_post_id, payee.merchant_code, claimed.total
    await session.flush()  # the total is checked against the lines when the transaction commits
    rows = [_ticket_line(order.id, ticket) for ticket in claimed.tickets]
    rows += [_entry_line(order.id, entry) for entry in claimed.entries]
    await session.execute(insert(OrderLine), rows)
    await record(
        session,
        thing="order",
        thing_id=order.id,
        order_id=order.id,
        event="placed",
        actor=user_actor(order.user_id) if order.user_id is not None else "guest",
        data={"total": str(order.total), "lines": len(rows)},
    )


def _ticket_line(order_id: int, ticket: TicketDTO) -> dict[str, object]:
    """Write a ticket down as it is now: later changes of its type or event do not reach the order."""
    return {
        "order_id": order_id,
        "kind": LineKind.TICKET,
        "title": ticket.entry_name,
        "detail": ticket.ticket_type_name or "",
        "quantity": 1,
        "unit_price": ticket.cost or ZERO,
        "total": ticket.cost or ZERO,
        "vat_rate": ticket.vat_rate,
        "page_post_id": ticket.calendar_container_id,
        "ticket_id": ticket.id,
        "entry_id": ticket.entry_id,
        "ticket_type_id": ticket.ticket_type_id,
    }


def _entry_line(order_id: int, entry: EntryDTO) -> dict[str, object]:
    """Write a booking down as it is now."""
    return {
        "order_id": order_id,
        "kind": LineKind.BOOKING,
        "title": entry.name,
        "detail": entry.calendar_name,
        "quantity": 1,
        "unit_price": entry.cost or ZERO,
        "total": entry.cost or ZERO,
        "vat_rate": entry.vat_rate,
        "page_post_id": entry.calendar_container_id,
        "ticket_id": None,
        "entry_id": entry.id,
        "ticket_type_id": None,
    }


async def _intend_payment(session: AsyncSession, order: Order) -> int:
    """Write the attempt down before anybody is called (promise 15)."""
    payment = Payment(
        order_id=order.id,
        merchant_code=order.merchant_code,
        amount=order.total,
        currency=order.currency,
        checkout_reference=new_reference(),
        return_token=new_token(),
        webhook_token=new_token(),
        valid_until=order.expires_at,
        created_at=order.created_at,
        next_check_at=order.created_at + timedelta(seconds=30),
    )
    session.add(payment)
    await session.flush()  # its id goes into the journal
    await record(
        session,
        thing="payment",
        thing_id=payment.id,
        order_id=order.id,
        event="created",
        actor=SYSTEM,
        data={"amount": str(payment.amount), "reference": payment.checkout_reference},
    )
    return payment.id


async def _lines_of(session: AsyncSession, order_id: int) -> list[OrderLine]:
    """Read the lines back."""
    return list(await session.scalars(select(OrderLine).where(OrderLine.order_id == order_id).order_by(OrderLine.id)))
