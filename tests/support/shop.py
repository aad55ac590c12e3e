"""The money side without HTTP: a context on a real database, a provider in memory, and a clock that tests move."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal

from sqlalchemy import func, select

from cart.bp.cart.services.begin import begin_checkout
from cart.orders.buyer import Buyer
from cart.payments.settle import settle
from cart.provider.reconcile import reconcile
from cart.wiring import PaymentContext
from shared.db.engine import Database
from shared.db.uow import unit_of_work
from shared.models import CalendarEntry, Debt, JournalEntry, Order, Payment, Refund, Ticket, TicketType
from shared.payments.accounts import OneGateway
from shared.services.identity import ensure_user
from shared.services.wiring import sql_services
from shared.settings import Settings
from tests.factories.calendar import make_calendar, make_entry, make_type
from tests.fakes.gateway import FakeGateway
from tests.fakes.payments import MovableClock


@dataclass(frozen=True, slots=True)
class Show:
    """An event with one type, as ids."""

    entry_id: int
    type_id: int
    cost: Decimal
    page_post_id: int


@dataclass(slots=True)
class Shop:
    """One shop, and what people do in it."""

    context: PaymentContext
    gateway: FakeGateway
    clock: MovableClock
    names: Counter[str] = field(default_factory=Counter)

    # --- what there is ---

    async def show(
        self,
        *,
        capacity: int | None = None,
        type_capacity: int | None = None,
        cost: str = "12.50",
        max_per_order: int = 20,
        max_per_person: int | None = None,
    ) -> Show:
        async with unit_of_work(self.context.database) as uow:
            calendar = await make_calendar(uow.session)
            entry = await make_entry(
                uow.session,
                calendar,
                capacity=capacity,
                max_per_order=max_per_order,
                max_per_person=max_per_person,
                price="99.00",
            )
            made = await make_type(uow.session, entry, cost=cost, capacity=type_capacity)
            await uow.commit()
            return Show(entry.id, made.id, Decimal(cost), calendar.container_id)

    async def shopper(self) -> int:
        self.names["shopper"] += 1
        async with unit_of_work(self.context.database) as uow:
            user = await ensure_user(uow.session, f"shopper{self.names['shopper']}@maypole.example")
            await uow.commit()
        return user.id

    # --- what people do ---

    async def add(self, user_id: int, show: Show, quantity: int = 1) -> None:
        async with unit_of_work(self.context.database) as uow:
            await self.context.services.calendar.add_pending_tickets(
                uow.session,
                user_id=user_id,
                entry_id=show.entry_id,
                choice={show.type_id: quantity},
                now=self.clock(),
            )
            await uow.commit()

    async def check_out(self, user_id: int, total: Decimal | str, page_post_id: int | None = None) -> str:
        return await begin_checkout(
            self.context, Buyer.of_user(user_id), page_post_id=page_post_id, shown_total=Decimal(total)
        )

    async def buy(self, user_id: int, show: Show, quantity: int = 1) -> Payment:
        """Put tickets into the cart and check out; give the payment that waits."""
        await self.add(user_id, show, quantity)
        await self.check_out(user_id, show.cost * quantity)
        return (await self.payments(user_id))[-1]

    def pay(self, payment: Payment, *, force: bool = False) -> None:
        """Pay on the provider's page, and tell nobody."""
        assert payment.checkout_id is not None
        self.gateway.pay(payment.checkout_id, force=force)

    async def buy_and_pay(self, user_id: int, show: Show, quantity: int = 1) -> Payment:
        payment = await self.buy(user_id, show, quantity)
        self.pay(payment)
        await settle(self.context, payment.id)
        return payment

    async def work(self, rounds: int = 1) -> None:
        """Let the reconciler look at everything that is due."""
        for _ in range(rounds):
            await reconcile(self.context)

    # --- how it is ---

    async def payments(self, user_id: int) -> list[Payment]:
        async with unit_of_work(self.context.database) as uow:
            statement = select(Payment).join(Payment.order).where(Order.user_id == user_id).order_by(Payment.id)
            return list(await uow.session.scalars(statement))

    async def orders(self, user_id: int) -> list[Order]:
        async with unit_of_work(self.context.database) as uow:
            return list(await uow.session.scalars(select(Order).where(Order.user_id == user_id).order_by(Order.id)))

    async def tickets(self, user_id: int) -> list[str]:
        async with unit_of_work(self.context.database) as uow:
            statement = select(Ticket.state).where(Ticket.user_id == user_id).order_by(Ticket.id)
            return list(await uow.session.scalars(statement))

    async def debts(self) -> list[Debt]:
        async with unit_of_work(self.context.database) as uow:
            return list(await uow.session.scalars(select(Debt).order_by(Debt.id)))

    async def refunds(self) -> list[Refund]:
        async with unit_of_work(self.context.database) as uow:
            return list(await uow.session.scalars(select(Refund).order_by(Refund.id)))

    async def held(self, show: Show) -> tuple[int, int, int]:
        """Give the entry's counter, the type's counter, and the number of tickets that hold a seat."""
        async with unit_of_work(self.context.database) as uow:
            entry = await uow.session.get_one(CalendarEntry, show.entry_id)
            kind = await uow.session.get_one(TicketType, show.type_id)
            rows = await uow.session.scalar(
                select(func.count())
                .select_from(Ticket)
                .where(Ticket.entry_id == show.entry_id, Ticket.state.in_(("reserved", "confirmed", "checked_in")))
            )
            return entry.held, kind.held, rows or 0

    async def journal(self, thing: str) -> list[str]:
        async with unit_of_work(self.context.database) as uow:
            statement = select(JournalEntry.event).where(JournalEntry.thing == thing).order_by(JournalEntry.id)
            return list(await uow.session.scalars(statement))


def open_shop(database: Database, settings: Settings) -> Shop:
    """Give a shop on a database."""
    clock = MovableClock(datetime.now(UTC))
    gateway = FakeGateway(clock=clock)
    context = PaymentContext(database, OneGateway(gateway), sql_services(settings, clock), settings, clock)
    return Shop(context, gateway, clock)
