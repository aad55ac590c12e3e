"""The cart app on a clean database with a payment provider in memory, and people who use it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from quart import Quart
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from cart.app import create_app
from shared.contracts.states import OrderState, PaymentState, Role
from shared.db.engine import Database
from shared.models import Calendar, CalendarEntry, Order, PageConfig, Payment, Post, Ticket, TicketType
from shared.services.identity import ensure_user, grant_role, start_session
from shared.settings import Settings
from shared.web.state import EXTENSION, AppState
from tests.factories.blog import make_page
from tests.factories.calendar import make_calendar, make_entry, make_rule, make_type
from tests.factories.market import make_product, variant_of
from tests.factories.orders import MadeOrder, make_order
from tests.fakes.gateway import FakeGateway
from tests.support.visitor import Visitor


@pytest.fixture
def gateway() -> FakeGateway:
    """The payment provider, in memory."""
    return FakeGateway()


@pytest.fixture
async def app(settings: Settings, database_url: str, gateway: FakeGateway) -> AsyncIterator[Quart]:
    """Serve the cart app."""
    made = create_app(settings, gateway=gateway)
    async with made.test_app():
        yield made


@pytest.fixture
def running(app: Quart) -> AppState:
    """The running app's state: its clock may be moved."""
    found: AppState = app.extensions[EXTENSION]
    return found


@pytest.fixture
def visitor(app: Quart) -> Visitor:
    """A browser that nobody is signed in with."""
    return Visitor(app.test_client())


SignIn = Callable[..., Awaitable[Visitor]]


@pytest.fixture
def sign_in(app: Quart, running: AppState, database: Database) -> SignIn:
    """Give a browser that a person is signed in with."""

    async def sign_in(email: str, *, role: Role | None = None, page_post_id: int | None = None) -> Visitor:
        async with database.sessions() as session:
            user = await ensure_user(session, email)
            if role is not None:
                await grant_role(session, user.id, role, page_post_id=page_post_id)
            made = await start_session(session, user_id=user.id, now=datetime.now(UTC), days=1)
            await session.commit()
        client = app.test_client()
        assert running.auth.cookie_name
        client.set_cookie("localhost", running.auth.cookie_name, running.auth.dump_token(made.token, app=app))
        return Visitor(client, user)

    return sign_in


@pytest.fixture
async def guest(app: Quart, running: AppState, database: Database) -> Visitor:
    """A browser that has a cart and no account."""
    async with database.sessions() as session:
        made = await start_session(session, user_id=None, now=datetime.now(UTC), days=30)
        await session.commit()
    client = app.test_client()
    assert running.auth.cookie_name
    client.set_cookie("localhost", running.auth.cookie_name, running.auth.dump_token(made.token, app=app))
    return Visitor(client, session_id=made.id)


PutProducts = Callable[..., Awaitable[None]]


@pytest.fixture
def put_products(running: AppState, session: AsyncSession) -> PutProducts:
    """Put products into somebody's cart: ``await put_products(ada, variant_id, 2)``."""

    async def put_products(who: Visitor, variant_id: int, quantity: int = 1) -> None:
        await running.services.cart.change_item(
            session,
            who.owner,
            variant_id=variant_id,
            quantity=quantity,
            more=True,
        )
        await session.commit()

    return put_products


@pytest.fixture
async def ada(sign_in: SignIn) -> Visitor:
    """Ada's browser, signed in."""
    return await sign_in("ada@maypole.example")


@pytest.fixture
async def bob(sign_in: SignIn) -> Visitor:
    """Somebody else's browser, signed in."""
    return await sign_in("bob@maypole.example")


@pytest.fixture
async def admin(sign_in: SignIn) -> Visitor:
    """An admin's browser."""
    return await sign_in("admin@maypole.example", role=Role.ADMIN)


Clerk = Callable[..., Awaitable[Visitor]]


@pytest.fixture
def clerk(sign_in: SignIn, database: Database) -> Clerk:
    """Give somebody with a role on one page, or (None) everywhere; without a word, the one for orders."""

    async def clerk(page: Post | None, email: str = "clerk@maypole.example", role: Role = Role.ORDERS) -> Visitor:
        who = await sign_in(email)
        async with database.sessions() as session:
            await grant_role(session, who.id, role, page_post_id=None if page is None else page.id)
            await session.commit()
        return who

    return clerk


@pytest.fixture
def people(visitor: Visitor, ada: Visitor, bob: Visitor, admin: Visitor) -> dict[str, Visitor]:
    """Everybody, by name."""
    return {"visitor": visitor, "ada": ada, "bob": bob, "admin": admin}


@dataclass(frozen=True, slots=True)
class Show:
    """A page that sells tickets for one event, of one type."""

    page: Post
    entry: CalendarEntry
    adult: TicketType

    def form(self, **more: str) -> dict[str, str]:
        """Return what the form of its ticket line sends."""
        return {"entry_id": str(self.entry.id), "ticket_type_id": str(self.adult.id), **more}


async def make_show(
    session: AsyncSession, *, name: str = "The Tempest", capacity: int | None = None, cost: str = "12.50"
) -> Show:
    """Make a page with a calendar, an event and a type, and commit."""
    calendar = await make_calendar(session, name=f"Home of {name}")
    entry = await make_entry(session, calendar, name=name)
    adult = await make_type(session, entry, cost=cost, capacity=capacity)
    page = await session.get_one(Post, calendar.container_id)
    await session.commit()
    return Show(page, entry, adult)


@pytest.fixture
async def show(session: AsyncSession) -> Show:
    """The Tempest, adults at 12.50, as many as want to come."""
    return await make_show(session)


async def set_account(session: AsyncSession, page: Post, merchant_code: str) -> None:
    """Have a page paid to an account of its own."""
    values = {"container_type": "page", "container_id": page.id, "sumup_merchant_code": merchant_code}
    row = insert(PageConfig).values(values)
    await session.execute(
        row.on_conflict_do_update(
            index_elements=["container_type", "container_id"], set_={"sumup_merchant_code": merchant_code}
        )
    )
    await session.commit()


FillCart = Callable[..., Awaitable[None]]


@pytest.fixture
def fill_cart(session: AsyncSession) -> FillCart:
    """Put tickets into somebody's cart."""

    async def fill_cart(who: Visitor, show: Show, quantity: int = 2) -> None:
        session.add_all(
            Ticket(entry_id=show.entry.id, ticket_type_id=show.adult.id, user_id=who.id) for _ in range(quantity)
        )
        await session.commit()

    return fill_cart


@dataclass(frozen=True, slots=True)
class Jam:
    """Plum jam at 4.50, on a page of its own."""

    page_post_id: int
    product_id: int
    variant_id: int


async def make_jam(session: AsyncSession, *, stock: int | None = None, title: str = "Plum jam") -> Jam:
    """Put plum jam on the shelves, and commit."""
    page_post_id = await make_page(session, title=f"Barn of {title}", has_market=True)
    product_id = await make_product(session, page_post_id, title=title, stock=stock, vat_rate="20")
    made = Jam(page_post_id, product_id, await variant_of(session, product_id))
    await session.commit()
    return made


@pytest.fixture
async def jam(session: AsyncSession) -> Jam:
    return await make_jam(session, stock=5)


@pytest.fixture
async def hall(session: AsyncSession) -> Calendar:
    """A hall at 8.00 an hour, round the clock."""
    calendar = await make_calendar(session, name="The hall", whole_room=True)
    await make_rule(session, calendar)
    await session.commit()
    return calendar


async def book(running: AppState, session: AsyncSession, who: Visitor, calendar: Calendar, hours: int = 48) -> int:
    """Put an hour of a hall into somebody's cart; return the booking's id."""
    start = (datetime.now(UTC) + timedelta(hours=hours)).replace(minute=0, second=0, microsecond=0)
    [entry] = await running.services.calendar.add_pending_bookings(
        session,
        who.owner,
        calendar_id=calendar.id,
        wish={(start, start + timedelta(hours=1)): 1},
    )
    await session.commit()
    return entry.id


async def make_paid_order(session: AsyncSession, show: Show, who: Visitor, **more: Any) -> MadeOrder:
    """Make a paid order of somebody's for two tickets of a show, in the database alone."""
    return await make_order(
        session,
        show.entry,
        user_id=who.id,
        ticket_type=show.adult,
        state=OrderState.PAID,
        payment_state=PaymentState.PAID,
        **more,
    )


def fresh(session: AsyncSession) -> AsyncSession:
    """Return a session that reads the database as it is now, and leaves what the test holds alone."""
    return AsyncSession(session.bind, expire_on_commit=False)


async def tickets_of(session: AsyncSession, who: Visitor) -> list[str]:
    """Return the states of a person's tickets that were not taken out of the cart, as the database has them now."""
    statement = select(Ticket.state).where(Ticket.user_id == who.id, Ticket.state != "cancelled").order_by(Ticket.id)
    async with fresh(session) as now:
        return list(await now.scalars(statement))


async def orders_of(session: AsyncSession, who: Visitor) -> list[Order]:
    """Return a person's orders, as the database has them now."""
    async with fresh(session) as now:
        return list(await now.scalars(select(Order).where(Order.user_id == who.id).order_by(Order.id)))


async def payments_of(session: AsyncSession, who: Visitor) -> list[Payment]:
    """Return a person's payments, as the database has them now."""
    statement = select(Payment).join(Payment.order).where(Order.user_id == who.id).order_by(Payment.id)
    async with fresh(session) as now:
        return list(await now.scalars(statement))


def later(running: AppState, **period: float) -> None:
    """Move the app's clock on."""
    now = datetime.now(UTC) + timedelta(**period)
    running.clock = lambda: now
