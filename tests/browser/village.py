"""A farm with an account of its own, and a hall: products, hours to book, and tickets of two pages, for one test."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import count

from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncSession

from sandbox.merchants import sandbox_accounts
from shared.contracts.paths import book_day_path, product_path
from shared.db.uow import unit_of_work
from shared.models import Calendar, PaymentAccount, ProductVariant
from tests.browser.shop import Show
from tests.factories.accounts import make_account
from tests.factories.blog import make_page
from tests.factories.calendar import days_from_now, make_calendar, make_entry, make_rule, make_type
from tests.factories.market import make_product, make_variant
from tests.support.site import Site

FARM_ACCOUNT = "MFARM"
ADULT, HOUR, SMALL, LARGE = Decimal("12.50"), Decimal("18.00"), Decimal("9.00"), Decimal("14.00")
BOXES = 3
"""How many large boxes there are."""
_numbers = count(1)


@dataclass(frozen=True, slots=True)
class Box:
    """A product in two sizes."""

    title: str
    path: str
    large_id: int
    large_price: Decimal


@dataclass(frozen=True, slots=True)
class Hours:
    """A hall that can be booked by the hour, from nine to twelve."""

    calendar: str
    slug: str
    day: datetime

    @property
    def path(self) -> str:
        """Where its hours of one day are."""
        return book_day_path(self.slug, self.day.date())


@dataclass(frozen=True, slots=True)
class Village:
    """What there is, and whose."""

    farm: str
    hall: str
    box: Box
    hours: Hours
    tasting: Show
    concert: Show


async def make_village(site: Site) -> Village:
    """Open a farm and a hall of this test's own."""
    number = next(_numbers)
    async with unit_of_work(site.database) as uow:
        await _make_farm_account(uow.session, site)
        farm_id = await _make_farm(uow.session, number)
        hall_id = await make_page(
            uow.session, slug=f"village-hall-{number}", title=f"Village Hall {number}", has_calendar=True
        )
        fields = await make_calendar(uow.session, name=f"On the farm {number}", container_id=farm_id)
        rooms = await make_calendar(
            uow.session, name=f"Great room {number}", slug=f"great-room-{number}", container_id=hall_id, whole_room=True
        )
        await make_rule(uow.session, rooms, from_time="09:00", to_time="12:00", price=str(HOUR))
        made = Village(
            farm=f"Farm {number}",
            hall=f"Village Hall {number}",
            box=await _make_box(uow.session, farm_id, number),
            hours=Hours(rooms.name, rooms.slug, days_from_now(3)),
            tasting=await _make_show(uow.session, fields, f"Cider tasting {number}", f"farm-{number}"),
            concert=await _make_show(uow.session, rooms, f"Brass band {number}", f"village-hall-{number}"),
        )
        await uow.commit()
    return made


async def raise_price(site: Site, box: Box, price: Decimal) -> None:
    """Let the large box cost something else from now on."""
    async with unit_of_work(site.database) as uow:
        await uow.session.execute(update(ProductVariant).where(ProductVariant.id == box.large_id).values(price=price))
        await uow.commit()


async def _make_farm_account(session: AsyncSession, site: Site) -> None:
    """Keep the farms' account at the provider, once for all tests."""
    if await session.get(PaymentAccount, FARM_ACCOUNT) is None:
        known = sandbox_accounts(site.settings)[FARM_ACCOUNT]
        await make_account(session, merchant_code=known.code, api_key=known.api_key.get_secret_value())


async def _make_farm(session: AsyncSession, number: int) -> int:
    return await make_page(
        session,
        slug=f"farm-{number}",
        title=f"Farm {number}",
        has_market=True,
        has_calendar=True,
        seller_name="Hollin Bank Farm",
        seller_address="Moor Road\nWellowby",
        terms="You buy from the farm.",
        refund_policy="Tell us within two days, and you get your money back.",
        collection_place="The apple store",
        collection_times="Saturdays, 8 to 4.",
        sumup_merchant_code=FARM_ACCOUNT,
    )


async def _make_box(session: AsyncSession, page_post_id: int, number: int) -> Box:
    slug, title = f"veg-box-{number}", f"Veg box {number}"
    product_id = await make_product(
        session, page_post_id, slug=slug, title=title, unit="a box", price=None, vat_rate="20"
    )
    await make_variant(session, product_id, size="Small", price=str(SMALL))
    large_id = await make_variant(session, product_id, size="Large", price=str(LARGE), stock=BOXES, position=1)
    return Box(title, product_path(f"farm-{number}", slug), large_id, LARGE)


async def _make_show(session: AsyncSession, calendar: Calendar, name: str, page_slug: str) -> Show:
    entry = await make_entry(session, calendar, name=name, start_at=days_from_now(7) + timedelta(days=1))
    await make_type(session, entry, "Adult", str(ADULT))
    return Show(entry.id, name, page_slug, calendar.id, {"Adult": ADULT})
