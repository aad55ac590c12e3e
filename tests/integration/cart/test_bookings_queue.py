"""Bookings that wait for approval: the queue, the two answers, and the money of those that are declined."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from quart import Quart
from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from cart.bp.bookings.services import decide_booking
from cart.wiring import PAYMENT_CONTEXT, PaymentContext
from shared.contracts.dtos import EntryDTO
from shared.contracts.errors import NotFound
from shared.contracts.owner import CartOwner
from shared.contracts.states import DebtReason, DebtState, EntryState, OrderState, PaymentState
from shared.models import Calendar, CalendarEntry, Debt, JournalEntry, Mail, Order, OrderLine, OrderNote, Slot
from shared.services.calendar_impl import SqlCalendarService
from shared.settings import Settings
from shared.web.state import utc_now
from tests.factories.bookings import MadeBooking, make_booking
from tests.factories.calendar import days_from_now, make_calendar, make_rule
from tests.factories.orders import make_payment, make_seller
from tests.fakes.gateway import FakeGateway
from tests.integration.cart.conftest import FillCart, Show, fresh, make_jam, orders_of, payments_of
from tests.support.queries import counted_queries
from tests.support.visitor import Visitor

QUEUE = "/admin/bookings/"
TEN = days_from_now(3, hour=10, minute=0)


@pytest.fixture
async def room(session: AsyncSession) -> Calendar:
    """A room whose committee looks at every request, at 16.00 an hour."""
    calendar = await make_calendar(session, name="The <committee> room", needs_approval=True, whole_room=True)
    await make_rule(session, calendar, "The room for an hour", price="16.00")
    await session.commit()
    return calendar


@pytest.fixture
async def waiting(session: AsyncSession, room: Calendar, ada: Visitor) -> MadeBooking:
    """A booking of Ada's that is paid and waits, in the database alone."""
    made = await make_booking(session, room, user_id=ada.id, start_at=TEN)
    await session.commit()
    return made


@pytest.fixture
def context(app: Quart) -> PaymentContext:
    found: PaymentContext = app.extensions[PAYMENT_CONTEXT]
    return found


async def put_into_cart(session: AsyncSession, context: PaymentContext, room: Calendar, who: Visitor) -> int:
    """Put the hour from ten into somebody's cart; return the booking's id."""
    [entry] = await context.services.calendar.add_pending_bookings(
        session, CartOwner.of_user(who.id), calendar_id=room.id, wish={(TEN, TEN + timedelta(hours=1)): 1}
    )
    await session.commit()
    return entry.id


async def check_out(session: AsyncSession, who: Visitor, total: str) -> str:
    """Check out; return the provider's name for the checkout."""
    assert (await who.post("/checkout/", {"shown_total": total})).status == 303
    return str((await payments_of(session, who))[-1].checkout_id)


async def come_back(session: AsyncSession, who: Visitor) -> None:
    """Come back from the payment."""
    payment = (await payments_of(session, who))[-1]
    await who.get(f"/checkout/return/{payment.return_token}/")


async def state_of(session: AsyncSession, entry_id: int) -> str:
    """Return the state of a booking, as the database has it now."""
    async with fresh(session) as now:
        return (await now.get_one(CalendarEntry, entry_id)).state


async def debts(session: AsyncSession) -> list[Debt]:
    """Return all debts, as the database has them now."""
    async with fresh(session) as now:
        return list(await now.scalars(select(Debt).order_by(Debt.id)))


async def mails(session: AsyncSession) -> list[Mail]:
    """Return all mails, as the database has them now."""
    async with fresh(session) as now:
        return list(await now.scalars(select(Mail).order_by(Mail.id)))


async def journal(session: AsyncSession, thing: str) -> list[JournalEntry]:
    """Return what the journal tells of a kind of thing."""
    async with fresh(session) as now:
        return list(
            await now.scalars(select(JournalEntry).where(JournalEntry.thing == thing).order_by(JournalEntry.id))
        )


async def decisions(session: AsyncSession) -> list[JournalEntry]:
    """Return what the journal tells of decisions: what became of bookings that waited."""
    told = await journal(session, "entry")
    return [line for line in told if line.data is not None and line.data.get("from") == "provisional"]


async def give_before(session: AsyncSession, waiting: MadeBooking, amount: str, *, of_the_line: bool) -> None:
    """Owe something of a booking, or of its order, before anybody decides on it."""
    given = Debt(
        order_id=waiting.order.id,
        payment_id=waiting.paying.id,
        order_line_id=waiting.line.id if of_the_line else None,
        amount=Decimal(amount),
        currency="GBP",
        reason=DebtReason.GOODWILL,
    )
    session.add(given)
    await session.commit()


# --- who may ---


@pytest.mark.parametrize(("who", "status"), [("visitor", 303), ("ada", 403), ("admin", 200)])
async def test_only_an_admin_sees_what_waits(
    people: dict[str, Visitor], waiting: MadeBooking, who: str, status: int
) -> None:
    one = f"{QUEUE}{waiting.entry.id}/"
    for path in (QUEUE, one, f"{one}approve/", f"{one}decline/"):
        assert (await people[who].get(path)).status == status


@pytest.mark.parametrize(("who", "status"), [("visitor", 401), ("ada", 403)])
async def test_only_an_admin_decides(
    people: dict[str, Visitor], waiting: MadeBooking, session: AsyncSession, who: str, status: int
) -> None:
    for answer in ("approve", "decline"):
        assert (await people[who].post(f"{QUEUE}{waiting.entry.id}/{answer}/")).status == status
    assert await state_of(session, waiting.entry.id) == EntryState.PROVISIONAL


# --- the queue ---


async def test_an_empty_queue_says_so(admin: Visitor) -> None:
    assert (await admin.get(QUEUE)).text(".empty__title") == "Nothing waits for you"


async def test_a_booking_says_when_what_who_and_how_much(admin: Visitor, waiting: MadeBooking) -> None:
    page = await admin.get(QUEUE)
    row = f"#booking-{waiting.entry.id}"
    assert page.attribute(f"{row} th time", "datetime") == waiting.entry.start_at.isoformat()
    assert page.text(f"{row} td.what") == "The room for an hourThe <committee> room"
    assert "ada@maypole.example" in page.text(f"{row} td.who")
    assert page.text(f"{row} td.who a") == f"Order {waiting.order.number}"
    assert page.attribute(f"{row} td.who a", "href") == f"{QUEUE}{waiting.entry.id}/"
    assert page.text(f"{row} .num") == "£16.00"
    assert [node.attributes["href"] for node in page.html.css(f"{row} a.btn")] == [
        f"{QUEUE}{waiting.entry.id}/approve/",
        f"{QUEUE}{waiting.entry.id}/decline/",
    ]


async def test_what_does_not_wait_is_not_in_the_queue(
    admin: Visitor, ada: Visitor, room: Calendar, session: AsyncSession
) -> None:
    for number, state in enumerate(("confirmed", "declined", "cancelled", "ordered")):
        await make_booking(session, room, user_id=ada.id, state=state, start_at=TEN + timedelta(hours=number))
    await session.commit()
    assert not (await admin.get(QUEUE)).has("tbody tr")


async def test_a_booking_whose_time_has_come_is_marked(
    admin: Visitor, ada: Visitor, room: Calendar, session: AsyncSession
) -> None:
    past = await make_booking(session, room, user_id=ada.id, start_at=datetime.now(UTC) - timedelta(minutes=5))
    ahead = await make_booking(session, room, user_id=ada.id, start_at=TEN)
    await session.commit()
    page = await admin.get(QUEUE)
    assert page.texts(f"#booking-{past.entry.id} .tag") == ["Has begun"]
    assert page.texts(f"#booking-{ahead.entry.id} .tag") == []
    assert "Has begun" in (await admin.get(f"{QUEUE}{past.entry.id}/")).text("dl.facts")


async def test_the_queue_is_soonest_first_a_page_at_a_time(admin: Visitor, ada: Visitor, session: AsyncSession) -> None:
    made = []
    for number in range(53):  # some of them at the same time, in rooms of their own: the id decides
        room = await make_calendar(session, needs_approval=True, whole_room=True)
        made.append(
            await make_booking(session, room, user_id=ada.id, start_at=TEN + timedelta(hours=(53 - number) // 4))
        )
    await session.commit()
    first = await admin.get(QUEUE)
    rest = await admin.get(first.attribute("a[rel=next]", "href") or "")
    shown = [node.attributes["id"] for page in (first, rest) for node in page.html.css("tbody tr")]
    in_order = sorted(made, key=lambda one: (one.entry.start_at, one.entry.id))
    assert shown == [f"booking-{one.entry.id}" for one in in_order]
    assert not rest.has("a[rel=next]")


@pytest.mark.parametrize("after", ["x", "7", "20261131T100000000000Z-1", "-3"])
async def test_a_part_of_the_queue_that_cannot_be_is_refused(admin: Visitor, after: str) -> None:
    assert (await admin.get(f"{QUEUE}?after={after}")).status == 422


async def test_the_number_of_queries_does_not_depend_on_how_much_waits(
    admin: Visitor, ada: Visitor, room: Calendar, waiting: MadeBooking, session: AsyncSession
) -> None:
    with counted_queries(every=True) as few:
        await admin.get(QUEUE)
    for number in range(1, 7):
        await make_booking(session, room, user_id=ada.id, start_at=TEN + timedelta(hours=number))
    await session.commit()
    with counted_queries(every=True) as many:
        await admin.get(QUEUE)
    assert (len(few), len(many)) == (4, 4)  # who asks, refunds; what waits; their orders, buyers and lines
    with counted_queries(every=True) as one:
        await admin.get(f"{QUEUE}{waiting.entry.id}/")
    assert len(one) == 6  # who asks, refunds; the booking, its line, its order and that one's lines


# --- what an answer will do ---


async def test_approving_says_what_will_happen(admin: Visitor, waiting: MadeBooking) -> None:
    page = await admin.get(f"{QUEUE}{waiting.entry.id}/approve/")
    assert page.text("h1") == "Approve this booking?"
    assert page.attribute("main form", "action") == f"{QUEUE}{waiting.entry.id}/approve/"
    assert "is confirmed, and ada@maypole.example is told so by mail" in page.text("main form")


async def test_declining_says_what_the_booker_gets_back(admin: Visitor, waiting: MadeBooking) -> None:
    page = await admin.get(f"{QUEUE}{waiting.entry.id}/decline/")
    assert page.text("h1") == "Decline this booking?"
    assert page.attribute("main form", "action") == f"{QUEUE}{waiting.entry.id}/decline/"
    assert "gets £16.00 back: it will stand in the refund queue" in page.text("main form")


async def test_declining_what_was_free_owes_nothing(
    admin: Visitor, ada: Visitor, room: Calendar, session: AsyncSession
) -> None:
    free = await make_booking(session, room, user_id=ada.id, price="0.00")
    await session.commit()
    page = await admin.get(f"{QUEUE}{free.entry.id}/decline/")
    assert "Nothing was paid for it, so nothing is owed back." in page.text("main form")
    assert "£" not in page.text("main form")


@pytest.mark.parametrize("of_the_line", [True, False])
@pytest.mark.parametrize(
    ("before", "words"),
    [
        ("6.00", "The booker gets £10.00 back: it will stand in the refund queue"),
        ("16.00", "The £16.00 that was paid for it is owed or went back already, so nothing more is."),
    ],
)
async def test_declining_what_was_refunded_before_promises_no_more_than_the_rest(
    admin: Visitor, waiting: MadeBooking, session: AsyncSession, before: str, words: str, *, of_the_line: bool
) -> None:
    await give_before(session, waiting, before, of_the_line=of_the_line)
    asked = (await admin.get(f"{QUEUE}{waiting.entry.id}/decline/")).text("main form")
    assert words in asked
    assert ("gets £" in asked, "The rest of the £16.00 is owed" in asked) == (before == "6.00", before == "6.00")


async def test_a_booking_is_shown_with_all_of_its_order(
    admin: Visitor,
    ada: Visitor,
    context: PaymentContext,
    room: Calendar,
    show: Show,
    fill_cart: FillCart,
    session: AsyncSession,
    gateway: FakeGateway,
) -> None:
    entry_id = await put_into_cart(session, context, room, ada)
    await fill_cart(ada, show, 2)
    checkout = await check_out(session, ada, "41.00")
    gateway.pay(checkout)
    await come_back(session, ada)
    [order] = await orders_of(session, ada)
    page = await admin.get(f"{QUEUE}{entry_id}/")
    assert page.text("#order") == f"Order {order.number}"
    assert sorted(page.texts(".line__title")) == [
        "1 \N{MULTIPLICATION SIGN} The room for an hour",
        "2 \N{MULTIPLICATION SIGN} The Tempest",
    ]
    assert page.text(".totals dd") == "£41.00"
    assert [node.attributes["href"] for node in page.html.css("main p.cluster a")] == [
        f"{QUEUE}{entry_id}/approve/",
        f"{QUEUE}{entry_id}/decline/",
    ]


async def test_what_is_no_booking_is_not_found(admin: Visitor, show: Show) -> None:
    for entry_id in (show.entry.id, 4711):
        for path in ("", "approve/", "decline/"):
            assert (await admin.get(f"{QUEUE}{entry_id}/{path}")).status == 404
        for answer in ("approve", "decline"):
            assert (await admin.post(f"{QUEUE}{entry_id}/{answer}/")).status == 404


# --- approve ---


async def test_approving_confirms_the_booking_and_owes_nothing(
    admin: Visitor, ada: Visitor, waiting: MadeBooking, session: AsyncSession
) -> None:
    answer = await admin.post(f"{QUEUE}{waiting.entry.id}/approve/")
    assert (answer.status, answer.location) == (303, f"{QUEUE}?result=approved")
    page = await admin.get(answer.location)
    assert "The booking is confirmed" in page.text(".notice--good")
    assert not page.has(f"#booking-{waiting.entry.id}")
    assert (await state_of(session, waiting.entry.id), await debts(session)) == (EntryState.CONFIRMED, [])
    assert (await ada.get(f"/orders/{waiting.order.id}/")).text("#order-bookings + .lines .tag") == "Confirmed"


async def test_a_decision_is_told_in_the_journal(admin: Visitor, waiting: MadeBooking, session: AsyncSession) -> None:
    await admin.post(f"{QUEUE}{waiting.entry.id}/approve/")
    [line] = await decisions(session)
    assert (line.thing_id, line.order_id, line.event) == (waiting.entry.id, waiting.order.id, "confirmed")
    assert (line.actor, line.data) == (f"user:{admin.id}", {"from": "provisional", "to": "confirmed"})


async def test_the_booker_reads_that_it_is_confirmed(
    admin: Visitor, waiting: MadeBooking, session: AsyncSession
) -> None:
    await admin.post(f"{QUEUE}{waiting.entry.id}/approve/")
    [mail] = await mails(session)
    assert (mail.kind, mail.recipient) == ("booking-approved", "ada@maypole.example")
    assert mail.subject == f"Your booking is confirmed: The room for an hour (order {waiting.order.number})"
    assert "The room for an hour, The <committee> room, is confirmed." in mail.text
    assert "The &lt;committee&gt; room" in mail.html
    assert f"http://localhost:8002/orders/{waiting.order.id}/" in mail.text


@pytest.mark.parametrize("asks", [True, False])
async def test_the_cart_says_what_is_only_a_request(
    session: AsyncSession, context: PaymentContext, room: Calendar, ada: Visitor, *, asks: bool
) -> None:
    await session.execute(update(Calendar).values(needs_approval=asks))
    await put_into_cart(session, context, room, ada)
    assert ("if it is declined you get your money back" in (await ada.get("/")).text("#cart-panel .lines")) is asks


@pytest.mark.parametrize("decision", ["approve", "decline"])
async def test_the_booker_reads_whom_to_ask_about_it_and_nobody_else(
    admin: Visitor, waiting: MadeBooking, room: Calendar, session: AsyncSession, decision: str
) -> None:
    await make_seller(session, waiting.order, room.container_id, name="The committee", email="hall@barn.example")
    await make_seller(session, waiting.order, room.container_id + 1, name="The mill", email="ann@mill.example")
    await session.commit()
    await admin.post(f"{QUEUE}{waiting.entry.id}/{decision}/")
    [mail] = await mails(session)
    assert mail.reply_to == "hall@barn.example"
    assert "\n\nQuestions? Write to hall@barn.example.\n\n" in mail.text
    assert "mailto:hall@barn.example" in mail.html
    assert "mill" not in mail.text + mail.html


# --- decline ---


async def test_declining_owes_the_line_and_frees_the_time(
    admin: Visitor, waiting: MadeBooking, session: AsyncSession, context: PaymentContext
) -> None:
    answer = await admin.post(f"{QUEUE}{waiting.entry.id}/decline/")
    assert (answer.status, answer.location) == (303, f"{QUEUE}?result=owed")
    assert await state_of(session, waiting.entry.id) == EntryState.DECLINED
    [debt] = await debts(session)
    assert (debt.order_line_id, debt.payment_id, debt.amount) == (
        waiting.line.id,
        waiting.paying.id,
        Decimal("16.00"),
    )
    assert (debt.reason, debt.state, debt.currency) == (DebtReason.DECLINED, DebtState.OWED, "GBP")
    async with fresh(session) as now:
        assert (await now.get_one(Slot, waiting.entry.slot_id)).held == 0
        day = TEN.date()
        slots = await context.services.calendar.bookable_slots(now, waiting.entry.calendar_id, first=day, last=day)
        assert [slot.free for slot in slots if slot.start_at == TEN] == [1]


@pytest.mark.parametrize("of_the_line", [True, False])
@pytest.mark.parametrize("before", ["6.00", "16.00"])
async def test_declining_owes_what_was_not_refunded_before(
    admin: Visitor, waiting: MadeBooking, session: AsyncSession, before: str, *, of_the_line: bool
) -> None:
    await give_before(session, waiting, before, of_the_line=of_the_line)

    answer = await admin.post(f"{QUEUE}{waiting.entry.id}/decline/")

    rest = Decimal("16.00") - Decimal(before)
    assert (answer.status, await state_of(session, waiting.entry.id)) == (303, EntryState.DECLINED)
    assert [debt.amount for debt in await debts(session) if debt.reason == DebtReason.DECLINED] == [rest] * bool(rest)
    [mail] = await mails(session)
    assert ("You get the £10.00" in mail.text, "You get" in mail.text) == (bool(rest), bool(rest))


async def test_the_journal_names_who_declined_and_what_is_owed(
    admin: Visitor, waiting: MadeBooking, session: AsyncSession
) -> None:
    await admin.post(f"{QUEUE}{waiting.entry.id}/decline/")
    [entry], [debt] = await decisions(session), await journal(session, "debt")
    assert (entry.event, entry.actor) == ("declined", f"user:{admin.id}")
    assert (debt.event, debt.actor, debt.why) == ("owed", f"user:{admin.id}", "declined")
    assert debt.data == {"amount": "16.00", "payment": waiting.paying.id, "line": waiting.line.id}


async def test_the_booker_reads_that_it_was_declined_and_what_comes_back(
    admin: Visitor, ada: Visitor, waiting: MadeBooking, session: AsyncSession
) -> None:
    await admin.post(f"{QUEUE}{waiting.entry.id}/decline/")
    [mail] = await mails(session)
    assert (mail.kind, mail.recipient) == ("booking-declined", "ada@maypole.example")
    assert mail.subject == f"Your booking was declined: The room for an hour (order {waiting.order.number})"
    for body in (mail.text, mail.html):
        assert "You get the £16.00 that you paid for it back" in body
    page = await ada.get(f"/orders/{waiting.order.id}/")
    assert page.text("#order-bookings + .lines .tag") == "Declined"
    assert "£16.00: the booking was declined." in page.text(".notice--warning")


@pytest.mark.parametrize(("answer", "noted"), [("approve", "approved"), ("decline", "declined")])
async def test_the_booker_reads_what_an_admin_adds_and_the_order_keeps_it(
    admin: Visitor, waiting: MadeBooking, session: AsyncSession, answer: str, noted: str
) -> None:
    await admin.post(f"{QUEUE}{waiting.entry.id}/{answer}/", {"note": " The floor is <wet>.\r\nSorry! "})
    [mail] = await mails(session)
    assert "\n\nThey write:\nThe floor is <wet>.\nSorry!\n\nYour order:" in mail.text
    assert "The floor is &lt;wet&gt;.\nSorry!" in mail.html
    async with fresh(session) as now:
        [kept] = await now.scalars(select(OrderNote))
    assert (kept.order_id, kept.author_id) == (waiting.order.id, admin.id)
    assert kept.body == f"The room for an hour was {noted}: The floor is <wet>.\nSorry!"


async def test_without_a_word_to_the_booker_the_mail_has_none(
    admin: Visitor, waiting: MadeBooking, session: AsyncSession
) -> None:
    await admin.post(f"{QUEUE}{waiting.entry.id}/decline/", {"note": "  "})
    [mail] = await mails(session)
    assert "They write" not in mail.text + mail.html
    async with fresh(session) as now:
        assert list(await now.scalars(select(OrderNote))) == []


async def test_the_order_keeps_no_word_that_another_pages_people_would_read(
    admin: Visitor, waiting: MadeBooking, session: AsyncSession
) -> None:
    jam = await make_jam(session)
    theirs = OrderLine(order_id=waiting.order.id, kind="product", title="A taste of jam", quantity=1)
    theirs.unit_price = theirs.total = Decimal(0)
    theirs.product_id, theirs.variant_id, theirs.page_post_id = jam.product_id, jam.variant_id, jam.page_post_id
    session.add(theirs)
    await session.flush()
    await session.commit()
    await admin.post(f"{QUEUE}{waiting.entry.id}/approve/", {"note": "The key is under the mat."})
    assert "The key is under the mat." in (await mails(session))[0].text
    async with fresh(session) as now:
        assert list(await now.scalars(select(OrderNote))) == []


async def test_a_word_that_is_too_long_decides_nothing_and_is_kept(
    admin: Visitor, waiting: MadeBooking, session: AsyncSession
) -> None:
    answer = await admin.post(f"{QUEUE}{waiting.entry.id}/decline/", {"note": "x" * 501})
    assert answer.status == 422
    assert "500 characters" in answer.text("#f-note-error")
    assert answer.text("#f-note") == "x" * 501
    assert await state_of(session, waiting.entry.id) == EntryState.PROVISIONAL


async def test_declining_what_was_free_writes_no_debt(
    admin: Visitor, ada: Visitor, room: Calendar, session: AsyncSession
) -> None:
    free = await make_booking(session, room, user_id=ada.id, price="0.00")
    await session.commit()
    answer = await admin.post(f"{QUEUE}{free.entry.id}/decline/")
    assert (answer.status, answer.location) == (303, f"{QUEUE}?result=declined")
    assert "refund" not in (await admin.get(answer.location)).text(".notice--good")
    assert (await state_of(session, free.entry.id), await debts(session)) == (EntryState.DECLINED, [])
    [mail] = await mails(session)
    assert "£" not in mail.text
    assert "back" not in mail.text


async def test_a_declined_booking_is_refunded_from_the_queue_of_refunds(
    admin: Visitor, ada: Visitor, context: PaymentContext, room: Calendar, session: AsyncSession, gateway: FakeGateway
) -> None:
    entry_id = await put_into_cart(session, context, room, ada)
    gateway.pay(await check_out(session, ada, "16.00"))
    await come_back(session, ada)
    assert await state_of(session, entry_id) == EntryState.PROVISIONAL
    declined = await admin.get((await admin.post(f"{QUEUE}{entry_id}/decline/")).location)
    queue = await admin.get(declined.attribute(".notice--good a", "href") or "")
    [debt] = await debts(session)
    assert "The booking was declined" in queue.text(f"#debt-{debt.id} td.why")
    assert "£16.00" in queue.text(f"#debt-{debt.id} .num")

    refunded = await admin.post(f"/admin/refunds/{debt.id}/")

    assert refunded.location == "/admin/refunds/?result=succeeded"
    assert [debt.state for debt in await debts(session)] == [DebtState.SETTLED]
    [order] = await orders_of(session, ada)
    assert order.state == OrderState.REFUNDED
    assert "the booking was declined. Refunded." in (await ada.get(f"/orders/{order.id}/")).text(".notice--warning")


async def test_the_rest_of_the_order_is_kept(
    admin: Visitor,
    ada: Visitor,
    context: PaymentContext,
    room: Calendar,
    show: Show,
    fill_cart: FillCart,
    session: AsyncSession,
    gateway: FakeGateway,
) -> None:
    entry_id = await put_into_cart(session, context, room, ada)
    await fill_cart(ada, show, 2)
    gateway.pay(await check_out(session, ada, "41.00"))
    await come_back(session, ada)
    await admin.post(f"{QUEUE}{entry_id}/decline/")
    [debt] = await debts(session)
    assert debt.amount == Decimal("16.00")
    await admin.post(f"/admin/refunds/{debt.id}/")
    [order] = await orders_of(session, ada)
    assert order.state == OrderState.PARTIALLY_REFUNDED


async def test_a_guest_is_written_to_with_the_link_that_opens_the_order(
    admin: Visitor, waiting: MadeBooking, session: AsyncSession
) -> None:
    order = await session.get_one(Order, waiting.order.id)
    order.user_id, order.guest_email, order.access_token_hash = None, "guest@maypole.example", "0" * 64
    await session.commit()
    assert "guest@maypole.example" in (await admin.get(QUEUE)).text("td.who")
    await admin.post(f"{QUEUE}{waiting.entry.id}/decline/")
    [mail] = await mails(session)
    assert mail.recipient == "guest@maypole.example"
    assert "http://localhost:8002/orders/guest/" in mail.text


# --- late money, and money that came twice ---


async def test_a_booking_made_in_the_place_of_another_finds_its_line(
    admin: Visitor, ada: Visitor, context: PaymentContext, room: Calendar, session: AsyncSession, gateway: FakeGateway
) -> None:
    old_id = await put_into_cart(session, context, room, ada)
    checkout = await check_out(session, ada, "16.00")
    [order] = await orders_of(session, ada)
    await ada.post(f"/orders/{order.id}/put-back/")
    await ada.post("/cart/bookings/", {"entry_id": str(old_id)})
    gateway.pay(checkout, force=True)  # it was under way when the order was closed
    await come_back(session, ada)
    async with fresh(session) as now:
        new = (await now.scalars(select(CalendarEntry).where(CalendarEntry.replaces_id == old_id))).one()
        new.cost = Decimal("20.00")  # whatever it says itself: what was paid is what the line says
        await now.commit()

    assert (await admin.get(QUEUE)).text(f"#booking-{new.id} .num") == "£16.00"
    await admin.post(f"{QUEUE}{new.id}/decline/")

    [debt] = await debts(session)
    assert (debt.amount, debt.reason) == (Decimal("16.00"), DebtReason.DECLINED)
    declined = [mail for mail in await mails(session) if mail.kind == "booking-declined"]
    assert ["£16.00" in mail.text for mail in declined] == [True]


async def test_the_debt_is_of_the_payment_that_the_order_was_given_for(
    admin: Visitor, ada: Visitor, waiting: MadeBooking, session: AsyncSession
) -> None:
    twice = await make_payment(session, waiting.order, state=PaymentState.PAID)
    unfulfilled = await make_payment(session, waiting.order, state=PaymentState.PAID)
    unfulfilled.fulfilled_at = None
    session.add(
        Debt(order_id=waiting.order.id, payment_id=twice.id, amount="16.00", currency="GBP", reason="paid_twice")
    )
    await session.commit()
    await admin.post(f"{QUEUE}{waiting.entry.id}/decline/")
    declined = [debt for debt in await debts(session) if debt.reason == DebtReason.DECLINED]
    assert [debt.payment_id for debt in declined] == [waiting.paying.id]


# --- once ---


@pytest.mark.parametrize("first", ["approve", "decline"])
@pytest.mark.parametrize("second", ["approve", "decline"])
async def test_the_second_answer_is_told_that_it_came_too_late(
    admin: Visitor, waiting: MadeBooking, session: AsyncSession, first: str, second: str
) -> None:
    await admin.post(f"{QUEUE}{waiting.entry.id}/{first}/")
    before = await state_of(session, waiting.entry.id), len(await debts(session))
    answer = await admin.post(f"{QUEUE}{waiting.entry.id}/{second}/")
    assert answer.status == 409
    assert "Somebody has decided on this booking already." in answer.text(".notice--bad")
    assert (await state_of(session, waiting.entry.id), len(await debts(session))) == before
    assert (len(await mails(session)), len(await decisions(session))) == (1, 1)


@pytest.mark.parametrize("path", ["", "approve/", "decline/"])
async def test_a_page_of_what_is_decided_leads_back_to_the_queue(
    admin: Visitor, waiting: MadeBooking, path: str
) -> None:
    await admin.post(f"{QUEUE}{waiting.entry.id}/approve/")
    page = await admin.get(f"{QUEUE}{waiting.entry.id}/{path}")
    assert page.status == 409
    assert "does not wait for a decision any more" in page.text(".notice--bad")
    assert page.text(".empty__title") == "Nothing waits for you"


async def test_what_is_only_in_a_cart_is_not_decided_on(
    admin: Visitor, ada: Visitor, context: PaymentContext, room: Calendar, session: AsyncSession
) -> None:
    entry_id = await put_into_cart(session, context, room, ada)
    for answer in ("approve", "decline"):
        assert (await admin.post(f"{QUEUE}{entry_id}/{answer}/")).status == 409
    assert await state_of(session, entry_id) == EntryState.PENDING


class Forgetful(SqlCalendarService):
    """A calendar that loses a booking as soon as it is decided on."""

    async def booking(self, session: AsyncSession, entry_id: int) -> EntryDTO | None:
        found = await super().booking(session, entry_id)
        return found if found is not None and found.state is EntryState.PROVISIONAL else None


async def test_all_of_a_decision_is_kept_or_none_of_it(
    context: PaymentContext, settings: Settings, admin: Visitor, waiting: MadeBooking, session: AsyncSession
) -> None:
    calendar = Forgetful(utc_now, default_max_per_order=settings.max_tickets_per_order)
    losing = replace(context, services=replace(context.services, calendar=calendar))
    with pytest.raises(NotFound):
        await decide_booking(losing, entry_id=waiting.entry.id, approved=False, actor_user_id=admin.id)
    assert await state_of(session, waiting.entry.id) == EntryState.PROVISIONAL
    assert (await debts(session), await mails(session), await decisions(session)) == ([], [], [])


async def test_an_address_cannot_put_words_on_the_page(admin: Visitor) -> None:
    assert not (await admin.get(f"{QUEUE}?result=<b>Declined</b>")).has(".notice")
