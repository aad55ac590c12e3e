"""One table of situations, and five places that tell a shopper the same of each: list, page, form, cart and checkout."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import delete, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from events.bp.bookings.forms import key_of
from shared.contracts.sale import SaleState
from shared.contracts.states import LineKind
from shared.models import (
    BookingRule,
    Calendar,
    CalendarEntry,
    CartItem,
    Product,
    ProductVariant,
    StockAllocation,
    Ticket,
    TicketType,
)
from shared.settings import Settings
from tests.factories.blog import make_page
from tests.factories.bookings import make_booking
from tests.factories.calendar import make_calendar, make_entry, make_rule, make_type
from tests.factories.market import make_product, variant_of
from tests.factories.tickets import make_empty_order, make_tickets
from tests.factories.users import make_user
from tests.support.places import ABSENT, Site, open_site, state_told, told_by_row

NAME = "The Tempest"
NOW = datetime.now(UTC).replace(microsecond=0)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
TOMORROW, YESTERDAY = NOW + DAY, NOW - DAY


@pytest.fixture
async def site(settings: Settings, database_url: str) -> AsyncIterator[Site]:
    async with open_site(settings) as made:
        yield made


# --- events ---


@dataclass(frozen=True, slots=True)
class Situation:
    """An event with one type of ticket (none where ``kind`` is None), what others hold of it, and how it stands."""

    told: SaleState
    event: dict[str, Any] = field(default_factory=dict)
    kind: dict[str, Any] | None = field(default_factory=dict)
    sold: int = 0
    held: int = 0
    """Tickets in orders that are not paid yet."""
    state: str = "confirmed"


SITUATIONS = {
    "open": Situation(SaleState.OPEN),
    "open at the one price": Situation(SaleState.OPEN, {"price": "9.00"}, None),
    "open until tomorrow": Situation(SaleState.OPEN, {"sale_ends_at": TOMORROW}),
    "has begun": Situation(SaleState.OPEN, {"start_at": NOW - HOUR}),
    "opens tomorrow, by the event": Situation(SaleState.NOT_YET, {"sale_starts_at": TOMORROW}),
    "opens tomorrow, by the type": Situation(SaleState.NOT_YET, kind={"sale_starts_at": TOMORROW}),
    "opens tomorrow, at the one price": Situation(
        SaleState.NOT_YET, {"price": "9.00", "sale_starts_at": TOMORROW}, None
    ),
    "the type opened, the event would open tomorrow": Situation(
        SaleState.OPEN, {"sale_starts_at": TOMORROW}, {"sale_starts_at": YESTERDAY}
    ),
    "ended, by the event": Situation(SaleState.ENDED, {"sale_ends_at": YESTERDAY}),
    "ended, by the type": Situation(SaleState.ENDED, kind={"sale_ends_at": YESTERDAY}),
    "begun and ended": Situation(SaleState.ENDED, {"start_at": NOW - HOUR, "sale_ends_at": YESTERDAY}),
    "ended, and full": Situation(SaleState.ENDED, {"sale_ends_at": YESTERDAY, "capacity": 1}, sold=1),
    "opens tomorrow, and full": Situation(SaleState.NOT_YET, {"sale_starts_at": TOMORROW, "capacity": 1}, sold=1),
    "over": Situation(SaleState.OVER, {"start_at": NOW - DAY}),
    "without a price": Situation(SaleState.NO_TICKETS, kind={"cost": None}),
    "without tickets": Situation(SaleState.NO_TICKETS, kind=None),
    "cancelled": Situation(SaleState.CANCELLED, state="cancelled"),
    "back to a draft": Situation(SaleState.CANCELLED, state="draft"),
    "sold out, by the event": Situation(SaleState.SOLD_OUT, {"capacity": 2}, sold=2),
    "sold out, by the only type of an event without a limit": Situation(
        SaleState.SOLD_OUT, kind={"capacity": 2}, sold=2
    ),
    "held, by the event": Situation(SaleState.HELD, {"capacity": 2}, sold=1, held=1),
    "held, by the type": Situation(SaleState.HELD, kind={"capacity": 2}, sold=1, held=1),
    "held, at the one price": Situation(SaleState.HELD, {"price": "9.00", "capacity": 1}, None, held=1),
}


async def make_event(session: AsyncSession, ada: int, situation: Situation) -> CalendarEntry:
    """Make an event as a situation has it, and a ticket for it in Ada's cart."""
    entry = await make_entry(session, await make_calendar(session), name=NAME, **situation.event)
    kind = None if situation.kind is None else await make_type(session, entry, **{"cost": "9.00", **situation.kind})
    other = (await make_user(session)).id
    for state, count in (("confirmed", situation.sold), ("reserved", situation.held)):
        await make_tickets(session, entry, user_id=other, ticket_type=kind, state=state, quantity=count)
    session.add(Ticket(entry_id=entry.id, ticket_type_id=None if kind is None else kind.id, user_id=ada))
    await session.flush()
    entry.state = situation.state
    await session.commit()
    return entry


async def told_of_event(site: Site, session: AsyncSession, entry: CalendarEntry) -> dict[str, str]:
    """Return what each place tells of an event."""
    path = f"/entries/{entry.id}/"
    page = await site.events.get(path)
    lists = await site.blog.get("/"), await site.events.get("/")
    told = {f"list {number}": told_by_row(LineKind.TICKET, each, ".event", NAME) for number, each in enumerate(lists)}
    told["page"] = state_told(LineKind.TICKET, "text", page.text("#buy")) if page.status == 200 else ABSENT
    told["cart"] = await site.cart_line(LineKind.TICKET)
    total = "0.00" if "£9.00" not in (await site.cart.get("/")).text("#grand-total") else "9.00"
    told["checkout"] = await site.checkout(LineKind.TICKET, total)
    told["form"] = await _told_by_form(site, session, entry)
    return told


async def _told_by_form(site: Site, session: AsyncSession, entry: CalendarEntry) -> str:
    """Press Buy, as somebody does whose page is old, and return what the answer tells of."""
    types = await session.scalars(select(TicketType.id).where(TicketType.entry_id == entry.id))
    body = [("entry_id", str(entry.id)), *[("ticket_type_id", str(each)) for each in types], ("quantity", "1")]
    answer = await site.events.post("/tickets/buy/", body, htmx=True)
    if answer.status == 404:
        return ABSENT
    if answer.status == 200:
        return state_told(LineKind.TICKET, "note", " ".join(answer.texts(".tag")))
    return state_told(LineKind.TICKET, "refusal", answer.text(".error-summary"))


@pytest.mark.parametrize("name", SITUATIONS)
async def test_five_places_tell_the_same_of_an_event(site: Site, session: AsyncSession, name: str) -> None:
    situation = SITUATIONS[name]
    entry = await make_event(session, site.ada, situation)

    told = await told_of_event(site, session, entry)

    gone = situation.told is SaleState.CANCELLED
    listed = ABSENT if gone or situation.told is SaleState.OVER else situation.told
    shown = ABSENT if gone else situation.told
    assert told == {
        "list 0": listed,
        "list 1": listed,
        "page": shown,
        "form": shown,
        "cart": situation.told,
        "checkout": situation.told,
    }


# --- products ---


@dataclass(frozen=True, slots=True)
class Stock:
    """A product of one kind, so many of it, what others have of it, and how it stands."""

    told: SaleState
    stock: int | None = 2
    sold: int = 0
    held: int = 0
    hidden: type[Product | ProductVariant] | None = None


STOCKS = {
    "open": Stock(SaleState.OPEN),
    "open, without a limit": Stock(SaleState.OPEN, stock=None),
    "a hidden product": Stock(SaleState.CANCELLED, hidden=Product),
    "a hidden variant": Stock(SaleState.CANCELLED, hidden=ProductVariant),
    "hidden, and none left": Stock(SaleState.CANCELLED, stock=0, hidden=Product),
    "no stock": Stock(SaleState.SOLD_OUT, stock=0),
    "all sold": Stock(SaleState.SOLD_OUT, sold=2),
    "all held": Stock(SaleState.HELD, held=2),
    "some sold, and the last one held": Stock(SaleState.HELD, sold=1, held=1),
}


async def make_stock(session: AsyncSession, ada: int, stock: Stock) -> None:
    """Make a product as a situation has it, and put one of it into Ada's cart."""
    page_post_id = await make_page(session, slug="barn", title="The Barn", has_market=True)
    product_id = await make_product(
        session, page_post_id, slug="jam", title="Plum jam", price="9.00", stock=stock.stock
    )
    variant_id = await variant_of(session, product_id)
    other = (await make_user(session)).id
    for state, count in (("sold", stock.sold), ("reserved", stock.held)):
        if count:
            order_id = await make_empty_order(session, other)
            session.add(StockAllocation(order_id=order_id, variant_id=variant_id, quantity=count, state=state))
    session.add(CartItem(user_id=ada, variant_id=variant_id, quantity=1, price_seen=9))
    await session.flush()
    if stock.hidden is not None:
        await session.execute(update(stock.hidden).values(published=False))
    await session.commit()


@pytest.mark.parametrize("name", STOCKS)
async def test_five_places_tell_the_same_of_a_product(site: Site, session: AsyncSession, name: str) -> None:
    stock, kind = STOCKS[name], LineKind.PRODUCT
    await make_stock(session, site.ada, stock)
    variant_id = await session.scalar(select(ProductVariant.id))

    page = await site.market.get("/barn/jam/")
    told = {
        "list of the page": told_by_row(kind, await site.blog.get("/barn/"), "aside li", "Plum jam"),
        "shop": told_by_row(kind, await site.market.get("/barn/"), ".card__body", "Plum jam"),
        "page": state_told(kind, "text", page.text("#buy")) if page.status == 200 else ABSENT,
        "cart": await site.cart_line(kind),
        "checkout": await site.checkout(kind, "9.00"),
    }
    form = {"variant_id": str(variant_id), "quantity": "2" if stock.told is SaleState.OPEN else "1"}
    answer = await site.market.post("/barn/jam/add/", form, htmx=True)
    said = " ".join(answer.texts(".error-summary"))
    told["form"] = ABSENT if answer.status == 404 else state_told(kind, "refusal", said)

    shown = ABSENT if stock.told is SaleState.CANCELLED else stock.told
    assert told == {
        "list of the page": shown,
        "shop": shown,
        "page": shown,
        "form": shown,
        "cart": stock.told,
        "checkout": stock.told,
    }


# --- times to book ---


@dataclass(frozen=True, slots=True)
class Time:
    """An hour of tomorrow, in what state others have it (empty: not at all), and how it stands."""

    told: SaleState
    taken: str = ""
    whole_room: bool = True
    passed: bool = False
    rule: bool = True


TIMES = {
    "open": Time(SaleState.OPEN),
    "open, by the place": Time(SaleState.OPEN, whole_room=False),
    "taken": Time(SaleState.SOLD_OUT, "confirmed"),
    "taken, and waiting for approval": Time(SaleState.SOLD_OUT, "provisional"),
    "taken, by the place": Time(SaleState.SOLD_OUT, "confirmed", whole_room=False),
    "held": Time(SaleState.HELD, "ordered"),
    "held, by the place": Time(SaleState.HELD, "ordered", whole_room=False),
    "let go again": Time(SaleState.OPEN, "cancelled"),
    "passed": Time(SaleState.OVER, passed=True),
    "no longer offered": Time(SaleState.ENDED, rule=False),
}


async def make_time(session: AsyncSession, ada: int, time: Time) -> tuple[Calendar, datetime]:
    """Make a calendar with times as a situation has them, and put one into Ada's cart; return when that begins."""
    calendar = await make_calendar(session, slug="hall", whole_room=time.whole_room, time_zone="UTC")
    await make_rule(session, calendar, price="9.00")
    start = TOMORROW.replace(hour=10, minute=0, second=0)
    if time.taken:
        await make_booking(session, calendar, user_id=(await make_user(session)).id, state=time.taken, start_at=start)
    if time.passed:
        start -= 2 * DAY
    mine = {"user_id": ada, "name": "An hour of the hall", "cost": 9, "start_at": start, "end_at": start + HOUR}
    session.add(CalendarEntry(calendar_id=calendar.id, kind="booking", state="pending", **mine))
    await session.flush()
    if not time.rule:
        await session.execute(delete(BookingRule))
    await session.commit()
    return calendar, start


@pytest.mark.parametrize("name", TIMES)
async def test_four_places_tell_the_same_of_a_time(site: Site, session: AsyncSession, name: str) -> None:
    time, kind = TIMES[name], LineKind.BOOKING
    _, start = await make_time(session, site.ada, time)
    path, slot = f"/calendars/hall/book/{start:%Y-%m-%d}/", f"{start:%H:%M} to {start + HOUR:%H:%M}"

    told = {
        "day": told_by_row(kind, await site.events.get(path), ".slots li", slot),
        "cart": await site.cart_line(kind),
        "checkout": await site.checkout(kind, "9.00"),
    }
    if time.taken in ("ordered", "confirmed", "provisional"):
        answer = await site.events.post(path, [("slot", key_of(start, start + HOUR))], htmx=True)
        told["form"] = state_told(kind, "text", answer.text(".error-summary"))

    assert set(told.values()) == {time.told} | ({ABSENT} if told["day"] == ABSENT else set())
    assert (told["day"] == ABSENT) == (time.told in (SaleState.OVER, SaleState.ENDED))


# --- what has begun ---


@pytest.mark.parametrize(("start_at", "begun"), [(NOW - HOUR, True), (TOMORROW, False)])
async def test_an_event_that_has_begun_says_so_until_it_is_paid_for(
    site: Site, session: AsyncSession, start_at: datetime, begun: bool
) -> None:
    entry = await make_event(session, site.ada, Situation(SaleState.OPEN, {"start_at": start_at}))

    page, cart = await site.events.get(f"/entries/{entry.id}/"), await site.cart.get("/")
    assert (await site.cart.post("/checkout/", {"shown_total": "9.00"})).status == 303
    unpaid = await site.cart.get("/")
    order = await site.cart.get(unpaid.attribute("#cart-panel h3 a", "href") or "")

    assert cart.texts("li .tag") == (["This event has begun."] if begun else [])
    said = f"{NAME}: This event has begun."
    places = {
        "event": "This event has begun." in page.text("#buy"),
        "beside the checkout": said in cart.text("aside"),
        "unpaid order in the cart": said in unpaid.text("#cart-panel article"),
        "unpaid order": said in order.text("main"),
    }
    assert set(places.values()) == {begun}, places
