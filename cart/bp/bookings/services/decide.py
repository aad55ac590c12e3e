"""The decision on a booking that waits: approved, or declined and its price owed back, all in one commit."""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from cart.debts.given_for import payment_given_for
from cart.debts.owed import left_of_line, owe
from cart.orders.mails import queue_booking_mail
from cart.orders.queries import order_to_dto
from cart.payments.attempts import lock_buyer_and_order
from cart.refunds.by_hand import read_note
from cart.wiring import PaymentContext
from shared.contracts.dtos import ZERO, EntryDTO
from shared.contracts.errors import Conflict, NotFound
from shared.contracts.states import DebtReason
from shared.db.locks import lock_payment
from shared.db.uow import unit_of_work
from shared.models import Order, OrderLine, OrderNote, Payment
from shared.services.journal import act_as, user_actor

from .lines import line_of


@dataclass(frozen=True, slots=True)
class BookingDecision:
    """What was decided, what the booker is told besides (nothing is enough), and by whom."""

    approved: bool
    note: str
    actor_user_id: int

    @property
    def actor(self) -> str:
        """Who decided, as the journal has it."""
        return user_actor(self.actor_user_id)

    def noted(self, name: str) -> str:
        """Say it at the order."""
        return f"{name} was {'approved' if self.approved else 'declined'}: {self.note}"


async def decide_booking(
    context: PaymentContext, *, entry_id: int, approved: bool, actor_user_id: int, note: str = ""
) -> bool:
    """Approve a booking that waits, or decline it; return whether its price is owed back now. The booker gets a mail.

    A ``note`` stands in that mail, and at the order where no other page's people look at that. Raises NotFound,
    BadInput for a note that is too long, and Conflict where it does not wait (any more): then nothing was changed, so
    of two who decide at once one is told.
    """
    said = BookingDecision(approved, read_note(note, "") if note.strip() else "", actor_user_id)
    async with unit_of_work(context.database) as uow:
        order = await _lock_order(uow.session, context, entry_id)
        await act_as(uow.session, said.actor)
        owed = await _decide(uow.session, context, order, entry_id, said)
        await uow.commit()
    return owed


async def owed_if_declined(session: AsyncSession, entry: EntryDTO) -> Decimal:
    """Return what would be owed back if a booking were declined now. For admins only."""
    line = await line_of(session, entry)
    payment = await payment_given_for(session, line.order_id) if line.total else None
    return ZERO if payment is None else await left_of_line(session, payment, line)


async def _lock_order(session: AsyncSession, context: PaymentContext, entry_id: int) -> Order:
    """Lock the buyer and the order of a booking. Raises NotFound, Conflict."""
    entry = await context.services.calendar.booking(session, entry_id)
    if entry is None:
        raise NotFound
    if entry.order_id is None:
        raise Conflict
    return await lock_buyer_and_order(session, Order.id == entry.order_id)


async def _decide(
    session: AsyncSession, context: PaymentContext, order: Order, entry_id: int, said: BookingDecision
) -> bool:
    calendar = context.services.calendar
    # Before the booking, as in docs/locking.md; approving moves no money.
    payment = None if said.approved else await _lock_payment(session, order.id)
    # Its order changed between look and lock: late money gave the time to another order's booking.
    if await calendar.decide_entry(session, entry_id, approved=said.approved) != order.id:
        raise Conflict
    entry = await calendar.booking(session, entry_id)
    if entry is None:
        raise NotFound
    line = await line_of(session, entry)
    owed = ZERO if said.approved else await _owe(session, payment, line, said.actor)
    told = replace(entry, cost=line.total if said.approved else owed)
    # Elsewhere other pages' people read the order's notes, who have nothing to do with this booking.
    if said.note and await _is_of_one_page(session, order.id):
        session.add(OrderNote(order_id=order.id, author_id=said.actor_user_id, body=said.noted(entry.name)))
    await queue_booking_mail(context, session, told, order=order_to_dto(order, []), note=said.note)
    return owed > 0


async def _is_of_one_page(session: AsyncSession, order_id: int) -> bool:
    """Tell whether all of an order was sold by one page."""
    pages = select(OrderLine.page_post_id).where(OrderLine.order_id == order_id).distinct()
    return len((await session.scalars(pages)).all()) == 1


async def _lock_payment(session: AsyncSession, order_id: int) -> Payment | None:
    payment = await payment_given_for(session, order_id)
    return None if payment is None else await lock_payment(session, payment.id)


async def _owe(session: AsyncSession, payment: Payment | None, line: OrderLine, actor: str) -> Decimal:
    """Owe what a declined booking cost, as far as it was not refunded before; return how much that is."""
    if not line.total:
        return ZERO
    # It cost something and nothing was paid: then it cannot have been waiting for a decision.
    if payment is None:
        raise Conflict
    left = await left_of_line(session, payment, line)
    if left > 0:
        await owe(session, payment, left, DebtReason.DECLINED, line_id=line.id, actor=actor)
    return left
