"""What the database itself watches over: the journal of tickets, what is in an order, and how much may be owed."""

from __future__ import annotations

from decimal import Decimal
from uuid import uuid4

import pytest
from sqlalchemy import insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from shared.contracts.states import OrderState, PaymentState, RefundState, StockState, TicketState
from shared.db.refusals import violates
from shared.models import CalendarEntry, Debt, JournalEntry, Payment, Refund, StockAllocation, Ticket
from shared.services.journal import act_as
from tests.factories.blog import make_page
from tests.factories.bookings import make_booking
from tests.factories.calendar import make_calendar, make_entry
from tests.factories.market import make_product, variant_of
from tests.factories.orders import MadeOrder, make_order
from tests.factories.users import make_user


async def _order(session: AsyncSession, state: OrderState = OrderState.EXPIRED) -> MadeOrder:
    """Return somebody's order of two tickets."""
    user = await make_user(session)
    entry = await make_entry(session, await make_calendar(session))
    paid = PaymentState.PAID if state is OrderState.PAID else PaymentState.EXPIRED
    return await make_order(session, entry, user_id=user.id, state=state, payment_state=paid)


async def _told(session: AsyncSession) -> list[tuple[int, int | None, str, str, str]]:
    """Return what the journal tells of tickets: which, of what order, what, who and why."""
    rows = await session.scalars(select(JournalEntry).where(JournalEntry.thing == "ticket").order_by(JournalEntry.id))
    return [(row.thing_id, row.order_id, row.event, row.actor, row.why) for row in rows]


async def test_a_ticket_in_a_cart_is_not_told_of(session: AsyncSession) -> None:
    made = await _order(session)

    await session.execute(insert(Ticket).values(entry_id=made.tickets[0].entry_id, user_id=made.order.user_id))

    assert await _told(session) == []


async def test_what_becomes_of_a_ticket_is_told_with_who_and_why(session: AsyncSession) -> None:
    made = await _order(session)
    ticket = made.tickets[0].id

    await act_as(session, "user:7", "checkout")
    mine = update(Ticket).where(Ticket.id == ticket)
    await session.execute(mine.values(state=TicketState.RESERVED, order_id=made.order.id))
    await session.execute(mine.values(state=TicketState.PENDING, order_id=None))

    assert await _told(session) == [
        (ticket, made.order.id, "reserved", "user:7", "checkout"),
        (ticket, made.order.id, "pending", "user:7", "checkout"),
    ]


async def test_who_acts_is_said_for_one_transaction_and_no_longer(session: AsyncSession) -> None:
    made = await _order(session)
    ticket, order = made.tickets[0].id, made.order.id
    await act_as(session, "user:7", "checkout")
    await session.commit()

    await session.execute(update(Ticket).where(Ticket.id == ticket).values(state=TicketState.RESERVED, order_id=order))

    assert await _told(session) == [(ticket, order, "reserved", "system", "")]


# --- what is sold stays in its order ---


async def _sold(session: AsyncSession, kind: str) -> Ticket | CalendarEntry | StockAllocation | Payment:
    """Return something of one order."""
    if kind == "booking":
        user, calendar = await make_user(session), await make_calendar(session)
        return (await make_booking(session, calendar, user_id=user.id)).entry
    made = await _order(session, OrderState.PAID)
    if kind == "stock":
        variant_id = await variant_of(session, await make_product(session, await make_page(session)))
        stock = StockAllocation(order_id=made.order.id, variant_id=variant_id, quantity=1, state=StockState.RESERVED)
        session.add(stock)
        await session.flush()
        return stock
    return made.tickets[0] if kind == "ticket" else made.paying


@pytest.mark.parametrize("kind", ["ticket", "booking", "stock", "payment"])
async def test_what_is_in_an_order_is_not_moved_to_another_one(session: AsyncSession, kind: str) -> None:
    thing, another = await _sold(session, kind), await _order(session)
    assert thing.order_id not in (None, another.order.id)
    with pytest.raises(IntegrityError, match="may not go from order"):
        await session.execute(update(type(thing)).where(type(thing).id == thing.id).values(order_id=another.order.id))


# --- what may be owed of a payment ---


def _debt(made: MadeOrder, amount: str, **more: object) -> Debt:
    """Return a debt of an order, of an admin's making."""
    return Debt(
        order_id=made.order.id,
        payment_id=made.paying.id,
        amount=Decimal(amount),
        currency="GBP",
        reason="goodwill",
        **more,
    )


async def test_no_more_is_owed_of_a_payment_than_was_paid(session: AsyncSession) -> None:
    made = await _order(session, OrderState.PAID)  # 25.00
    session.add(_debt(made, "20.00"))
    await session.flush()
    await session.refresh(made.paying)
    assert made.paying.owed == Decimal("20.00")

    session.add(_debt(made, "5.01"))
    with pytest.raises(IntegrityError) as refused:
        await session.flush()

    assert violates(refused.value, "owed_within_amount")


async def test_what_went_back_elsewhere_counts_as_owed(session: AsyncSession) -> None:
    made = await _order(session, OrderState.PAID)
    session.add(Refund(payment_id=made.paying.id, amount=Decimal("20.00"), currency="GBP", state=RefundState.EXTERNAL))
    await session.flush()

    session.add(_debt(made, "5.01"))
    with pytest.raises(IntegrityError) as refused:
        await session.flush()

    assert violates(refused.value, "owed_within_amount")


async def test_the_debts_of_a_line_are_not_more_than_it_cost(session: AsyncSession) -> None:
    made = await _order(session, OrderState.PAID)  # two lines of 12.50
    session.add(_debt(made, "12.00", order_line_id=made.lines[0].id))
    await session.flush()

    session.add(_debt(made, "0.51", order_line_id=made.lines[0].id))
    with pytest.raises(IntegrityError) as refused:
        await session.flush()

    assert violates(refused.value, "debts_within_line")


@pytest.mark.parametrize("of_a_line", [True, False])
async def test_one_press_of_a_button_makes_one_debt(session: AsyncSession, *, of_a_line: bool) -> None:
    made, key = await _order(session, OrderState.PAID), uuid4()
    line_id = made.lines[0].id if of_a_line else None
    session.add(_debt(made, "1.00", order_line_id=line_id, request_key=key))
    await session.flush()

    session.add(_debt(made, "1.00", order_line_id=line_id, request_key=key))
    with pytest.raises(IntegrityError) as refused:
        await session.flush()

    assert violates(refused.value, "uq_debts_request_key")


async def test_a_debt_settled_by_hand_says_who_and_how(session: AsyncSession) -> None:
    made = await _order(session, OrderState.PAID)
    session.add(_debt(made, "1.00"))
    await session.flush()

    with pytest.raises(IntegrityError) as refused:
        await session.execute(update(Debt).values(state="settled", settled_at=made.order.created_at, by_hand=True))

    assert violates(refused.value, "by_hand_says_who_and_how")
