"""The demo data: a theatre, a farm shop and a village hall, as fresh on any day as on its first."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from sandbox.merchants import sandbox_accounts
from shared.contracts.states import EntryKind, EntryState, Role
from shared.db.engine import Database
from shared.db.uow import unit_of_work
from shared.models.blog import Post
from shared.models.calendar import BookingRule, Calendar, CalendarClosure, CalendarEntry, TicketType
from shared.models.order import Payment
from shared.models.provider import PaymentAccount, ProviderWalk
from shared.models.user import User, UserRole
from shared.payments.vault import vault_of
from shared.services.blog_impl import SqlBlogService
from shared.services.market_impl import SqlMarketService
from shared.settings import Settings

from . import farm as demo_farm
from . import hall as demo_hall
from . import theatre as demo_theatre
from .provider import remember_at_the_sandbox
from .sales import BoxOffice, Sold
from .shapes import ZONE, DemoCalendar, DemoEvent, DemoPage, DemoProduct, DemoRule, DemoType, amount, curly, published

SHOPPER = "ada@maypole.example"
ADMIN = "admin@maypole.example"
DEMO_ACCOUNTS: tuple[tuple[str, str], ...] = (
    (SHOPPER, "buys tickets"),
    (ADMIN, "an admin: also sees refunds and what needs attention"),
)
PAGES = (demo_theatre.PAGE, demo_farm.PAGE, demo_hall.PAGE)
PATRONS = (
    ("nell.hartley", "Nell Hartley"),
    ("samir.qureshi", "Samir Qureshi"),
    ("bronwen.pugh", "Bronwen Pugh"),
    ("oluwaseun.ade", "Oluwaseun Ade"),
    ("moira.kerr", "Moira Kerr"),
    ("jack.entwistle", "Jack Entwistle"),
)
ONE_AT_A_TIME = 5_140_001
"""The advisory lock under which the demo is loaded: two starts at once must not load it twice."""


async def load_demo(settings: Settings, database_url: str) -> None:
    """Load the demo data, all of it or none; does nothing where there is a page already.

    The sandbox learns of what was paid when it starts the next time.
    """
    database = Database(database_url, pool_size=1, settings=settings)
    try:
        async with unit_of_work(database) as uow:
            await uow.session.execute(select(func.pg_advisory_xact_lock(ONE_AT_A_TIME)))
            # Asked under the lock: another start may have loaded it while this one waited.
            if await uow.session.scalar(select(Post.id).where(Post.is_page).limit(1)) is None:
                now = datetime.now(UTC)
                payments = await _load(uow.session, settings, now)
                if settings.uses_sandbox:
                    remember_at_the_sandbox(settings, payments)
                    # There is nothing to be found in what was only just told: the first reconciliation is due in a day.
                    uow.session.add(ProviderWalk(merchant_code=settings.sumup_merchant_code, walked_until=now))
                await uow.commit()
    finally:
        await database.dispose()


async def _load(session: AsyncSession, settings: Settings, now: datetime) -> list[Payment]:
    """Write people, pages, events and sales; return what was paid."""
    patrons = await _add_people(session)
    await _add_accounts(session, settings, now)
    box_office = BoxOffice(session, settings, patrons, now)
    # The day in the demo's own zone: around midnight it is another one than in UTC.
    today = now.astimezone(ZoneInfo(ZONE)).date()
    for page in PAGES:
        await _add_page(session, page, today, box_office)
    return box_office.payments


async def _add_people(session: AsyncSession) -> Sequence[User]:
    admin = User(email=ADMIN, name="Alex Admin", roles=[UserRole(role=Role.ADMIN)])
    patrons = [User(email=f"{name}@maypole.example", name=full_name) for name, full_name in PATRONS]
    session.add_all([User(email=SHOPPER, name="Ada Shopper"), admin, *patrons])
    await session.flush()  # sales name the patrons' ids
    return patrons


async def _add_page(session: AsyncSession, page: DemoPage, today: date, box_office: BoxOffice) -> None:
    """Write a page with its posts, products and calendars, in the order in which their rows name one another."""
    page_post_id = await _add_posts(session, page, today)
    for product in page.products:
        await _add_product(session, product, page_post_id)
    await _add_calendar(session, page, page_post_id, today, box_office)
    for calendar in page.calendars:
        await _add_bookable(session, calendar, page_post_id, today)


async def _add_product(session: AsyncSession, product: DemoProduct, page_post_id: int) -> None:
    # By the domain's own service where it has one: so the demo holds to the same checks as an organiser's product.
    market = SqlMarketService()
    product_id = await market.save_product(
        session,
        container_id=page_post_id,
        slug=product.slug,
        title=product.title,
        unit=product.unit,
        description=curly(product.description),
        vat_rate=amount(product.vat_rate),
    )
    for position, kind in enumerate(product.kinds):
        await market.save_variant(
            session,
            product_id,
            price=amount(kind.price),
            size=kind.size,
            colour=kind.colour,
            stock=kind.stock,
            position=position,
        )


async def _add_posts(session: AsyncSession, page: DemoPage, today: date) -> int:
    """Write the page and its posts; return the page's id."""
    blog = SqlBlogService()
    page_post_id = await blog.save_post(
        session,
        slug=page.slug,
        title=page.title,
        body=page.body,
        excerpt=curly(page.excerpt),
        is_page=True,
        published_at=published(today, 60),
    )
    await blog.configure_page(
        session,
        page_post_id,
        seller_name=page.seller_name,
        seller_address=page.seller_address,
        seller_email=page.seller_email,
        seller_phone=page.seller_phone,
        has_calendar=True,
        has_market=bool(page.products),
        terms=curly(page.terms),
        refund_policy=curly(page.refund_policy),
        collection_place=page.collection_place,
        collection_times=curly(page.collection_times),
        sumup_merchant_code=page.account or None,
    )
    for post in page.posts:
        await blog.save_post(
            session,
            slug=post.slug,
            title=curly(post.title),
            body=post.body,
            excerpt=curly(post.excerpt),
            page_post_id=page_post_id,
            published_at=published(today, post.days_ago),
        )
    return page_post_id


async def _add_calendar(
    session: AsyncSession, page: DemoPage, page_post_id: int, today: date, box_office: BoxOffice
) -> None:
    calendar = Calendar(
        container_id=page_post_id,
        slug=page.slug,
        name=page.calendar_name,
        place=page.calendar_place,
        description=page.calendar_description,
        time_zone=ZONE,
        whole_room=page.whole_room,
    )
    session.add(calendar)
    await session.flush()  # the entries name the calendar's id
    session.add_all(_rules(page.rules, calendar))
    for event in page.events:
        entry, types = await _add_event(session, event, calendar, today)
        await box_office.sell(Sold(entry, calendar, types), event.sold)


async def _add_bookable(session: AsyncSession, bookable: DemoCalendar, page_post_id: int, today: date) -> None:
    calendar = Calendar(
        container_id=page_post_id,
        slug=bookable.slug,
        name=bookable.name,
        place=bookable.place,
        description=curly(bookable.description),
        time_zone=ZONE,
        whole_room=bookable.whole_room,
        needs_approval=bookable.needs_approval,
        notice_minutes=60 * bookable.notice_hours,
    )
    session.add(calendar)
    await session.flush()  # the rules name the calendar's id
    session.add_all(_rules(bookable.rules, calendar))
    if bookable.closed_in_days is not None:
        first, last = (today + timedelta(days=days) for days in bookable.closed_in_days)
        session.add(CalendarClosure(calendar_id=calendar.id, first_day=first, last_day=last, reason="Painting"))


def _rules(rules: Sequence[DemoRule], calendar: Calendar) -> list[BookingRule]:
    return [
        BookingRule(
            calendar_id=calendar.id,
            name=rule.name,
            # Python counts Monday as 0, the database's rules count by ISO as 1.
            weekdays=[day + 1 for day in rule.weekdays],
            from_time=time.fromisoformat(rule.from_time),
            to_time=time.fromisoformat(rule.to_time),
            slot_minutes=rule.minutes,
            price=amount(rule.price),
            vat_rate=amount(rule.vat_rate),
            places=rule.places,
            position=position,
        )
        for position, rule in enumerate(rules)
    ]


async def _add_accounts(session: AsyncSession, settings: Settings, now: datetime) -> None:
    """Write down the accounts of the sandbox that the demo's pages are paid to, with their keys sealed."""
    vault = vault_of(settings)
    for page in PAGES:
        if page.account:
            known = sandbox_accounts(settings)[page.account]
            session.add(
                PaymentAccount(
                    merchant_code=page.account,
                    api_key_encrypted=vault.seal(known.api_key),
                    name=page.seller_name,
                    currency=known.currency,
                    sandbox=True,
                    checked_at=now,
                )
            )


async def _add_event(
    session: AsyncSession, event: DemoEvent, calendar: Calendar, today: date
) -> tuple[CalendarEntry, list[TicketType]]:
    entry = CalendarEntry(
        calendar_id=calendar.id,
        kind=EntryKind.EVENT,
        state=EntryState.CONFIRMED,
        name=event.name,
        description=curly(event.description),
        start_at=event.when.starts(today),
        end_at=event.when.ends(today),
        ticket_price=amount(event.price) if event.price else None,
        capacity=event.capacity,
        max_per_order=event.max_per_order,
        sale_starts_at=None if event.sale_in_days is None else published(today, -event.sale_in_days),
    )
    session.add(entry)
    await session.flush()  # the types name the entry's id
    types = [_type(kind, entry, position) for position, kind in enumerate(event.types)]
    session.add_all(types)
    await session.flush()  # sales name the types' ids
    return entry, types


def _type(kind: DemoType, entry: CalendarEntry, position: int) -> TicketType:
    return TicketType(
        entry_id=entry.id,
        name=kind.name,
        description=curly(kind.description),
        cost=amount(kind.cost) if kind.cost else None,
        capacity=kind.capacity,
        position=position,
    )
