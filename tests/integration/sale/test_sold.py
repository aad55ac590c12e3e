"""What was sold is shown as it was sold, wherever an order's things are shown, whatever has become of them since."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from cart.orders.mails import write_order_mails
from cart.payments.settle import settle
from cart.wiring import PAYMENT_CONTEXT, PaymentContext
from shared.contracts.states import Role
from shared.contracts.times import until, when
from shared.models import (
    BookingRule,
    Calendar,
    CalendarEntry,
    CartItem,
    Mail,
    Order,
    OrderLine,
    Payment,
    Product,
    ProductVariant,
    Ticket,
    TicketType,
)
from shared.settings import Settings
from tests.factories.blog import make_page
from tests.factories.calendar import make_calendar, make_entry, make_rule, make_type
from tests.factories.market import make_product, make_variant
from tests.factories.users import sign_in_client
from tests.support.places import Site, open_site
from tests.support.visitor import Visitor

LONDON = "Europe/London"
TOMORROW = (datetime.now(UTC) + timedelta(days=1)).replace(hour=19, minute=30, second=0, microsecond=0)
HOUR = timedelta(hours=1)
NEVER = ("£14.00", "£9.99", "Grown-up", "Damson", "The wrong hall", "Another hour", "5%")
"""What things cost and are called today: nobody has bought that."""


@pytest.fixture
async def site(settings: Settings, database_url: str) -> AsyncIterator[Site]:
    async with open_site(settings) as made:
        yield made


@dataclass(frozen=True, slots=True)
class Bought:
    """A paid order of a ticket, an hour of a hall that waits for approval, and a jar, all changed since."""

    site: Site
    admin: Visitor
    order_id: int
    booking_id: int
    code: str
    token: str
    was: str
    """What has changed of the event."""
    was_booked: str
    """What has changed of the booking."""

    @property
    def context(self) -> PaymentContext:
        """The cart app's own."""
        context: PaymentContext = self.site.cart.client.app.extensions[PAYMENT_CONTEXT]
        return context


@pytest.fixture
async def bought(site: Site, session: AsyncSession) -> Bought:
    await fill_cart(session, site.ada)
    assert (await site.cart.post("/checkout/", {"shown_total": "28.00"})).status == 303
    payment = (await session.scalars(select(Payment))).one()
    assert payment.checkout_id is not None
    site.gateway.pay(payment.checkout_id)
    await session.commit()  # no call goes out within a transaction
    await settle(site.cart.client.app.extensions[PAYMENT_CONTEXT], payment.id)
    await change_everything(session)
    client = site.cart.client.app.test_client()
    admin = Visitor(client, await sign_in_client(client, email="admin@maypole.example", roles=(Role.ADMIN,)))
    booking_id = (await session.scalars(select(CalendarEntry.id).where(CalendarEntry.kind == "booking"))).one()
    code = (await session.scalars(select(Ticket.code))).one()
    await session.commit()
    return Bought(
        site=site,
        admin=admin,
        order_id=payment.order_id,
        booking_id=booking_id,
        code=code or "",
        token=payment.return_token,
        was=f"was {when(TOMORROW, LONDON)}, Lantern Lane 4; now called The Storm",
        was_booked=f"was {until(TOMORROW, TOMORROW + HOUR, LONDON)}, Church Lane; now called Another hour",
    )


async def fill_cart(session: AsyncSession, ada: int) -> None:
    """Put a ticket at 15.50, an hour at 8.00 and a jar at 4.50 into Ada's cart."""
    theatre = await make_calendar(session)
    play = await make_entry(session, theatre, start_at=TOMORROW)
    adult = await make_type(session, play, "Adult", "15.50")
    adult.vat_rate = Decimal(20)
    session.add(Ticket(entry_id=play.id, ticket_type_id=adult.id, user_id=ada))
    hall = await make_calendar(session, name="The hall", place="Church Lane", needs_approval=True)
    await make_rule(session, hall, from_time="00:30", to_time="23:30")
    mine = {"user_id": ada, "name": "An hour of the hall", "cost": 8, "start_at": TOMORROW, "end_at": TOMORROW + HOUR}
    session.add(CalendarEntry(calendar_id=hall.id, kind="booking", state="pending", **mine))
    barn = await make_page(session, title="The Barn", has_market=True)
    jam = await make_product(session, barn, title="Plum jam", price=None)
    jar = await make_variant(session, jam, price="4.50", size="Large")
    session.add(CartItem(user_id=ada, variant_id=jar, quantity=1, price_seen=Decimal("4.50")))
    await session.commit()


async def change_everything(session: AsyncSession) -> None:
    """Give everything another name, price, VAT rate, time and place."""
    later = timedelta(days=2)
    moved = {"start_at": CalendarEntry.start_at + later, "end_at": CalendarEntry.end_at + later, "vat_rate": 5}
    is_event = CalendarEntry.kind == "event"
    for statement in (
        update(TicketType).values(name="Grown-up", cost=14, vat_rate=5),
        update(CalendarEntry).where(is_event).values(name="The Storm", **moved),
        update(CalendarEntry).where(~is_event).values(name="Another hour", cost=Decimal("9.99"), **moved),
        update(Calendar).where(Calendar.name == "The hall").values(name="The wrong hall", place="Mill Lane 2"),
        update(Calendar).where(Calendar.place == "Lantern Lane 4").values(place="Quay 1"),
        update(Product).values(title="Damson jam", vat_rate=5),
        update(ProductVariant).values(size="Small", price=Decimal("9.99")),
        update(BookingRule).values(price=Decimal("9.99")),
    ):
        await session.execute(statement.execution_options(synchronize_session=False))
    await session.commit()


TICKET, BOOKING, JAR = ("The Tempest", "Adult"), ("An hour of the hall", "The hall"), ("Plum jam", "Large")


async def test_every_page_shows_what_was_sold_as_it_was_sold(bought: Bought, subtests: pytest.Subtests) -> None:
    ada, events, admin, order = bought.site.cart, bought.site.events, bought.admin, f"/orders/{bought.order_id}/"
    all_three = (*TICKET, "£15.50", *BOOKING, *JAR)
    places = {
        "my tickets": (events, "/tickets/", (*TICKET, "£15.50", bought.was, *BOOKING, bought.was_booked)),
        "ticket": (events, f"/tickets/{bought.code}/", (*TICKET, "£15.50", bought.was, "Quay 1")),
        "order": (ada, order, (*all_three, "£8.00", "£4.50", bought.was, bought.was_booked)),
        "receipt": (ada, f"{order}receipt/", (*all_three, "20%", "£28.00")),
        "return": (ada, f"/checkout/return/{bought.token}/", (*all_three, bought.was, bought.was_booked)),
        "order, to admins": (
            admin,
            f"/admin{order}",
            (*all_three, f"now {when(TOMORROW + timedelta(2), LONDON)}, Quay 1"),
        ),
        "cancelling": (admin, f"/admin{order}cancel/", all_three),
        "refunding": (admin, f"/admin{order}refund/", all_three),
        "bookings": (admin, "/admin/bookings/", (*BOOKING, "£8.00", bought.was_booked)),
        "booking": (admin, f"/admin/bookings/{bought.booking_id}/", (*all_three, "£8.00", bought.was_booked)),
    }
    for name, (who, path, shown) in places.items():
        with subtests.test(place=name):
            page = await who.get(path)
            said = page.text("main")

            assert page.status == 200
            assert [words for words in shown if words not in said] == []
            assert [words for words in NEVER if words in said.replace("now called Another hour", "")] == []


async def test_every_mail_tells_what_was_sold_as_it_was_sold(
    bought: Bought, session: AsyncSession, subtests: pytest.Subtests
) -> None:
    await write_order_mails(bought.context, bought.order_id)
    answer = await bought.admin.post(f"/admin/bookings/{bought.booking_id}/approve/", {"note": ""})
    assert answer.status == 303
    await session.rollback()
    mails = {mail.kind: mail for mail in await session.scalars(select(Mail))}

    assert mails["order-paid"].subject.startswith("Your tickets for The Tempest (")
    assert mails["booking-approved"].subject.startswith("Your booking is confirmed: An hour of the hall (")
    told = {
        "order-paid": (*TICKET, "£15.50", *BOOKING, "Plum jam", bought.was, bought.was_booked),
        "booking-approved": (*BOOKING, bought.was_booked),
    }
    for kind, words in told.items():
        for said in (mails[kind].text, mails[kind].html):
            with subtests.test(mail=kind, html=said is mails[kind].html):
                assert [each for each in words if each not in said] == []
                assert [each for each in NEVER if each in said.replace("now called Another hour", "")] == []


async def test_a_line_keeps_when_and_where_it_was_to_be(bought: Bought, session: AsyncSession) -> None:
    rows = await session.scalars(select(OrderLine).order_by(OrderLine.kind))
    kept = {row.kind: (row.option_name, row.start_at, row.end_at, row.time_zone, row.place) for row in rows}

    assert kept == {
        "booking": ("The hall", TOMORROW, TOMORROW + HOUR, LONDON, "Church Lane"),
        "product": ("Large", None, None, "", ""),
        "ticket": ("Adult", TOMORROW, TOMORROW + 2.5 * HOUR, LONDON, "Lantern Lane 4"),
    }


async def test_what_has_not_changed_says_nothing_of_it(site: Site, session: AsyncSession) -> None:
    await fill_cart(session, site.ada)
    await site.cart.post("/checkout/", {"shown_total": "28.00"})
    [order_id] = await session.scalars(select(Order.id))

    page = await site.cart.get(f"/orders/{order_id}/")

    assert "Changed" not in page.text("main")
    assert len(page.html.css(".ticket")) == 1
