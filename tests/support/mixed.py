"""A cart of everything: products, hours of a hall and tickets, of a user or of a guest, on the shop of ``tests.support.shop``."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import count

from sqlalchemy import func, select

from cart.bp.cart.services.begin import begin_checkout
from cart.orders.buyer import Buyer
from shared.contracts.dtos import CartItemDTO, CartSummaryDTO, EntryDTO
from shared.contracts.owner import CartOwner
from shared.db.uow import unit_of_work
from shared.models import CalendarEntry, Order, OrderLine, Payment, ProductVariant, Slot, StockAllocation
from shared.services.blog_impl import SqlBlogService
from shared.services.identity import start_session
from tests.factories.blog import make_page
from tests.factories.calendar import make_calendar, make_rule
from tests.factories.market import make_product, variant_of
from tests.support.shop import Shop

_guests = count(1)


@dataclass(frozen=True, slots=True)
class Goods:
    """A product of one kind, as ids."""

    variant_id: int
    product_id: int
    price: Decimal
    page_post_id: int


@dataclass(frozen=True, slots=True)
class Hall:
    """A calendar that can be booked by the hour, as ids."""

    calendar_id: int
    page_post_id: int
    price: Decimal
    opened: datetime

    def hour(self, now: datetime, number: int = 0) -> tuple[datetime, datetime]:
        """Give one of its hours, two days from now: the same ones for a whole day from its opening on.

        Midnight does not change them, so that a test may wait half an hour at any time of the day.
        """
        day = self.opened + timedelta(days=2 + (now - self.opened).days)
        start = day.replace(hour=9, minute=0, second=0, microsecond=0) + timedelta(hours=number)
        return start, start + timedelta(hours=1)


async def make_goods(
    shop: Shop, *, price: str = "4.50", stock: int | None = None, vat_rate: str = "0", page_post_id: int | None = None
) -> Goods:
    """Put a product on a page's shelves."""
    async with unit_of_work(shop.context.database) as uow:
        page = page_post_id or await make_page(uow.session, has_market=True)
        product_id = await make_product(uow.session, page, price=price, stock=stock, vat_rate=vat_rate)
        variant_id = await variant_of(uow.session, product_id)
        await uow.commit()
    return Goods(variant_id, product_id, Decimal(price), page)


async def let_ask(shop: Shop, page_post_id: int, email: str) -> None:
    """Let a page say where buyers may write to."""
    async with unit_of_work(shop.context.database) as uow:
        await SqlBlogService().configure_page(
            uow.session, page_post_id, seller_email=email, has_calendar=True, has_market=True
        )
        await uow.commit()


async def make_hall(
    shop: Shop, *, price: str = "8.00", whole_room: bool = True, needs_approval: bool = False, places: int = 1
) -> Hall:
    """Let a calendar be booked by the hour, round the clock."""
    async with unit_of_work(shop.context.database) as uow:
        calendar = await make_calendar(uow.session, whole_room=whole_room, needs_approval=needs_approval)
        await make_rule(uow.session, calendar, price=price, places=places)
        await uow.commit()
        return Hall(calendar.id, calendar.container_id, Decimal(price), shop.clock())


async def make_guest(shop: Shop) -> Buyer:
    """Let somebody without an account in."""
    number = next(_guests)
    async with unit_of_work(shop.context.database) as uow:
        made = await start_session(uow.session, user_id=None, now=shop.clock(), days=30)
        await uow.commit()
    return Buyer(CartOwner.of_session(made.id), email=f"guest{number}@maypole.example")


async def put(shop: Shop, buyer: Buyer, goods: Goods, quantity: int = 1, *, more: bool = True) -> None:
    """Put products into somebody's cart."""
    async with unit_of_work(shop.context.database) as uow:
        await shop.context.services.cart.change_item(
            uow.session,
            buyer.owner,
            variant_id=goods.variant_id,
            quantity=quantity,
            more=more,
        )
        await uow.commit()


async def book(shop: Shop, buyer: Buyer, hall: Hall, number: int = 0) -> None:
    """Put an hour of a hall into somebody's cart."""
    async with unit_of_work(shop.context.database) as uow:
        await shop.context.services.calendar.add_pending_bookings(
            uow.session,
            buyer.owner,
            calendar_id=hall.calendar_id,
            wish={hall.hour(shop.clock(), number): 1},
        )
        await uow.commit()


async def check_out(shop: Shop, buyer: Buyer, total: Decimal | str, page_post_id: int | None = None) -> str:
    """Press the button."""
    return await begin_checkout(shop.context, buyer, page_post_id=page_post_id, shown_total=Decimal(total))


async def join(shop: Shop, guest: Buyer, user_id: int) -> None:
    """Let a guest's cart join an account, as signing in does."""
    session_id = guest.owner.session_id
    assert session_id is not None
    async with unit_of_work(shop.context.database) as uow:
        await shop.context.services.cart.join_cart(uow.session, session_id=session_id, user_id=user_id)
        await uow.commit()


# --- how it is ---


async def items_of(shop: Shop, buyer: Buyer) -> list[CartItemDTO]:
    """Return the product lines of somebody's cart."""
    async with unit_of_work(shop.context.database) as uow:
        return await shop.context.services.cart.cart_items(uow.session, buyer.owner)


async def quantities_of(shop: Shop, buyer: Buyer) -> dict[int, int]:
    """Return how many of each variant somebody's cart holds."""
    return {item.variant_id: item.quantity for item in await items_of(shop, buyer)}


async def bookings_of(shop: Shop, buyer: Buyer) -> list[EntryDTO]:
    """Return the bookings in somebody's cart."""
    async with unit_of_work(shop.context.database) as uow:
        return await shop.context.services.calendar.pending_entries(uow.session, buyer.owner)


async def summary_of(shop: Shop, buyer: Buyer) -> CartSummaryDTO:
    """Return what the badge says of somebody's cart."""
    async with unit_of_work(shop.context.database) as uow:
        return await shop.context.services.cart.cart_summary(uow.session, buyer.owner)


async def orders_of(shop: Shop, buyer: Buyer) -> list[Order]:
    """Return somebody's orders, oldest first."""
    async with unit_of_work(shop.context.database) as uow:
        return list(await uow.session.scalars(select(Order).where(buyer.owns()).order_by(Order.id)))


async def payment_of(shop: Shop, buyer: Buyer) -> Payment:
    """Return the newest payment of somebody's."""
    async with unit_of_work(shop.context.database) as uow:
        newest = select(Payment).join(Payment.order).where(buyer.owns()).order_by(Payment.id.desc()).limit(1)
        return (await uow.session.scalars(newest)).one()


async def lines_of(shop: Shop, order_id: int) -> list[OrderLine]:
    """Return an order's lines."""
    async with unit_of_work(shop.context.database) as uow:
        statement = select(OrderLine).where(OrderLine.order_id == order_id).order_by(OrderLine.id)
        return list(await uow.session.scalars(statement))


async def stock_of(shop: Shop, goods: Goods) -> tuple[int, int]:
    """Return a variant's counter, and what is really allocated of it."""
    async with unit_of_work(shop.context.database) as uow:
        variant = await uow.session.get_one(ProductVariant, goods.variant_id)
        allocated = await uow.session.scalar(
            select(func.coalesce(func.sum(StockAllocation.quantity), 0)).where(
                StockAllocation.variant_id == goods.variant_id, StockAllocation.state.in_(("reserved", "sold"))
            )
        )
        return variant.held, int(allocated or 0)


async def allocations_of(shop: Shop, goods: Goods) -> list[str]:
    """Return the states of what was ever allocated of a variant, oldest first."""
    async with unit_of_work(shop.context.database) as uow:
        statement = select(StockAllocation.state).where(StockAllocation.variant_id == goods.variant_id)
        return list(await uow.session.scalars(statement.order_by(StockAllocation.id)))


async def entries_of(shop: Shop, hall: Hall) -> list[str]:
    """Return the states of a hall's bookings, oldest first."""
    async with unit_of_work(shop.context.database) as uow:
        statement = select(CalendarEntry.state).where(CalendarEntry.calendar_id == hall.calendar_id)
        return list(await uow.session.scalars(statement.order_by(CalendarEntry.id)))


async def slots_held(shop: Shop, hall: Hall) -> int:
    """Return how many places of a hall's slots are held, by their counters."""
    async with unit_of_work(shop.context.database) as uow:
        statement = select(func.coalesce(func.sum(Slot.held), 0)).where(Slot.calendar_id == hall.calendar_id)
        return int(await uow.session.scalar(statement) or 0)
