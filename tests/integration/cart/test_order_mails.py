"""What a buyer is told by mail: the tickets with their codes, and what is owed back."""

from __future__ import annotations

from dataclasses import replace

import pytest
from quart import Quart
from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from cart.orders.addressee import addressee_of
from cart.orders.mails import write_order_mails
from cart.wiring import PAYMENT_CONTEXT
from shared.contracts.states import DebtState, PaymentState, TicketState
from shared.models import Mail, Order
from tests.factories.orders import MadeOrder, make_debt, make_payment, make_seller
from tests.integration.cart.conftest import Show, fresh, make_paid_order, make_show
from tests.support.queries import counted_queries
from tests.support.visitor import Visitor

BARN, MILL = 7, 8


@pytest.fixture
async def made(session: AsyncSession, ada: Visitor) -> MadeOrder:
    """An order of Ada's that is paid, for a play whose name needs escaping."""
    show: Show = await make_show(session, name="Salt & <Pepper>")
    made = await make_paid_order(session, show, ada)
    await session.commit()
    return made


async def _mails(app: Quart, session: AsyncSession, order_id: int) -> dict[str, Mail]:
    """Write an order's mails, twice as a job may, and return them by kind."""
    await write_order_mails(app.extensions[PAYMENT_CONTEXT], order_id)
    await write_order_mails(app.extensions[PAYMENT_CONTEXT], order_id)
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


async def test_each_debt_is_told_of_once_and_a_declined_booking_in_its_own_mail(
    app: Quart, made: MadeOrder, session: AsyncSession
) -> None:
    await make_debt(session, made, reason="declined")
    await session.commit()
    assert set(await _mails(app, session, made.order.id)) == {"order-paid"}
    second = replace(made, payment=await make_payment(session, made.order, state=PaymentState.PAID))
    for paid, line, reason in ((made, 1, "sold_out"), (second, None, "paid_twice")):
        await make_debt(session, paid, line=line, reason=reason)
        await session.execute(update(Order).values(mail_queued_at=None))
        await session.commit()
        await _mails(app, session, made.order.id)
    async with fresh(session) as now:
        texts = list(await now.scalars(select(Mail.text).where(Mail.kind == "order-oversold").order_by(Mail.id)))
    told = [(text.count("Sold out"), text.count("Paid twice"), text.count("was declined")) for text in texts]
    assert told == [(1, 0, 0), (0, 1, 0)]


async def test_what_has_gone_back_already_is_not_called_owed(
    app: Quart, made: MadeOrder, session: AsyncSession
) -> None:
    debt = await make_debt(session, made, line=None, reason="paid_twice")
    debt.state, debt.settled_at = DebtState.SETTLED, debt.created_at
    await session.commit()
    mail = (await _mails(app, session, made.order.id))["order-oversold"]
    assert mail.subject == f"About your order {made.order.number}: you got money back"
    for body in (mail.text, mail.html):
        assert "This money has gone back to you already." in body
        assert "owe you" not in body


# --- whom to ask ---


async def test_the_mails_say_at_their_foot_whom_to_ask_and_answers_go_there(
    app: Quart, made: MadeOrder, session: AsyncSession
) -> None:
    await make_seller(session, made.order, BARN, email="o'hara@barn.example", phone="01632 960123")
    await make_debt(session, made)
    await session.commit()
    mails = await _mails(app, session, made.order.id)
    assert set(mails) == {"order-paid", "order-oversold"}
    for mail in mails.values():
        assert mail.reply_to == "o'hara@barn.example"
        assert f"{made.order.id}/\n\nQuestions? Write to o'hara@barn.example or ring 01632 960123.\n\n" in mail.text
        assert 'Write to <a href="mailto:o%27hara@barn.example" style="color:#8c1d40">o&#39;hara@' in mail.html
        assert 'or ring <a href="tel:01632960123" style="color:#8c1d40">01632 960123</a>.</p>' in mail.html


@pytest.mark.parametrize(
    ("facts", "line"),
    [
        ({"email": "ann@barn.example"}, "\n\nQuestions? Write to ann@barn.example.\n\n"),
        ({"phone": "01632 960123"}, "\n\nQuestions? Ring 01632 960123.\n\n"),
    ],
)
async def test_the_mails_say_of_it_what_there_is(
    app: Quart, made: MadeOrder, session: AsyncSession, facts: dict[str, str], line: str
) -> None:
    await make_seller(session, made.order, BARN, **facts)
    await session.commit()
    mail = (await _mails(app, session, made.order.id))["order-paid"]
    assert line in mail.text
    assert mail.reply_to == facts.get("email", "")
    assert ("mailto:" in mail.html, "tel:" in mail.html) == ("email" in facts, "phone" in facts)


async def test_of_several_sellers_each_is_named_and_answers_go_to_none_of_them(
    app: Quart, made: MadeOrder, session: AsyncSession
) -> None:
    await make_seller(session, made.order, BARN, email="ann@barn.example")
    await make_seller(session, made.order, MILL, name="Mill & <Sons>", phone="01632 960123")
    await make_seller(session, made.order, MILL + 1, name="Nobody")
    await session.commit()
    mail = (await _mails(app, session, made.order.id))["order-paid"]
    assert mail.reply_to == ""
    assert (
        "\n\nQuestions for The Barn? Write to ann@barn.example.\n\nQuestions for Mill & <Sons>? Ring 01632 960123.\n\n"
        in mail.text
    )
    assert "Questions for Mill &amp; &lt;Sons&gt;? Ring <a" in mail.html
    assert "for Nobody" not in mail.text + mail.html


async def test_a_mail_about_sellers_who_say_nothing_of_it_has_no_such_line(
    app: Quart, made: MadeOrder, session: AsyncSession
) -> None:
    await make_seller(session, made.order, BARN)
    await session.commit()
    mail = (await _mails(app, session, made.order.id))["order-paid"]
    assert mail.reply_to == ""
    assert "Questions" not in mail.text + mail.html


async def test_who_is_written_to_and_whom_they_may_ask_is_one_query(made: MadeOrder, session: AsyncSession) -> None:
    for page_post_id in (MILL, BARN):
        await make_seller(session, made.order, page_post_id, email="ann@barn.example")
    await session.commit()
    with counted_queries(every=True) as statements:
        to = await addressee_of(session, made.order.id)
    assert len(statements) == 1
    assert to is not None
    assert (to.email, [seller.page_post_id for seller in to.sellers]) == ("ada@maypole.example", [MILL, BARN])
    assert to.about([BARN, None]).answers_to == "ann@barn.example"
    assert await addressee_of(session, made.order.id + 1) is None
