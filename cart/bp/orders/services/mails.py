"""What a buyer is told by mail once their money has arrived. Runs in the worker, apart from the sale (promise 12)."""

from __future__ import annotations

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from cart.wiring import Till
from shared.contracts.dtos import OrderDTO, TicketDTO
from shared.contracts.states import TicketState
from shared.db.locks import lock_order
from shared.db.uow import unit_of_work
from shared.mail.render import render_mail
from shared.mail.service import queue_mail
from shared.models import Debt, Order, OrderLine, User

from .queries import order_to_dto

GIVEN = (TicketState.CONFIRMED, TicketState.CHECKED_IN)


async def write_order_mails(till: Till, order_id: int) -> None:
    """Queue the mails about a paid order: what was bought, and what is owed back. Safe to repeat: each goes once."""
    async with unit_of_work(till.database) as uow:
        order = await lock_order(uow.session, order_id)
        if order is None or order.paid_at is None or order.mail_queued_at is not None:
            return
        await _write(till, uow.session, order)
        order.mail_queued_at = till.clock()
        await uow.session.flush()  # the session does not flush by itself
        await uow.commit()


async def _write(till: Till, session: AsyncSession, order: Order) -> None:
    """Render and queue both mails."""
    recipient = await session.scalar(
        select(func.coalesce(User.email, Order.guest_email))
        .select_from(Order)
        .outerjoin(User, User.id == Order.user_id)
        .where(Order.id == order.id)
    )
    lines = await session.scalars(select(OrderLine).where(OrderLine.order_id == order.id).order_by(OrderLine.id))
    dto = order_to_dto(order, list(lines))
    tickets = await till.services.calendar.get_tickets_for_order(session, order.id)
    given = [ticket for ticket in tickets if ticket.state in GIVEN]
    debts = list(await session.scalars(select(Debt).where(Debt.order_id == order.id).order_by(Debt.id)))
    if recipient is None:
        return
    if given or not debts:
        await _queue(till, session, dto, given, debts, event="order-paid", recipient=recipient, key=f"{order.id}")
    if debts:
        key = f"{order.id}:{debts[-1].id}"
        await _queue(till, session, dto, tickets, debts, event="order-oversold", recipient=recipient, key=key)


async def _queue(
    till: Till,
    session: AsyncSession,
    order: OrderDTO,
    tickets: list[TicketDTO],
    debts: list[Debt],
    *,
    event: str,
    recipient: str,
    key: str,
) -> None:
    """Render one mail and queue it, once for its key."""
    mail = render_mail(
        event,
        settings=till.settings,
        recipient=recipient,
        order=order,
        tickets=tickets,
        debts=debts,
        order_url=f"{till.settings.url_of('cart')}/orders/{order.id}/",
        tickets_url=f"{till.settings.url_of('events')}/tickets/",
    )
    await queue_mail(session, mail, kind=event, key=f"{event}:{key}")
