"""A bazaar: two shoppers, a guest, an admin, a worker and a provider, and very little of everything that they want.

Each method is one thing that somebody does, is refused, or that happens to them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from enum import StrEnum
from typing import TypeVar
from uuid import uuid4

from sqlalchemy import select, text, update

from cart.bp.bookings.services import decide_booking
from cart.bp.reviews.services.decide import accept_payment, refund_payment, settle_payment_elsewhere
from cart.orders.buyer import Buyer
from cart.orders.cancel import cancel_lines
from cart.orders.mails import write_order_mails
from cart.payments.attempts import lock_buyer_and_order
from cart.payments.create_checkout import TRIES
from cart.payments.fence import put_back
from cart.payments.notices import store_notice
from cart.payments.resume import continue_payment
from cart.payments.settle import record_status, settle
from cart.provider.accounts import reconcile_all
from cart.provider.reconcile import look_at_payment, reconcile
from cart.refunds.by_hand import settle_by_hand
from cart.refunds.refund import refund_debt
from cart.refunds.refund_lines import Decision, refund_lines
from cart.refunds.refundable import Wish as Wanted
from cart.refunds.refundable import find_refundable, shares_of
from cart.wiring import PaymentContext
from cart.worker import sweep_carts
from shared.audit.check import Check
from shared.audit.run import CHECKS
from shared.contracts.access import EVERYWHERE
from shared.contracts.dtos import CheckoutStatus, MovementStatus
from shared.contracts.errors import RateLimited, ShopError
from shared.db.engine import Database
from shared.db.uow import unit_of_work
from shared.models import CalendarEntry, Debt, Order, OrderLine, Payment, ProductVariant, ProviderFinding, Refund
from shared.payments.accounts import OneGateway
from shared.services.identity import forget_empty_carts, forget_expired
from shared.services.journal import user_actor
from shared.settings import Settings
from tests.fakes.gateway_trouble import Race
from tests.fakes.nasty import Killed, NastyGateway
from tests.support.mixed import Goods, Hall, book, check_out, join, make_goods, make_guest, make_hall, put, summary_of
from tests.support.shop import Shop, Show, open_shop

Thing = TypeVar("Thing")

ALWAYS = tuple(check for check in CHECKS if not check.is_lasting)
"""What holds at any moment."""
IN_THE_END = tuple(check for check in CHECKS if check.name != "mails are sent")
"""What holds once everything has had its time; no mail leaves a bazaar."""
SEATS, JARS = 3, 3
GUEST = 2


class Paying(StrEnum):
    """How somebody pays on the provider's page."""

    IN_TIME = "in time"
    TOO_LATE = "too late"
    DECLINED = "declined"
    ANOTHER_AMOUNT = "another amount"
    TWICE = "twice, or once more"


class Verdict(StrEnum):
    """What an admin decides on a payment that is not what was asked for."""

    ACCEPTED = "accepted"
    REFUNDED = "refunded"
    SETTLED_ELSEWHERE = "settled elsewhere"


class RefundWish(StrEnum):
    """What an admin refunds of an order."""

    A_LINE = "a line"
    A_LINE_CANCELLED = "a line, and takes back what it gave"
    ALL = "all lines"
    AN_AMOUNT = "an amount"


class Trouble(StrEnum):
    """What becomes of a call to the provider."""

    ANSWER_LOST = "made, and the answer is lost"
    REQUEST_LOST = "lost on its way"
    REFUSED = "refused for now"
    STALE = "answered by what was before"
    KILLED_BEFORE = "the caller is killed before it"
    KILLED_AFTER = "the caller is killed after it"


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody wants: tickets of the show, jars of jam, an hour of the hall."""

    tickets: int = 0
    jars: int = 0
    hour: int | None = None


async def empty(owner: Database) -> None:
    """Empty all tables but those that the migrations fill."""
    async with owner.engine.begin() as connection:
        tables = await connection.scalars(
            text(
                "SELECT string_agg(quote_ident(tablename), ', ') FROM pg_tables WHERE schemaname = 'public'"
                " AND tablename NOT IN ('alembic_version', 'allowed_transitions')"
            )
        )
        await connection.execute(text(f"TRUNCATE {tables.one()} RESTART IDENTITY CASCADE"))


async def open_bazaar(database: Database, settings: Settings) -> Bazaar:
    """Open one on an empty database."""
    opened = open_shop(database, settings)
    gateway = NastyGateway(clock=opened.clock)
    gateway.heal()
    shop = replace(opened, gateway=gateway, context=replace(opened.context, gateways=OneGateway(gateway)))
    users = [Buyer.of_user(await shop.shopper()) for _ in range(2)]
    return Bazaar(
        shop=shop,
        gateway=gateway,
        buyers=[*users, await make_guest(shop)],
        admin=await shop.shopper(),
        show=await shop.show(capacity=SEATS),
        goods=await make_goods(shop, stock=JARS),
        hall=await make_hall(shop, needs_approval=True),
    )


@dataclass(slots=True)
class Bazaar:
    """What there is, and everybody in it."""

    shop: Shop
    gateway: NastyGateway
    buyers: list[Buyer]
    admin: int
    show: Show
    goods: Goods
    hall: Hall
    refused: int = 0
    elsewhere: Counter[str] = field(default_factory=Counter)
    """What has moved at the provider without us, by transaction."""

    @property
    def context(self) -> PaymentContext:
        """What the use cases take."""
        return self.shop.context

    async def attempt(self, doing: Awaitable[object]) -> None:
        """Let somebody try something: they may be refused, or the process may be killed meanwhile."""
        try:
            await doing
        except (ShopError, Killed):
            self.refused += 1

    # --- shoppers ---

    async def fill(self, who: int, wish: Wish) -> None:
        """Put things into a cart; a guest has to do without tickets."""
        buyer = self.buyers[who]
        if wish.tickets and buyer.user_id is not None:
            await self.attempt(self.shop.add(buyer.user_id, self.show, wish.tickets))
        if wish.jars:
            await self.attempt(put(self.shop, buyer, self.goods, wish.jars))
        if wish.hour is not None:
            await self.attempt(book(self.shop, buyer, self.hall, wish.hour))

    async def empty_cart(self, who: int) -> None:
        """Take everything out of a cart."""
        buyer, services = self.buyers[who], self.context.services
        owner = buyer.owner
        await self.attempt(put(self.shop, buyer, self.goods, 0, more=False))
        async with unit_of_work(self.context.database) as uow:
            for entry in await services.calendar.pending_entries(uow.session, owner):
                await services.calendar.remove_pending_booking(uow.session, owner, entry_id=entry.id)
            if buyer.user_id is not None:
                await services.calendar.set_pending_tickets(
                    uow.session,
                    user_id=buyer.user_id,
                    entry_id=self.show.entry_id,
                    ticket_type_id=self.show.type_id,
                    quantity=0,
                    now=self.shop.clock(),
                )
            await uow.commit()

    async def check_out(self, who: int) -> None:
        buyer = self.buyers[who]
        total = (await summary_of(self.shop, buyer)).grand_total
        await self.attempt(check_out(self.shop, buyer, total))

    async def go_on(self, which: int) -> None:
        """Press "pay" of an order once more."""
        for order, buyer in await self._an_order(which):
            await self.attempt(continue_payment(self.context, buyer, order_id=order.id))

    async def put_back(self, which: int) -> None:
        for order, buyer in await self._an_order(which):
            await self.attempt(put_back(self.context, buyer, order_id=order.id))

    async def sign_in(self, who: int) -> None:
        """Let the guest become one of the users; another guest comes in."""
        user_id = self.buyers[who].user_id
        assert user_id is not None
        await self.attempt(join(self.shop, self.buyers[GUEST], user_id))
        self.buyers[GUEST] = await make_guest(self.shop)

    # --- the provider's page, its answers and its calls ---

    def pay(self, which: int, how: Paying) -> None:
        """Pay at the provider, or try to, and tell nobody."""
        for checkout in pick(self.gateway.checkouts(), which):
            if checkout.status == "expired" and how is not Paying.TOO_LATE:
                return
            if checkout.status == "paid" and how is not Paying.TWICE:
                return
            if how is Paying.DECLINED:
                self.gateway.decline_next()
            amount = checkout.amount + 1 if how is Paying.ANOTHER_AMOUNT else None
            self.gateway.pay(checkout.id, amount=amount, force=True)
            if how is Paying.TWICE and checkout.status != "paid":
                self.gateway.pay(checkout.id, force=True)

    async def come_back(self, which: int) -> None:
        """Come back from the provider's page."""
        for payment in pick(await self.payments(), which):
            await self.attempt(settle(self.context, payment.id))

    async def call(self, which: int, times: int) -> None:
        """Let the provider's webhook come, once or more, and the worker look."""
        for payment in pick(await self.payments(), which):
            async with unit_of_work(self.context.database) as uow:
                for _ in range(times):
                    await store_notice(uow.session, payment_id=payment.id, event_type="CHECKOUT_STATUS_CHANGED")
                await uow.commit()
            for _ in range(times):
                await self.attempt(look_at_payment(self.context, payment.id))

    async def die_after_recording(self, which: int) -> None:
        """Settle a payment, and be killed between the two commits."""
        checkouts = {checkout.id: checkout for checkout in self.gateway.checkouts()}
        for payment in pick(await self.payments(), which):
            if payment.checkout_id in checkouts:
                await self.attempt(record_status(self.context, payment.id, checkouts[payment.checkout_id]))

    def make_trouble(self, trouble: Trouble, operation: str) -> None:
        """Let something go wrong with the next call of this operation; where it is repeated at once, with every try."""
        tries = TRIES if operation == "create" else 1
        match trouble:
            case Trouble.ANSWER_LOST:
                self.gateway.drop_next_answer(operation, tries)
            case Trouble.REQUEST_LOST:
                self.gateway.drop_next_request(operation, tries)
            case Trouble.REFUSED:
                self.gateway.fail_next(RateLimited(), operation)
            case Trouble.STALE:
                self.gateway.stale_next(operation)
            case Trouble.KILLED_BEFORE:
                self.gateway.fail_next(Killed(operation), operation)
            case Trouble.KILLED_AFTER:
                self.gateway.kill_next(operation)

    def race(self, which: int, order: Race) -> None:
        """Let a payment meet the next attempt to deactivate its checkout."""
        for checkout in pick(self.gateway.checkouts(), which):
            if checkout.status in (CheckoutStatus.PENDING, CheckoutStatus.FAILED):
                self.gateway.race(checkout.id, order)

    def move_elsewhere(self, which: int, *, chargeback: bool, whole: bool) -> None:
        """Let somebody refund in the provider's dashboard, or the buyer's bank take money back."""
        for transaction in pick(self.gateway.transactions(), which):
            left = transaction.amount - transaction.refunded - transaction.charged_back
            amount = left if whole else min(left, Decimal(1))
            if not amount:
                return
            self.elsewhere[transaction.id] += amount
            if chargeback:
                self.gateway.charge_back(transaction.id, amount)
            else:
                self.gateway.refund_by_hand(transaction.id, amount)

    def decide_refunds(self, status: MovementStatus) -> None:
        """Let refunds that are under way come to an end."""
        for transaction in self.gateway.transactions():
            if transaction.refunds and transaction.refunds[-1].status is MovementStatus.UNDER_WAY:
                self.gateway.settle_refund(transaction.id, status)

    # --- admins, the worker and the time ---

    async def refund(self, which: int) -> None:
        for debt in pick(await self.debts(), which):
            await self.attempt(refund_debt(self.context, debt_id=debt.id, actor_user_id=self.admin))

    async def refund_lines(self, which: int, wish: RefundWish) -> None:
        """Give an order's first line, all of its lines, or an amount back, as an admin decides."""
        for order, _ in await self._an_order(which):
            await self.attempt(self._refund_lines(order.id, wish))

    async def _refund_lines(self, order_id: int, wish: RefundWish) -> None:
        async with unit_of_work(self.context.database) as uow:
            refundable = await find_refundable(uow.session, EVERYWHERE, order_id)
        left = [line.id for line in refundable.lines if line.left]
        lines = {RefundWish.A_LINE: left[:1], RefundWish.A_LINE_CANCELLED: left[:1], RefundWish.ALL: left}
        chosen = frozenset(lines.get(wish, []))
        amount = None if chosen else min(Decimal("1.50"), refundable.left)
        wanted = Wanted(chosen, amount, cancel=wish is RefundWish.A_LINE_CANCELLED)
        shown = sum((share.amount for share in shares_of(refundable, wanted)), Decimal(0))
        await refund_lines(self.context, order_id, Decision(wanted, uuid4(), shown, self.admin), EVERYWHERE)

    async def settle_by_hand(self, which: int) -> None:
        for debt in pick(await self.debts("owed"), which):
            said = {"note": "bank transfer", "actor_user_id": self.admin, "scope": EVERYWHERE}
            await self.attempt(settle_by_hand(self.context, debt_id=debt.id, **said))

    async def review(self, which: int, verdict: Verdict) -> None:
        """Decide on a payment that is not what was asked for."""
        for payment in pick([each for each in await self.payments() if each.state == "review"], which):
            said = {"actor_user_id": self.admin, "scope": EVERYWHERE}
            shown = Decimal((payment.answer or {})["amount"])
            match verdict:
                case Verdict.ACCEPTED:
                    await self.attempt(accept_payment(self.context, payment.id, shown=shown, **said))
                case Verdict.REFUNDED:
                    await self.attempt(refund_payment(self.context, payment.id, shown=shown, **said))
                case Verdict.SETTLED_ELSEWHERE:
                    await self.attempt(settle_payment_elsewhere(self.context, payment.id, note="in cash", **said))

    async def cancel(self, which: int) -> None:
        """Cancel an order's first line, and keep its money."""
        for order, _ in await self._an_order(which):
            await self.attempt(self._cancel(order.id))

    async def _cancel(self, order_id: int) -> None:
        async with unit_of_work(self.context.database) as uow:
            order = await lock_buyer_and_order(uow.session, Order.id == order_id)
            line = select(OrderLine.id).where(OrderLine.order_id == order_id).order_by(OrderLine.id).limit(1)
            lines = list(await uow.session.scalars(line))
            await cancel_lines(uow.session, self.context, order, lines, actor=user_actor(self.admin))
            await uow.commit()

    async def walk(self) -> None:
        """Reconcile the provider's record, as the worker does by night."""
        await self.attempt(reconcile_all(self.context))

    async def decide(self, which: int, *, approved: bool) -> None:
        async with unit_of_work(self.context.database) as uow:
            waiting = select(CalendarEntry.id).where(CalendarEntry.state == "provisional").order_by(CalendarEntry.id)
            ids = list(await uow.session.scalars(waiting))
        for entry_id in pick(ids, which):
            await self.attempt(
                decide_booking(self.context, entry_id=entry_id, approved=approved, actor_user_id=self.admin)
            )

    async def bring_more(self) -> None:
        """Let there be two more seats, and two more jars."""
        async with unit_of_work(self.context.database) as uow:
            show, jar = CalendarEntry.id == self.show.entry_id, ProductVariant.id == self.goods.variant_id
            await uow.session.execute(update(CalendarEntry).where(show).values(capacity=CalendarEntry.capacity + 2))
            await uow.session.execute(update(ProductVariant).where(jar).values(stock=ProductVariant.stock + 2))
            await uow.commit()

    async def work(self) -> None:
        """Let the worker make its rounds."""
        await self.attempt(reconcile(self.context))
        async with unit_of_work(self.context.database) as uow:
            refunds_due = select(Order.id).where(Order.paid_at.is_not(None), Order.mail_queued_at.is_(None))
            order_ids = list(await uow.session.scalars(refunds_due))
        for order_id in order_ids:
            await write_order_mails(self.context, order_id)
        await sweep_carts(self.context)

    async def forget(self) -> None:
        """Forget the sessions that have run out; another guest comes in."""
        async with unit_of_work(self.context.database) as uow:
            await forget_expired(uow.session, now=self.shop.clock())
            await forget_empty_carts(uow.session)
            await uow.commit()
        self.buyers[GUEST] = await make_guest(self.shop)

    def wait(self, minutes: float) -> None:
        self.shop.clock.forward(minutes=minutes)

    # --- the end ---

    async def come_to_an_end(self) -> None:
        """Let the network heal, the provider make up its mind, time pass, and its record be reconciled."""
        self.gateway.heal()
        self.decide_refunds(MovementStatus.DONE)
        for minutes in (1, 5, 10, 15, 35, 5, 5, 60):
            self.wait(minutes)
            await self.work()
        await self.walk()
        for debt in await self.debts("owed"):
            await self.attempt(refund_debt(self.context, debt_id=debt.id, actor_user_id=self.admin))
        self.wait(120)
        await self.walk()
        await self.work()

    # --- how it is ---

    async def wrong(self, checks: Sequence[Check] = ALWAYS) -> list[str]:
        """Make checks of the audit, all in one query, and return what they find."""
        found = " UNION ALL ".join(
            f"SELECT '{each.name}: {each.thing} ' || w.id FROM ({each.wrong}) w" for each in checks
        )
        used = {"now": self.shop.clock()} if ":now" in found else {}
        async with unit_of_work(self.context.database) as uow:
            return sorted(await uow.session.scalars(text(found), used))

    async def refunded_so_far_too_much(self) -> list[str]:
        """Return the transactions of which the provider has refunded more than is owed here."""
        owed = {payment.transaction_id: payment.owed for payment in await self.payments()}
        return [
            each.code
            for each in self.gateway.transactions()
            if each.refunded > owed.get(each.id, Decimal(0)) + self.elsewhere[each.id]
        ]

    async def payable_though_released(self, *closed: str) -> list[str]:
        """Return the checkouts that can still be paid, though their payment is closed and its order was released."""
        states = {payment.checkout_reference: payment.state for payment in await self.payments()}
        still_open = (CheckoutStatus.PENDING, CheckoutStatus.FAILED)
        return [
            f"checkout {each.reference}"
            for each in self.gateway.checkouts()
            if each.status in still_open and states[each.reference] in closed
        ]

    async def left_open(self) -> list[str]:
        """Return what is not settled in the end, though nothing stands in its way."""
        states = {payment.order_id: payment.state for payment in await self.payments()}
        orders = [f"order {o.id}" for o in await self.orders() if o.state == "pending" and states[o.id] != "review"]
        open_states = ("created", "open", "closing", "unknown")
        payments = [f"payment {p.id} {p.state}" for p in await self.payments() if p.state in open_states]
        unfulfilled = [f"payment {p.id}" for p in await self.payments() if p.state == "paid" and not p.fulfilled_at]
        moved = {p.id for p in await self.payments() if self.elsewhere[p.transaction_id or ""]}
        debts = [f"debt {debt.id}" for debt in await self.debts("owed") if debt.payment_id not in moved]
        return [
            *orders,
            *payments,
            *unfulfilled,
            *debts,
            *await self._lost_money(),
            *await self.payable_though_released("expired", "cancelled"),
        ]

    async def _lost_money(self) -> list[str]:
        """Return what was paid at the provider and is neither paid here nor waiting for a person.

        What is only a finding is lost, too, unless it is another sum than its order costs.
        """
        payments = await self.payments()
        totals = {order.id: order.total for order in await self.orders()}
        asked = {payment.checkout_reference: totals[payment.order_id] for payment in payments}
        known = {p.transaction_id for p in payments if p.state in ("paid", "review") or p.review_reason}
        async with unit_of_work(self.context.database) as uow:
            found = set(await uow.session.scalars(select(ProviderFinding.transaction_id)))
        known |= {
            each.id for each in self.gateway.transactions() if each.id in found and each.amount != asked[each.reference]
        }
        return [f"transaction {each.code}" for each in self.gateway.transactions() if each.id not in known]

    async def there_is(self) -> set[str]:
        """Say of what there is any, for whom it makes no sense to act without."""
        asked = {
            "orders": "orders",
            "unpaid orders": "orders WHERE state = 'pending'",
            "payments": "payments WHERE state = 'paid'",
            "payments in review": "payments WHERE state = 'review'",
            "debts": "debts WHERE state = 'owed'",
            "waiting bookings": "calendar_entries WHERE state = 'provisional'",
            "open refunds": "refunds WHERE state IN ('sent', 'unknown')",
        }
        found = " UNION ALL ".join(
            f"SELECT '{name}' WHERE EXISTS (SELECT 1 FROM {rows})" for name, rows in asked.items()
        )
        async with unit_of_work(self.context.database) as uow:
            return set(await uow.session.scalars(text(found)))

    async def payments(self) -> list[Payment]:
        async with unit_of_work(self.context.database) as uow:
            return list(await uow.session.scalars(select(Payment).order_by(Payment.id)))

    async def orders(self) -> list[Order]:
        async with unit_of_work(self.context.database) as uow:
            return list(await uow.session.scalars(select(Order).order_by(Order.id)))

    async def debts(self, state: str | None = None) -> list[Debt]:
        async with unit_of_work(self.context.database) as uow:
            statement = select(Debt).order_by(Debt.id)
            return list(await uow.session.scalars(statement if state is None else statement.where(Debt.state == state)))

    async def refunds(self) -> list[Refund]:
        return await self.shop.refunds()

    async def _an_order(self, which: int) -> list[tuple[Order, Buyer]]:
        """Pick one of the orders, and who bought it."""
        return [
            (order, Buyer.of_user(order.user_id) if order.user_id else Buyer(token_hash=order.access_token_hash))
            for order in pick(await self.orders(), which)
        ]


def pick(things: Sequence[Thing], which: int) -> list[Thing]:
    """Pick one of some things, the newest for 0; none where there are none."""
    return [things[-1 - which % len(things)]] if things else []
