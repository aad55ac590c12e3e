"""One order for those who may see it: its history in time order, and what may be done to it, each thing once."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from urllib.parse import urlencode

import pytest
from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from shared.contracts.errors import GatewayUnavailable
from shared.contracts.journal import JournalThing
from shared.contracts.states import OrderState, PaymentState, Role, TicketState
from shared.models import Debt, JournalEntry, Mail, Order, OrderLine, OrderNote, Payment, Refund, Ticket, User
from shared.services.journal import record
from tests.factories.orders import MadeOrder, make_debt, make_payment, make_refund
from tests.fakes.gateway import FakeGateway
from tests.integration.cart.conftest import (
    Clerk,
    FillCart,
    Show,
    fresh,
    make_paid_order,
    make_show,
    orders_of,
    payments_of,
    tickets_of,
)
from tests.support.queries import counted_queries
from tests.support.visitor import ORIGIN, Answer, Visitor, parse

LIST = "/admin/orders/"
AGO = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


@pytest.fixture
async def made(session: AsyncSession, show: Show, ada: Visitor) -> MadeOrder:
    """Two tickets of Ada's, paid."""
    made = await make_paid_order(session, show, ada, page_post_id=show.page.id)
    await session.commit()
    return made


@pytest.fixture
async def waiting(session: AsyncSession, show: Show, ada: Visitor, fill_cart: FillCart) -> Order:
    """Two tickets of Ada's, ordered and not paid yet."""
    await fill_cart(ada, show)
    assert (await ada.post("/checkout/", {"shown_total": "25.00"})).status == 303
    return (await orders_of(session, ada))[-1]


@pytest.fixture
async def paid(session: AsyncSession, waiting: Order, ada: Visitor, gateway: FakeGateway) -> Order:
    """The same, paid."""
    [payment] = await payments_of(session, ada)
    gateway.pay(str(payment.checkout_id))
    await ada.get(f"/checkout/return/{payment.return_token}/")
    return (await orders_of(session, ada))[-1]


@pytest.fixture
async def shared_order(session: AsyncSession, made: MadeOrder) -> Show:
    """Another page, of which the order has a line too; the page is returned."""
    other = await make_show(session, name="Another page's show")
    ticket = Ticket(
        entry_id=other.entry.id,
        ticket_type_id=other.adult.id,
        user_id=made.order.user_id,
        order_id=made.order.id,
        state=TicketState.CONFIRMED,
        code="TOTHERPAGE",
    )
    session.add(ticket)
    await session.flush()
    session.add(
        OrderLine(
            order_id=made.order.id,
            kind="ticket",
            title=other.entry.name,
            quantity=1,
            unit_price=Decimal("5.00"),
            total=Decimal("5.00"),
            ticket_id=ticket.id,
            entry_id=other.entry.id,
            page_post_id=other.page.id,
        )
    )
    made.order.total += Decimal("5.00")
    await session.commit()
    return other


def page_of(order: Order) -> str:
    """Return where an order is shown."""
    return f"{LIST}{order.id}/"


async def press(who: Visitor, path: str, *lines: int) -> Answer:
    """Send a form in which several lines are chosen."""
    headers = ORIGIN | {"Content-Type": "application/x-www-form-urlencoded"}
    body = urlencode([("line", str(line)) for line in lines])
    return await parse(await who.client.post(path, headers=headers, data=body))


async def told(page: Answer) -> list[str]:
    """Return what an order's page tells of what happened."""
    return page.texts("#history + ol .line__title")


async def journal_of(session: AsyncSession, event: str) -> list[tuple[str, str]]:
    """Return who did something and why, as the journal has it now."""
    statement = select(JournalEntry.actor, JournalEntry.why).where(JournalEntry.event == event)
    async with fresh(session) as now:
        return [(row.actor, row.why) for row in await now.execute(statement.order_by(JournalEntry.id))]


async def notes_of(session: AsyncSession) -> list[str]:
    async with fresh(session) as now:
        return list(await now.scalars(select(OrderNote.body).order_by(OrderNote.id)))


# --- who may ---


@pytest.mark.parametrize(("who", "status"), [("visitor", 303), ("ada", 403), ("admin", 200)])
async def test_only_those_with_a_role_see_an_order(
    people: dict[str, Visitor], made: MadeOrder, who: str, status: int
) -> None:
    for path in ("", "cancel/", "give-up/"):
        assert (await people[who].get(f"{page_of(made.order)}{path}")).status == status


async def test_somebody_bound_to_another_page_finds_nothing_and_does_nothing(
    session: AsyncSession, clerk: Clerk, made: MadeOrder, ada: Visitor
) -> None:
    other = await make_show(session, name="Another page's show")
    who, order = await clerk(other.page, role=Role.REFUNDS), page_of(made.order)
    for path in ("", "cancel/", f"cancel/?line={made.lines[0].id}", "give-up/"):
        assert (await who.get(f"{order}{path}")).status == 404
    assert (await press(who, f"{order}cancel/", made.lines[0].id)).status == 404
    for path in ("give-up/", "ask/"):
        assert (await who.post(f"{order}{path}")).status == 404
    assert (await who.post(f"{order}notes/", {"body": "Hello"})).status == 404
    assert (await tickets_of(session, ada), await notes_of(session)) == (["confirmed"] * 2, [])


async def test_of_an_order_of_two_pages_each_sees_the_lines_of_theirs(
    session: AsyncSession, clerk: Clerk, admin: Visitor, made: MadeOrder, shared_order: Show, show: Show
) -> None:
    await make_refund(session, await make_debt(session, made), state="failed", reason="No funds")
    others = select(Ticket.id).where(Ticket.entry_id == shared_order.entry.id)
    for ticket_id, event in (
        (await session.scalar(others), TicketState.CANCELLED),
        (made.tickets[0].id, TicketState.CHECKED_IN),
    ):
        assert ticket_id is not None
        await record(
            session, thing=JournalThing.TICKET, thing_id=ticket_id, order_id=made.order.id, event=event, actor="system"
        )
    await session.commit()
    theirs = await (await clerk(shared_order.page)).get(page_of(made.order))
    [line] = theirs.texts("#lines + table tbody th")
    assert line.startswith("1 \N{MULTIPLICATION SIGN} Another page's show")
    assert (theirs.text("tfoot td"), theirs.has("#refunds")) == ("£5.00", False)
    assert "of other pages too" in theirs.text(".notice--info")
    assert await told(theirs) == ["Ticket confirmed", "Ticket cancelled"]
    mine = await (await clerk(show.page, "mine@maypole.example")).get(page_of(made.order))
    assert (len(mine.html.css("#lines + table tbody tr")), mine.text("tfoot td")) == (2, "£25.00")
    assert (mine.has("#refunds"), await told(mine)) == (
        True,
        ["2 \N{MULTIPLICATION SIGN} Ticket confirmed", "Ticket used at the door"],
    )
    everything = await admin.get(page_of(made.order))
    assert (everything.text("tfoot td"), everything.has(".notice")) == ("£30.00", False)
    assert (await told(everything))[1:] == ["Ticket cancelled", "Ticket used at the door"]


async def test_the_link_to_a_refund_is_for_those_who_may(
    clerk: Clerk, admin: Visitor, made: MadeOrder, show: Show
) -> None:
    for who, may in (
        (await clerk(show.page), False),
        (await clerk(show.page, "refunds@maypole.example", Role.REFUNDS), True),
        (admin, True),
    ):
        links = [node.attributes["href"] for node in (await who.get(page_of(made.order))).html.css("main a.btn")]
        assert (f"{page_of(made.order)}refund/" in links) is may


async def test_who_may_only_look_cancels_nothing(
    clerk: Clerk, session: AsyncSession, made: MadeOrder, show: Show, ada: Visitor
) -> None:
    who, order = await clerk(show.page), page_of(made.order)
    assert "Cancel" not in (await who.get(order)).text("main")
    for path in ("cancel/", "give-up/"):
        assert (await who.get(f"{order}{path}")).status == 403
    assert (await press(who, f"{order}cancel/", made.lines[0].id)).status == 403
    assert (await who.post(f"{order}give-up/")).status == 403
    assert await tickets_of(session, ada) == ["confirmed"] * 2


async def test_an_order_that_is_not_there_is_not_found(admin: Visitor) -> None:
    assert (await admin.get(f"{LIST}4711/")).status == 404
    assert (await admin.post(f"{LIST}4711/ask/")).status == 404


# --- its history ---


async def test_an_order_says_who_what_how_much_and_how_it_stands(
    admin: Visitor, ada: Visitor, session: AsyncSession, made: MadeOrder
) -> None:
    await session.execute(update(User).where(User.id == ada.id).values(name="Ada <Byron>"))
    made.paying.transaction_code = "TEENSK4W2K"
    await session.commit()
    page = await admin.get(page_of(made.order))
    assert page.text("h1") == f"Order {made.order.number}"
    assert page.text("dd.who") == "Ada <Byron>, ada@maypole.example"
    assert page.texts("#lines + table tbody .tag") == ["Confirmed", "Confirmed"]
    assert f"Code {made.tickets[0].code}" in page.text(f"#line-{made.lines[0].id} th")
    assert page.text("tfoot td") == "£25.00"
    assert page.text(f"#payment-{made.paying.id} strong") == "TEENSK4W2K"


async def test_a_mismatch_a_debt_and_a_failed_refund_say_why(
    admin: Visitor, session: AsyncSession, made: MadeOrder
) -> None:
    review = await make_payment(session, made.order)
    review.state, review.review_reason = PaymentState.REVIEW, "amount, currency"
    debt = await make_debt(session, made, reason="mismatch")
    refund = await make_refund(session, debt, state="failed", reason="SumUp says: No funds left")
    await session.commit()
    page = await admin.get(page_of(made.order))
    assert page.texts(".page-head .tag") == ["Paid", "Money owed", "Payment to be looked at", "Refund failed"]
    assert "It differs in: amount, currency." in page.text(f"#payment-{review.id}")
    assert (await admin.get(page.attribute(f"#payment-{review.id} a", "href") or "")).status == 200
    assert "the payment was not what was asked for" in page.text(f"#debt-{debt.id}")
    assert "SumUp says: No funds left" in page.text(f"#refund-{refund.id}")


async def test_what_the_bank_took_back_is_not_called_a_refund(
    admin: Visitor, session: AsyncSession, made: MadeOrder
) -> None:
    taken = Refund(payment_id=made.paying.id, amount="25.00", currency="GBP", state="external", chargeback=True)
    session.add(taken)
    await session.commit()
    page = await admin.get(page_of(made.order))
    assert page.text(f"#refund-{taken.id} .line__title") == "£25.00 taken back by the buyer’s bank Charged back"  # noqa: RUF001


async def test_a_sale_is_told_from_its_beginning_to_its_end(
    admin: Visitor, ada: Visitor, session: AsyncSession, paid: Order
) -> None:
    session.add(
        Mail(
            kind="order-paid",
            key=f"order-paid:{paid.id}",
            recipient="ada@maypole.example",
            subject="S",
            text="T",
            sent_at=datetime.now(UTC) + timedelta(minutes=1),
        )
    )
    await session.commit()
    page = await admin.get(page_of(paid))
    assert await told(page) == [
        "2 \N{MULTIPLICATION SIGN} Ticket held",
        "Order placed",
        "Payment begun",
        "Payment page opened",
        "Payment arrived",
        "2 \N{MULTIPLICATION SIGN} Ticket confirmed",
        "Order paid",
        "Sent a mail about the confirmation",
    ]
    details = page.texts("#history + ol .line__detail")
    assert "ada@maypole.example" in details[0]
    assert "SumUp" in details[4]
    assert details[-1].endswith("to ada@maypole.example")


async def test_everything_stands_in_time_order(
    admin: Visitor, session: AsyncSession, made: MadeOrder, ada: Visitor
) -> None:
    def moment(minutes: int) -> datetime:
        return AGO + timedelta(minutes=minutes)

    def journal(minutes: int, thing: str, event: str, actor: str, **more: object) -> JournalEntry:
        return JournalEntry(
            at=moment(minutes), thing=thing, thing_id=1, order_id=made.order.id, event=event, actor=actor, **more
        )

    mail = {"kind": "order-oversold", "recipient": "ada@maypole.example", "subject": "S", "text": "T"}
    debt = await make_debt(session, made)
    session.add_all(
        [
            OrderNote(order_id=made.order.id, author_id=ada.id, body="She called.", created_at=moment(3)),
            journal(1, "debt", "owed", "system", why="sold_out", data={"amount": "12.50"}),
            journal(4, "refund", "sent", f"user:{admin.id}"),
            journal(5, "comet", "passed_by", "user:4711", why="quickly"),
            Mail(
                **mail, key=f"order-oversold:{made.order.id}:{debt.id}", given_up_at=moment(2), last_error="no such box"
            ),
        ]
    )
    await session.commit()
    page = await admin.get(page_of(made.order))
    assert await told(page) == [
        "Money owed to the buyer",
        "Gave up on a mail about what is owed",
        "Note",
        "Refund sent to SumUp",
        "Comet: passed by",
        "2 \N{MULTIPLICATION SIGN} Ticket confirmed",
    ]
    assert page.text("#history + ol .preserve") == "She called."
    ends = [detail.partition(" · ")[2] for detail in page.texts("#history + ol .line__detail")][:-1]
    assert ends == [
        "by itself · £12.50, sold out before the payment arrived",
        "to ada@maypole.example: no such box",
        "ada@maypole.example",
        "admin@maypole.example",
        "somebody who was forgotten · quickly",
    ]


async def test_the_number_of_queries_does_not_depend_on_how_much_happened(
    admin: Visitor, session: AsyncSession, made: MadeOrder, ada: Visitor
) -> None:
    with counted_queries(every=True) as few:
        await admin.get(page_of(made.order))
    for number in range(4):
        await make_payment(session, made.order, state=PaymentState.EXPIRED)
        debt = (
            await make_debt(session, made, line=number % 2, reason=("sold_out", "declined")[number // 2])
            if (number < 2)
            else None
        )
        if debt is not None:
            await make_refund(session, debt)
        await record(
            session,
            thing=JournalThing.ORDER,
            thing_id=1,
            order_id=made.order.id,
            event=OrderState.PAID,
            actor=f"user:{ada.id + number}",
        )
        session.add(OrderNote(order_id=made.order.id, author_id=ada.id, body=f"Note {number}"))
    await session.commit()
    with counted_queries(every=True) as many:
        await admin.get(page_of(made.order))
    # who asks; order, lines, tickets, bookings, stock; debts, refunds, journal, notes, payments, mails, people; troubles; the header; the security journal
    assert (len(few), len(many)) == (16, 16)


# --- cancel without a refund ---


async def test_cancelling_lets_choose_then_says_what_will_happen(
    admin: Visitor, session: AsyncSession, made: MadeOrder, ada: Visitor
) -> None:
    path = f"{page_of(made.order)}cancel/"
    choice = await admin.get(path)
    assert len(choice.html.css("input[type=checkbox]")) == 2
    question = await admin.get(f"{path}?line={made.lines[0].id}")
    assert question.text("h1") == "Cancel this without a refund?"
    assert [node.attributes["value"] for node in question.html.css("input[name=line]")] == [str(made.lines[0].id)]
    assert "The £12.50 that it cost are refunded apart from it" in question.text("main form")
    assert await tickets_of(session, ada) == ["confirmed", "confirmed"]


async def test_cancelling_frees_the_seat_tells_the_buyer_and_moves_no_money(
    admin: Visitor, session: AsyncSession, paid: Order, ada: Visitor
) -> None:
    path = f"{page_of(paid)}cancel/"
    first = int((await admin.get(path)).html.css("input[type=checkbox]")[0].attributes["value"] or "")

    answer = await press(admin, path, first)

    assert (answer.status, answer.location) == (303, f"{page_of(paid)}?result=cancelled")
    page = await admin.get(answer.location)
    assert "No money was refunded" in page.text(".notice--good")
    assert "Ticket cancelled" in await told(page)
    assert sorted(await tickets_of(session, ada)) == ["confirmed"]  # a cancelled one is left out here
    assert await journal_of(session, "cancelled") == [(f"user:{admin.id}", "cancelled without a refund")]
    async with fresh(session) as now:
        assert list(await now.scalars(select(Mail.kind))) == ["lines-cancelled"]
        assert (list(await now.scalars(select(Debt))), list(await now.scalars(select(Refund)))) == ([], [])


async def test_a_second_press_cancels_nothing_and_says_so(
    admin: Visitor, session: AsyncSession, made: MadeOrder
) -> None:
    path, line = f"{page_of(made.order)}cancel/", made.lines[0].id
    await press(admin, path, line)
    again = await press(admin, path, line)
    assert (again.status, again.location) == (303, f"{page_of(made.order)}?result=nothing-cancelled")
    assert "Nothing was changed" in (await admin.get(again.location)).text(".notice--info")
    assert len(await journal_of(session, "cancelled")) == 1
    assert (await admin.get(f"{path}?line={line}")).text(".notice__title") == "Nothing of that can be cancelled"


async def test_no_choice_and_no_line_of_the_order_are_refused(
    admin: Visitor, session: AsyncSession, made: MadeOrder
) -> None:
    path = f"{page_of(made.order)}cancel/"
    assert (await press(admin, path)).status == 422
    nothing = await admin.get(f"{path}?go=on")
    assert (nothing.status, nothing.text("#lines-error")) == (422, "Choose what is to be cancelled.")
    assert not (await admin.get(path)).has(".error-summary")
    assert (await press(admin, path, made.lines[0].id, 4711)).status == 404
    assert (await admin.get(f"{path}?line=x")).status == 422
    assert await journal_of(session, "cancelled") == []


async def test_what_is_another_pages_cannot_be_cancelled_with_ones_own(
    session: AsyncSession, clerk: Clerk, made: MadeOrder, shared_order: Show, show: Show, ada: Visitor
) -> None:
    who, path = await clerk(show.page, role=Role.REFUNDS), f"{page_of(made.order)}cancel/"
    async with fresh(session) as now:
        lines = list(await now.scalars(select(OrderLine.id).where(OrderLine.order_id == made.order.id)))
    assert len((await who.get(path)).html.css("input[type=checkbox]")) == 2
    assert (await press(who, path, *lines)).status == 404
    assert await tickets_of(session, ada) == ["confirmed"] * 3
    assert (await press(who, path, *(line.id for line in made.lines))).status == 303
    assert shared_order.page.id != show.page.id
    assert await tickets_of(session, ada) == ["confirmed"]


async def test_an_unpaid_order_is_not_cancelled_line_by_line(
    admin: Visitor, session: AsyncSession, waiting: Order, ada: Visitor
) -> None:
    async with fresh(session) as now:
        line = await now.scalar(select(OrderLine.id).where(OrderLine.order_id == waiting.id).limit(1))
    page = await press(admin, f"{page_of(waiting)}cancel/", line or 0)
    assert (page.status, "not paid" in page.text(".notice--bad")) == (409, True)
    assert await tickets_of(session, ada) == ["reserved"] * 2


# --- give an unpaid order up ---


async def test_an_unpaid_order_is_fenced_and_released(
    admin: Visitor, session: AsyncSession, waiting: Order, ada: Visitor, gateway: FakeGateway
) -> None:
    question = await admin.get(f"{page_of(waiting)}give-up/")
    assert "everything goes back into the buyer\N{RIGHT SINGLE QUOTATION MARK}s cart" in question.text("main form")

    answer = await admin.post(f"{page_of(waiting)}give-up/")

    assert (answer.status, answer.location) == (303, f"{page_of(waiting)}?result=released")
    assert "is given up" in (await admin.get(answer.location)).text(".notice--good")
    assert await tickets_of(session, ada) == ["pending"] * 2
    [payment] = await payments_of(session, ada)
    assert payment.state == PaymentState.EXPIRED
    assert (f"user:{admin.id}", "") in await journal_of(session, "closing")


async def test_an_order_that_turns_out_to_be_paid_is_not_given_up(
    admin: Visitor, session: AsyncSession, waiting: Order, ada: Visitor, gateway: FakeGateway
) -> None:
    [payment] = await payments_of(session, ada)
    gateway.pay(str(payment.checkout_id))
    answer = await admin.post(f"{page_of(waiting)}give-up/")
    assert answer.location == f"{page_of(waiting)}?result=paid"
    assert await tickets_of(session, ada) == ["confirmed"] * 2


async def test_nothing_is_released_while_the_provider_cannot_be_reached(
    admin: Visitor, session: AsyncSession, waiting: Order, ada: Visitor, gateway: FakeGateway
) -> None:
    gateway.fail_next(GatewayUnavailable("away"))
    answer = await admin.post(f"{page_of(waiting)}give-up/")
    assert answer.location == f"{page_of(waiting)}?result=checking"
    assert await tickets_of(session, ada) == ["reserved"] * 2


@pytest.mark.parametrize("known", [True, False], ids=["known before", "found by asking"])
async def test_an_order_whose_payment_is_in_review_is_not_given_up_before_that_is_decided(
    admin: Visitor, session: AsyncSession, waiting: Order, ada: Visitor, gateway: FakeGateway, *, known: bool
) -> None:
    [payment] = await payments_of(session, ada)
    assert "Give this order up" in (await admin.get(page_of(waiting))).text("main")
    gateway.pay(str(payment.checkout_id), amount=Decimal("20.00"))
    if known:
        await admin.post(f"{page_of(waiting)}ask/")

    page = await admin.post(f"{page_of(waiting)}give-up/")

    assert page.status == 409
    assert "Decide about it first: in Refunds, under To look at." in page.text(".notice--bad")
    assert await tickets_of(session, ada) == ["reserved"] * 2
    assert "Give this order up" not in (await admin.get(page_of(waiting))).text("main")


async def test_giving_up_again_changes_nothing(
    admin: Visitor, session: AsyncSession, waiting: Order, ada: Visitor
) -> None:
    await admin.post(f"{page_of(waiting)}give-up/")
    again = await admin.post(f"{page_of(waiting)}give-up/")
    assert again.location == f"{page_of(waiting)}?result=released"
    assert len(await journal_of(session, "cancelled")) == 1
    assert (await admin.get(page_of(waiting))).texts("form[action$='give-up/']") == []


async def test_an_order_of_other_pages_too_is_not_given_up_by_one_of_them(
    session: AsyncSession, clerk: Clerk, made: MadeOrder, shared_order: Show
) -> None:
    page = await (await clerk(shared_order.page, role=Role.REFUNDS)).post(f"{page_of(made.order)}give-up/")
    assert (page.status, "nobody but an admin" in page.text(".notice--bad")) == (409, True)


# --- ask the provider ---


async def test_asking_finds_a_payment_that_nobody_told_of(
    admin: Visitor, session: AsyncSession, waiting: Order, ada: Visitor, gateway: FakeGateway
) -> None:
    [payment] = await payments_of(session, ada)
    gateway.pay(str(payment.checkout_id))
    answer = await admin.post(f"{page_of(waiting)}ask/")
    assert answer.location == f"{page_of(waiting)}?result=asked-changed"
    assert await tickets_of(session, ada) == ["confirmed"] * 2
    again = await admin.post(f"{page_of(waiting)}ask/")
    assert again.location == f"{page_of(waiting)}?result=asked-same"


async def test_asking_counts_what_went_back_without_us(
    admin: Visitor, session: AsyncSession, paid: Order, ada: Visitor, gateway: FakeGateway
) -> None:
    [payment] = await payments_of(session, ada)
    path = f"{page_of(paid)}ask/"
    assert (await admin.post(path)).location == f"{page_of(paid)}?result=asked-same"
    gateway.refund_by_hand(str(payment.transaction_id), Decimal("5.00"))

    assert (await admin.post(path)).location == f"{page_of(paid)}?result=asked-changed"

    async with fresh(session) as now:
        rows = [(row.state, row.amount) for row in await now.scalars(select(Refund))]
    assert rows == [("external", Decimal("5.00"))]
    assert (await admin.post(path)).location == f"{page_of(paid)}?result=asked-same"


@pytest.mark.parametrize(
    ("trouble", "result", "words"),
    [
        ("", "asked-same", "the same as before"),
        ("away", "asked-not_reached", "cannot be reached"),
        ("closing", "asked-not_known", "Not known yet"),
        ("review", "asked-in_review", "waits for somebody to decide"),
    ],
)
async def test_asking_says_what_came_out_also_that_nothing_is_known(
    admin: Visitor, session: AsyncSession, waiting: Order, gateway: FakeGateway, trouble: str, result: str, words: str
) -> None:
    if trouble == "away":
        gateway.fail_next(GatewayUnavailable("away"))
    if trouble in (PaymentState.CLOSING, PaymentState.REVIEW):
        await session.execute(update(Payment).values(state=trouble))
        await session.commit()
    answer = await admin.post(f"{page_of(waiting)}ask/")
    assert answer.location == f"{page_of(waiting)}?result={result}"
    assert words in (await admin.get(answer.location)).text("main .notice")


async def test_asking_finds_the_transaction_of_a_payment_that_came_without_it(
    admin: Visitor, session: AsyncSession, paid: Order, ada: Visitor, gateway: FakeGateway
) -> None:
    [payment] = await payments_of(session, ada)
    known, path = payment.transaction_id, f"{page_of(paid)}ask/"
    await session.execute(update(Payment).values(transaction_id=None, transaction_code=None))
    await session.commit()
    gateway.fail_next(GatewayUnavailable("away"), "get")
    assert (await admin.post(path)).location == f"{page_of(paid)}?result=asked-not_reached"
    gateway.change(str(payment.checkout_id), amount=payment.amount + 1)
    assert (await admin.post(path)).location == f"{page_of(paid)}?result=asked-not_known"
    gateway.change(str(payment.checkout_id), amount=payment.amount)
    assert (await admin.post(path)).location == f"{page_of(paid)}?result=asked-changed"
    [payment] = await payments_of(session, ada)
    assert known
    assert payment.transaction_id == known
    assert "its transaction became known" in (await admin.get(page_of(paid))).text("main")
    assert (await admin.post(path)).location == f"{page_of(paid)}?result=asked-same"


async def test_a_refund_whose_answer_was_lost_is_looked_up_and_not_sent_again(
    admin: Visitor, session: AsyncSession, paid: Order, ada: Visitor, gateway: FakeGateway
) -> None:
    [payment] = await payments_of(session, ada)
    async with fresh(session) as now:
        line = (await now.scalars(select(OrderLine).where(OrderLine.order_id == paid.id).limit(1))).one()
        debt = Debt(
            order_id=paid.id,
            payment_id=payment.id,
            order_line_id=line.id,
            amount=line.total,
            currency="GBP",
            reason="goodwill",
        )
        now.add(debt)
        await now.flush()
        refund = await make_refund(now, debt, state="unknown")
        refund.refunded_before, refund.sent_at = Decimal(0), datetime.now(UTC)
        await now.commit()
    path = f"{page_of(paid)}ask/"
    assert (await admin.post(path)).location == f"{page_of(paid)}?result=asked-not_known"
    await gateway.refund(str(payment.transaction_id), payment.merchant_code, line.total)
    assert (await admin.post(path)).location == f"{page_of(paid)}?result=asked-changed"
    async with fresh(session) as now:
        assert list(await now.scalars(select(Refund.state))) == ["succeeded"]


# --- notes ---


async def test_a_note_is_kept_and_told_with_who_wrote_it(
    admin: Visitor, session: AsyncSession, made: MadeOrder
) -> None:
    answer = await admin.post(f"{page_of(made.order)}notes/", {"body": "  She <called>\r\nand was kind.  "})
    assert (answer.status, answer.location) == (303, f"{page_of(made.order)}?result=noted")
    page = await admin.get(answer.location)
    assert page.html.css("#history + ol .preserve")[-1].text() == "She <called>\nand was kind."
    assert page.texts("#history + ol .line__detail")[-1].endswith("admin@maypole.example")


async def test_the_same_note_is_kept_once(admin: Visitor, session: AsyncSession, made: MadeOrder) -> None:
    path = f"{page_of(made.order)}notes/"
    await admin.post(path, {"body": "Once."})
    again = await admin.post(path, {"body": "Once."})
    assert again.location == f"{page_of(made.order)}?result=noted-already"
    assert await notes_of(session) == ["Once."]


@pytest.mark.parametrize("body", ["", "   ", "x" * 2001, "a\0b"])
async def test_a_note_that_cannot_be_kept_is_answered_with_what_was_typed(
    admin: Visitor, session: AsyncSession, made: MadeOrder, body: str
) -> None:
    page = await admin.post(f"{page_of(made.order)}notes/", {"body": body})
    assert (page.status, await notes_of(session)) == (422, [])
    assert page.attribute("#f-body", "aria-invalid") == "true"
    assert page.attribute(".error-summary a", "href") == "#f-body"
    if "\0" not in body:
        assert page.text("#f-body") == body.strip()
