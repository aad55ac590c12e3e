"""The demo data: whole, in agreement with itself, and loaded once."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import combinations_with_replacement

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from blog.bp.pages.services.offers import PAGE_EVENTS
from demo.load import ADMIN, DEMO_ACCOUNTS, PAGES, SHOPPER, load_demo
from demo.shapes import SATURDAY, DemoEvent, When
from demo.theatre import EVENTS as THEATRE
from launcher.audit import audit_site
from shared.contracts.dtos import RefundOutcome
from shared.contracts.money import price_of
from shared.db.engine import Database
from shared.models.blog import Post
from shared.models.calendar import CalendarEntry
from shared.models.journal import JournalEntry
from shared.models.market import Product
from shared.models.order import Order, OrderLine, Payment
from shared.models.provider import ProviderWalk
from shared.models.ticket import Ticket
from shared.models.user import User, UserRole
from shared.payments.accounts import SumUpAccounts
from shared.payments.sumup.gateway import sumup_client
from shared.services.blog_impl import SqlBlogService
from shared.settings import Settings
from tests.support.sandbox import running_sandbox, settings_for

DECLINED_BY_CONVENTION = {Decimal(total) for total in ("11.00", "42.01", "42.76", "42.91")}
EVENTS = [event for page in PAGES for event in page.events]
LARGEST_BASKET = 8


@pytest.fixture
async def demo(database_url: str, session: AsyncSession, settings: Settings) -> AsyncSession:
    """Give a session on a database that holds the demo data."""
    await load_demo(settings, database_url)
    return session


def prices_of(event: DemoEvent) -> list[Decimal]:
    own = Decimal(event.price) if event.price else None
    kinds = [Decimal(kind.cost) if kind.cost else None for kind in event.types] or [None]
    return [price for kind in kinds if (price := price_of(kind, own)) is not None]


async def available_by_name(session: AsyncSession) -> dict[str, int | None]:
    rows = await session.execute(select(CalendarEntry.name, CalendarEntry.capacity, CalendarEntry.held))
    return {name: None if capacity is None else capacity - held for name, capacity, held in rows}


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: event.name)
def test_no_basket_of_an_event_comes_to_a_total_that_the_sandbox_declines(event: DemoEvent) -> None:
    baskets = {
        sum(basket, Decimal(0))
        for size in range(1, LARGEST_BASKET + 1)
        for basket in combinations_with_replacement(prices_of(event), size)
    }

    assert not baskets & DECLINED_BY_CONVENTION


def test_an_event_is_on_its_weekday_at_the_time_on_the_wall() -> None:
    # Sunday 25 October 2026, 02:00: summer time ends. The Saturdays before and after start at the same wall time.
    summer = When(0, SATURDAY, "19:30").starts(datetime(2026, 10, 18, tzinfo=UTC).date())
    winter = When(1, SATURDAY, "19:30").starts(datetime(2026, 10, 18, tzinfo=UTC).date())

    assert (summer.isoformat(), winter.isoformat()) == ("2026-10-24T18:30:00+00:00", "2026-10-31T19:30:00+00:00")


@pytest.mark.parametrize("weekday", range(7))
def test_this_week_is_ahead_and_the_week_before_last_is_over(weekday: int) -> None:
    today = datetime(2026, 11, 22, tzinfo=UTC).date()

    ahead = When(0, weekday, "19:30").starts(today).date() - today
    over = When(-2, weekday, "19:30").starts(today).date() - today

    assert timedelta(1) <= ahead <= timedelta(7)
    assert timedelta(-13) <= over <= timedelta(-7)


@pytest.mark.parametrize("weekday", range(7))
def test_the_theatres_page_shows_what_is_sold_out_and_nearly_so_on_any_day_of_the_week(weekday: int) -> None:
    today = datetime(2026, 11, 23 + weekday, tzinfo=UTC).date()
    coming = sorted((e for e in THEATRE if e.when.starts(today).date() > today), key=lambda e: e.when.starts(today))

    seats = {event.capacity - event.sold for event in coming[:PAGE_EVENTS] if event.capacity is not None}

    assert {0, 3} <= seats


async def test_every_page_of_the_demo_can_be_asked_and_nobody_real_is(demo: AsyncSession) -> None:
    pages = await SqlBlogService().pages(demo)
    assert len({page.seller_email for page in pages}) == len({page.seller_phone for page in pages}) == len(PAGES)
    assert all(page.seller_email.endswith(".example") for page in pages)
    assert all(re.fullmatch(r"01632 960[0-9]{3}", page.seller_phone) for page in pages)  # Ofcom's numbers for histories


async def test_loading_twice_loads_once(demo: AsyncSession, database_url: str, settings: Settings) -> None:
    before = (await demo.execute(text("SELECT count(*), max(id) FROM tickets"))).one()
    await demo.rollback()

    await load_demo(settings, database_url)

    assert (await demo.execute(text("SELECT count(*), max(id) FROM tickets"))).one() == before
    assert await demo.scalar(select(func.count()).select_from(Post).where(Post.is_page)) == 3


async def test_a_site_with_a_page_of_its_own_gets_no_demo(
    session: AsyncSession, database_url: str, settings: Settings
) -> None:
    session.add(Post(slug="ours", title="Ours", is_page=True))
    await session.commit()

    await load_demo(settings, database_url)

    assert await session.scalar(select(func.count()).select_from(Post)) == 1
    assert await session.scalar(select(func.count()).select_from(User)) == 0


async def test_events_are_in_every_state_that_a_shopper_may_meet(demo: AsyncSession) -> None:
    available = await available_by_name(demo)
    now = datetime.now(UTC)
    entries = (await demo.scalars(select(CalendarEntry))).all()

    assert available["Stand-up in the Studio: new material night"] == 0
    assert available["Candlelight Bach: the cello suites"] == 3
    assert sum(entry.end_at < now for entry in entries) == 1
    assert sum(entry.sale_starts_at is not None and entry.sale_starts_at > now for entry in entries) == 1
    assert any(entry.ticket_price == 0 for entry in entries)


async def test_sold_tickets_are_confirmed_or_used_and_have_their_codes(demo: AsyncSession) -> None:
    rows = await demo.execute(select(Ticket.state, func.count(), func.count(Ticket.code)).group_by(Ticket.state))
    counts = {state: (tickets, codes) for state, tickets, codes in rows}

    assert counts == {"checked_in": (12, 12), "confirmed": (79, 79)}


async def test_every_order_is_paid_in_full_by_one_payment_and_names_its_tickets(demo: AsyncSession) -> None:
    lines = select(func.sum(OrderLine.total)).where(OrderLine.order_id == Order.id).scalar_subquery()
    tickets = select(func.count()).where(Ticket.order_id == Order.id).scalar_subquery()
    named = select(func.count(OrderLine.ticket_id)).where(OrderLine.order_id == Order.id).scalar_subquery()
    orders = (
        await demo.execute(
            select(Order.total, Payment.amount, lines, tickets, named, Order.state, Payment.state)
            .select_from(Order)
            .join(Payment, Payment.order_id == Order.id)
        )
    ).all()

    assert len(orders) == await demo.scalar(select(func.count()).select_from(Order)) == 31
    assert all(total == paid == lined and held == named_ for total, paid, lined, held, named_, *_ in orders)
    assert {states for *_, state, paid in orders for states in (state, paid)} == {"paid"}


async def test_nothing_of_the_demo_waits_for_a_look(demo: AsyncSession) -> None:
    assert set(await demo.scalars(select(Payment.next_check_at))) == {None}
    reconciled = await demo.scalar(select(ProviderWalk.walked_until).where(ProviderWalk.merchant_code == "MSANDBOX"))
    assert reconciled is not None
    assert datetime.now(UTC) - reconciled < timedelta(hours=1)


async def test_the_sandbox_knows_every_payment_and_gives_it_back(
    demo: AsyncSession, database: Database, database_url: str, settings: Settings
) -> None:
    payments = (await demo.execute(select(Payment.transaction_id, Payment.merchant_code, Payment.amount))).all()
    await demo.rollback()  # the provider is asked outside of transactions only
    async with running_sandbox(settings, keep=True) as sandbox:
        reached = settings_for(settings, sandbox)
        report = await audit_site(reached, database_url, provider_days=90)
        assert report.is_well, report.text
        async with sumup_client(reached) as client:
            gateway = await SumUpAccounts(client, reached, database, clock=lambda: datetime.now(UTC)).of("MSANDBOX")
            answers = [await gateway.refund(*payment) for payment in payments]
    assert {answer.outcome for answer in answers} == {RefundOutcome.ACCEPTED}
    assert len(payments) == 31


async def test_the_journal_tells_of_every_order_its_payment_and_its_tickets(demo: AsyncSession) -> None:
    rows = await demo.execute(
        select(JournalEntry.thing, func.count(JournalEntry.thing_id.distinct())).group_by(JournalEntry.thing)
    )

    assert dict(map(tuple, rows)) == {"order": 31, "payment": 31, "ticket": 91}


async def test_the_accounts_exist_and_only_the_admin_has_a_role(demo: AsyncSession) -> None:
    emails = set(await demo.scalars(select(User.email)))
    roles = (await demo.execute(select(User.email, UserRole.role).join(UserRole, UserRole.user_id == User.id))).all()

    assert {email for email, _ in DEMO_ACCOUNTS} <= emails
    assert [tuple(row) for row in roles] == [(ADMIN, "admin")]


async def test_the_shopper_starts_with_nothing(demo: AsyncSession) -> None:
    ada = await demo.scalar(select(User.id).where(User.email == SHOPPER))

    assert await demo.scalar(select(func.count()).select_from(Ticket).where(Ticket.user_id == ada)) == 0


async def test_the_shop_has_products_and_no_page_is_without_prose(demo: AsyncSession) -> None:
    assert await demo.scalar(select(func.count()).select_from(Product)) == 10
    assert not (await demo.scalars(select(Post.slug).where(func.length(Post.body_html) < 200))).all()
