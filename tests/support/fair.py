"""A fair: a few things of every kind, people who buy them as they like, and a provider and a clock that tests move."""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from quart import Quart
from sqlalchemy import Select, func, literal, select, update

from cart.app import create_app
from cart.bp.cart.services.begin import begin_checkout
from cart.orders.buyer import Buyer
from cart.payments.fence import put_back
from cart.payments.settle import settle
from cart.wiring import PAYMENT_CONTEXT
from shared.contracts.dtos import CartSummaryDTO
from shared.contracts.errors import ShopError, TotalChanged
from shared.contracts.owner import CartOwner
from shared.contracts.states import (
    HELD_ENTRY_STATES,
    HELD_STOCK_STATES,
    HELD_TICKET_STATES,
    EntryKind,
    OrderState,
)
from shared.db.uow import unit_of_work
from shared.models import (
    Calendar,
    CalendarEntry,
    Debt,
    Order,
    OrderLine,
    Payment,
    Product,
    ProductVariant,
    Slot,
    StockAllocation,
    Ticket,
)
from shared.services.identity import start_session
from shared.services.wiring import sql_services
from shared.settings import Settings
from shared.web.state import EXTENSION
from tests.fakes.gateway import FakeGateway
from tests.fakes.payments import MovableClock
from tests.support.mixed import Goods, Hall, book, bookings_of, join, make_goods, make_hall, put, quantities_of
from tests.support.shop import Shop, Show
from tests.support.visitor import Visitor

ADA, BOB, GUEST = "ada", "bob", "guest"
PEOPLE = (ADA, BOB, GUEST)
"""Two with an account, and one without, whose cart joins Ada's when they sign in."""
HOLDING = (OrderState.PENDING, OrderState.PAID)
RELEASED = (OrderState.EXPIRED, OrderState.CANCELLED, OrderState.FAILED)
NOON = datetime.now(UTC).replace(hour=12, minute=0, second=0, microsecond=0)

Step = tuple[str, str, int, int]
"""What is done, by whom, which of the things, and how many."""
Held = Counter[int]
"""How much is held, by the page that sells it."""


def make_cart_app(settings: Settings) -> tuple[Quart, FakeGateway, MovableClock]:
    """Return the cart app with a provider in memory, both on one clock."""
    clock = MovableClock(NOON)
    gateway = FakeGateway(clock=clock)
    app = create_app(settings, sql_services(settings, clock), gateway)
    app.extensions[EXTENSION].clock = clock
    return app, gateway, clock


@dataclass(slots=True)
class Fair:
    """What there is, and what people do with it. ``open`` begins anew, on the same database."""

    app: Quart
    shop: Shop
    people: dict[str, Buyer] = field(default_factory=dict)
    browsers: dict[str, Visitor] = field(default_factory=dict)
    goods: list[Goods] = field(default_factory=list)
    halls: list[Hall] = field(default_factory=list)
    shows: list[Show] = field(default_factory=list)
    wanted: dict[str, Counter[int]] = field(default_factory=dict)
    """How many of each variant each person has put in, less what they took out again."""
    is_late: bool = False
    """Whether money came late: then an order may take again what its buyer took out of the cart meanwhile."""

    @classmethod
    def of(cls, app: Quart, gateway: FakeGateway, clock: MovableClock) -> Fair:
        """Return a fair at the context of an app that serves."""
        return cls(app, Shop(app.extensions[PAYMENT_CONTEXT], gateway, clock))

    async def open(self) -> None:
        """Put up few enough of everything that people are in each other's way, and let them in."""
        self.shop.clock.now = NOON
        self.wanted, self.is_late = {name: Counter() for name in PEOPLE}, False
        self.goods = [
            await make_goods(self.shop, stock=5, vat_rate="20"),
            await make_goods(self.shop, price="0.00"),
            await make_goods(self.shop, price="3.35", stock=40),
        ]
        self.halls = [await make_hall(self.shop), await make_hall(self.shop, whole_room=False, places=2)]
        self.shows = [await self.shop.show(capacity=4, type_capacity=3), await self.shop.show(cost="0.00")]
        for name in PEOPLE:
            await self._let_in(name)

    async def _let_in(self, name: str) -> None:
        """Give somebody a browser, and an account unless they are the guest."""
        user_id = None if name == GUEST else await self.shop.shopper()
        async with unit_of_work(self.shop.context.database) as uow:
            made = await start_session(uow.session, user_id=user_id, now=self.shop.clock(), days=30)
            await uow.commit()
        self.people[name] = (
            Buyer.of_user(user_id) if user_id else Buyer(CartOwner.of_session(made.id), email="g@maypole.example")
        )
        auth, client = self.app.extensions[EXTENSION].auth, self.app.test_client()
        client.set_cookie("localhost", auth.cookie_name, auth.dump_token(made.token, app=self.app))
        self.browsers[name] = Visitor(client)

    # --- what people do ---

    async def take(self, step: Step) -> None:
        """Do one thing. What the shop refuses has not happened; a total that it has just shown it never refuses."""
        what, name, which, number = step
        act: Callable[[str, int, int], Awaitable[None]] = getattr(self, what)
        try:
            await act(name, which, number)
        except ShopError as refusal:
            if isinstance(refusal, TotalChanged):
                raise

    async def add_product(self, name: str, which: int, number: int) -> None:
        goods = self.goods[which]
        await put(self.shop, self.people[name], goods, number + 1)
        self.wanted[name][goods.variant_id] += number + 1

    async def set_product(self, name: str, which: int, number: int) -> None:
        goods = self.goods[which]
        before = (await quantities_of(self.shop, self.people[name])).get(goods.variant_id, 0)
        await put(self.shop, self.people[name], goods, number, more=False)
        self.wanted[name][goods.variant_id] += number - before

    async def change_price(self, _name: str, which: int, number: int) -> None:
        """Let a product that is not free cost something else from now on."""
        mine = ProductVariant.id == self.goods[which // 2 * 2].variant_id
        async with unit_of_work(self.shop.context.database) as uow:
            await uow.session.execute(
                update(ProductVariant).where(mine).values(price=Decimal(number) + Decimal("0.05"))
            )
            await uow.commit()

    async def add_booking(self, name: str, which: int, number: int) -> None:
        await book(self.shop, self.people[name], self.halls[which % 2], number % 2)

    async def remove_booking(self, name: str, _which: int, number: int) -> None:
        buyer = self.people[name]
        for entry in (await bookings_of(self.shop, buyer))[number : number + 1]:
            async with unit_of_work(self.shop.context.database) as uow:
                await self.shop.context.services.calendar.remove_pending_booking(
                    uow.session, buyer.owner, entry_id=entry.id
                )
                await uow.commit()

    async def add_tickets(self, name: str, which: int, number: int) -> None:
        """Put tickets in; a guest, who can have none, takes a product."""
        user_id = self.people[name].user_id
        if user_id is None:
            await self.add_product(name, which, number)
        else:
            await self.shop.add(user_id, self.shows[which % 2], number + 1)

    async def set_tickets(self, name: str, which: int, number: int) -> None:
        user_id, show = self.people[name].user_id, self.shows[which % 2]
        if user_id is None:
            return
        async with unit_of_work(self.shop.context.database) as uow:
            await self.shop.context.services.calendar.set_pending_tickets(
                uow.session,
                user_id=user_id,
                entry_id=show.entry_id,
                ticket_type_id=show.type_id,
                quantity=number,
                now=self.shop.clock(),
            )
            await uow.commit()

    async def sign_in(self, _name: str, _which: int, number: int) -> None:
        """Let the guest's cart and unpaid orders join Ada's, but no paid ones; twice is the same as once."""
        paid = await self.ordered(self.people[GUEST], [OrderState.PAID])
        for _ in range(1 + number % 2):
            await join(self.shop, self.people[GUEST], self.people[ADA].user_id or 0)
        stays = Counter({goods.variant_id: paid[goods.page_post_id] for goods in self.goods})
        self.wanted[ADA] += self.wanted[GUEST] - stays
        self.wanted[GUEST] = stays

    async def check_out(self, name: str, _which: int, number: int) -> None:
        """Press the button below the total that is shown: of everything, or (now and then) of one page."""
        page_post_id, shown = None, await self.summary(name)
        if number == 0:
            for page_post_id in self._pages:
                shown = await self.summary(name, page_post_id)
                if shown.badge_count:
                    break
        await begin_checkout(
            self.shop.context, self.people[name], page_post_id=page_post_id, shown_total=shown.grand_total
        )

    async def pay(self, name: str, _which: int, _number: int) -> None:
        """Pay the oldest order that waits for it."""
        for payment in (await self._payments(name, [OrderState.PENDING]))[:1]:
            self.shop.pay(payment)
            await settle(self.shop.context, payment.id)

    async def decline(self, name: str, _which: int, _number: int) -> None:
        """Try to pay the oldest order with a card that is declined: it goes on waiting."""
        for payment in (await self._payments(name, [OrderState.PENDING]))[:1]:
            self.shop.gateway.decline_next()
            self.shop.pay(payment)
            await settle(self.shop.context, payment.id)

    async def give_up(self, name: str, _which: int, _number: int) -> None:
        """Put the oldest order that waits for its payment back into the cart."""
        for payment in (await self._payments(name, [OrderState.PENDING]))[:1]:
            await put_back(self.shop.context, self.people[name], order_id=payment.order_id)

    async def expire(self, _name: str, _which: int, _number: int) -> None:
        """Let the time of every order run out, and the worker see to it."""
        self.shop.clock.forward(minutes=31)
        await self.shop.work(rounds=2)

    async def pay_late(self, name: str, _which: int, _number: int) -> None:
        """Let the money of the newest order that was released arrive after all."""
        for payment in (await self._payments(name, RELEASED))[-1:]:
            self.is_late = True
            self.shop.pay(payment, force=True)
            await settle(self.shop.context, payment.id)

    # --- how it is ---

    async def summary(self, name: str, page_post_id: int | None = None) -> CartSummaryDTO:
        """Return what the badge is told of somebody's cart."""
        buyer = self.people[name]
        async with unit_of_work(self.shop.context.database) as uow:
            return await self.shop.context.services.cart.cart_summary(
                uow.session, buyer.owner, page_post_id=page_post_id
            )

    async def _payments(self, name: str, states: Sequence[OrderState]) -> list[Payment]:
        """Return the payments of somebody's orders in some states, oldest first."""
        mine = select(Payment).join(Payment.order).where(self.people[name].owns(), Order.state.in_(states))
        async with unit_of_work(self.shop.context.database) as uow:
            return list(await uow.session.scalars(mine.order_by(Payment.id)))

    async def sums_of_lines(self, orders: Sequence[Order]) -> dict[int, Decimal]:
        """Return what the lines of some orders add up to, by order."""
        sums = select(OrderLine.order_id, func.sum(OrderLine.unit_price * OrderLine.quantity)).group_by(
            OrderLine.order_id
        )
        async with unit_of_work(self.shop.context.database) as uow:
            rows = await uow.session.execute(sums.where(OrderLine.order_id.in_([order.id for order in orders])))
            return {order_id: total for order_id, total in rows}  # noqa: C416 - dict() of rows loses their types

    async def ordered(self, buyer: Buyer | None = None, states: Sequence[OrderState] = HOLDING) -> Held:
        """Return what is in orders (of one buyer) that wait or are paid, less what is owed back."""
        lines = (
            select(OrderLine.page_post_id, OrderLine.quantity)
            .join(Order, Order.id == OrderLine.order_id)
            .outerjoin(Debt, Debt.order_line_id == OrderLine.id)
            .where(Order.state.in_(states), Debt.id.is_(None))
            .where(OrderLine.page_post_id.in_(self._pages))
        )
        return await self._count(lines if buyer is None else lines.where(buyer.owns()))

    async def counted(self) -> Held:
        """Return how much is held of everything, by the counters that the database guards."""
        return await self._count(
            select(Product.container_id, ProductVariant.held).join(Product, Product.id == ProductVariant.product_id),
            select(Calendar.container_id, Slot.held).join(Calendar, Calendar.id == Slot.calendar_id),
            select(Calendar.container_id, CalendarEntry.held).join(Calendar, Calendar.id == CalendarEntry.calendar_id),
        )

    async def held(self) -> Held:
        """Return how much is held of everything, by the rows that hold it."""
        entry, calendar = CalendarEntry, Calendar
        return await self._count(
            select(Product.container_id, StockAllocation.quantity)
            .join(ProductVariant, ProductVariant.id == StockAllocation.variant_id)
            .join(Product, Product.id == ProductVariant.product_id)
            .where(StockAllocation.state.in_(HELD_STOCK_STATES)),
            select(calendar.container_id, literal(1))
            .join(entry, entry.calendar_id == calendar.id)
            .where(entry.kind == EntryKind.BOOKING, entry.state.in_(HELD_ENTRY_STATES)),
            select(calendar.container_id, literal(1))
            .join(entry, entry.calendar_id == calendar.id)
            .join(Ticket, Ticket.entry_id == entry.id)
            .where(Ticket.state.in_(HELD_TICKET_STATES)),
        )

    @property
    def _pages(self) -> list[int]:
        """The pages of this fair: each sells one thing."""
        return [place.page_post_id for place in (*self.goods, *self.halls, *self.shows)]

    async def _count(self, *statements: Select[Any]) -> Held:
        """Add up by page what statements return."""
        found: Held = Counter()
        async with unit_of_work(self.shop.context.database) as uow:
            for statement in statements:
                for page_post_id, quantity in await uow.session.execute(statement):
                    found[page_post_id] += quantity
        return Counter({page_post_id: found[page_post_id] for page_post_id in self._pages})
