"""A row's state is its enum's member, and the journal tells only of what the database has taken."""

from __future__ import annotations

import pytest
from sqlalchemy import select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession

from shared.contracts.journal import JournalThing
from shared.contracts.states import OrderState, PaymentState, TicketState
from shared.models import JournalEntry, Order, Payment
from shared.services.journal import SYSTEM, record
from tests.factories.calendar import make_calendar, make_entry
from tests.factories.orders import MadeOrder, make_order
from tests.factories.users import make_user


@pytest.fixture
async def made(session: AsyncSession) -> MadeOrder:
    """An order that waits for its payment."""
    user = await make_user(session)
    return await make_order(session, await make_entry(session, await make_calendar(session)), user_id=user.id)


async def test_a_row_that_is_read_has_the_member_of_its_enum(session: AsyncSession, made: MadeOrder) -> None:
    order_id, payment = made.order.id, made.payment
    assert payment is not None
    session.expire_all()

    order = await session.get_one(Order, order_id)
    ticket = made.tickets[0]
    for row in (ticket, payment):
        await session.refresh(row)

    assert order.state is OrderState.PENDING
    assert ticket.state is TicketState.RESERVED
    assert await session.scalar(select(Payment.state)) is PaymentState.OPEN


async def _record(session: AsyncSession, order: Order, event: OrderState) -> None:
    """Tell of what has become of an order."""
    await record(session, thing=JournalThing.ORDER, thing_id=order.id, order_id=order.id, event=event, actor=SYSTEM)


async def test_what_is_told_of_has_been_written_before(session: AsyncSession, made: MadeOrder) -> None:
    made.order.state = OrderState.EXPIRED

    await _record(session, made.order, OrderState.EXPIRED)

    assert made.order not in session.dirty
    assert list(await session.scalars(select(JournalEntry.event).where(JournalEntry.thing == "order"))) == ["expired"]


async def test_what_the_database_refuses_is_not_told_of(session: AsyncSession, made: MadeOrder) -> None:
    made.order.state = OrderState.REFUNDED

    with pytest.raises(DBAPIError):
        await _record(session, made.order, OrderState.REFUNDED)

    await session.rollback()
    assert list(await session.scalars(select(JournalEntry.id))) == []
