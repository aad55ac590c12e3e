"""What a buyer is told by mail: the tickets with their codes, and what is owed back."""

from __future__ import annotations

import pytest
from quart import Quart
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from cart.bp.orders.services.mails import write_order_mails
from cart.wiring import TILL
from shared.contracts.states import TicketState
from shared.models import Mail
from tests.factories.orders import MadeOrder, make_debt
from tests.integration.cart.conftest import Show, fresh, make_paid_order, make_show
from tests.support.visitor import Visitor


@pytest.fixture
async def made(session: AsyncSession, ada: Visitor) -> MadeOrder:
    """An order of Ada's that is paid, for a play whose name needs escaping."""
    show: Show = await make_show(session, name="Salt & <Pepper>")
    made = await make_paid_order(session, show, ada)
    await session.commit()
    return made


async def _mails(app: Quart, session: AsyncSession, order_id: int) -> dict[str, Mail]:
    """Write an order's mails, twice as a job may, and return them by kind."""
    await write_order_mails(app.extensions[TILL], order_id)
    await write_order_mails(app.extensions[TILL], order_id)
    async with fresh(session) as now:
        return {mail.kind: mail for mail in await now.scalars(select(Mail))}


async def test_the_confirmation_has_lines_total_codes_and_links(
    app: Quart, made: MadeOrder, session: AsyncSession
) -> None:
    mail = (await _mails(app, session, made.order.id))["order-paid"]
    assert mail.recipient == "ada@maypole.example"
    assert mail.subject == f"Your tickets for Salt & <Pepper> (order {made.order.number})"
    for ticket in made.tickets:
        assert f"Code: {ticket.code}\nhttp://localhost:8003/tickets/{ticket.code}/\n" in mail.text
        assert f'href="http://localhost:8003/tickets/{ticket.code}/"' in mail.html
    assert "Total, VAT included: £25.00" in mail.text
    assert f"http://localhost:8002/orders/{made.order.id}/" in mail.text
    assert "Salt & <Pepper>, Adult\n" in mail.text
    assert "Salt &amp; &lt;Pepper&gt;" in mail.html
    assert "<Pepper>" not in mail.html


async def test_what_could_not_be_given_has_a_mail_of_its_own(
    app: Quart, made: MadeOrder, session: AsyncSession
) -> None:
    made.tickets[0].state, made.tickets[0].code = TicketState.OVERSOLD, None
    await make_debt(session, made)
    await session.commit()
    mails = await _mails(app, session, made.order.id)
    oversold = mails["order-oversold"]
    assert oversold.subject == f"About your order {made.order.number}: we owe you money"
    assert "Salt & <Pepper>, Adult: £12.50\nSold out" in oversold.text
    assert "you need not do anything" in oversold.text
    assert oversold.text.count("http://localhost:8003/tickets/T") == 1
    assert str(made.tickets[1].code) in mails["order-paid"].text


async def test_a_payment_that_came_twice_is_owed_as_a_whole(app: Quart, made: MadeOrder, session: AsyncSession) -> None:
    await make_debt(session, made, line=None, reason="paid_twice")
    await session.commit()
    oversold = (await _mails(app, session, made.order.id))["order-oversold"]
    assert "The whole payment: £25.00\nPaid twice" in oversold.text
    assert "The whole payment" in oversold.html
