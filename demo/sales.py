"""Tickets that the demo's patrons have bought: orders, lines, payments and tickets that agree with each other."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import count
from uuid import uuid4

from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncSession

from shared.contracts.dtos import ZERO
from shared.contracts.money import price_of
from shared.contracts.states import LineKind, OrderState, PaymentState, TicketState
from shared.contracts.times import when
from shared.models.calendar import Calendar, CalendarEntry, TicketType
from shared.models.journal import JournalEntry
from shared.models.order import Order, OrderLine, Payment
from shared.models.ticket import Ticket
from shared.models.user import User
from shared.services.calendar_impl import SqlCalendarService
from shared.settings import Settings

PARTY = 3
"""How many tickets a patron buys at once."""
PAID_AFTER = timedelta(minutes=2)
CHOSEN_TYPES = 2
"""Patrons buy the first two types in turn: adults, mostly."""


@dataclass(frozen=True, slots=True)
class Sold:
    """The tickets of one event to be sold, and what each costs."""

    entry: CalendarEntry
    calendar: Calendar
    types: Sequence[TicketType]

    def type_of(self, number: int) -> TicketType | None:
        """Return the type of the ``number``-th ticket, or None where the event has one price."""
        return self.types[number % min(len(self.types), CHOSEN_TYPES)] if self.types else None

    def price_of(self, number: int) -> Decimal:
        """Return what the ``number``-th ticket costs."""
        kind = self.type_of(number)
        return price_of(kind.cost if kind else None, self.entry.ticket_price) or ZERO


class BoxOffice:
    """Sells the demo's tickets to its patrons, in turn."""

    def __init__(self, session: AsyncSession, settings: Settings, patrons: Sequence[User], now: datetime) -> None:
        """Take a session whose transaction the caller ends."""
        self._session = session
        self._settings = settings
        self._patrons = patrons
        self._now = now
        self._numbers = count(1)
        self.payments: list[Payment] = []
        """What was paid for all that was sold."""
        self._calendar = SqlCalendarService(clock=lambda: now, default_max_per_order=settings.max_tickets_per_order)

    async def sell(self, sold: Sold, tickets: int) -> None:
        """Sell so many tickets, in orders of a few, each paid in full. Tickets of an event that is over are used."""
        for first in range(0, tickets, PARTY):
            await self._sell_party(sold, range(first, min(first + PARTY, tickets)))
        if sold.entry.end_at < self._now:
            await self._use(sold.entry)

    async def _sell_party(self, sold: Sold, numbers: range) -> None:
        number = next(self._numbers)
        order = await self._add_order(sold, number, sum((sold.price_of(n) for n in numbers), ZERO))
        tickets = [self._ticket(sold, order, n) for n in numbers]
        self._session.add_all(tickets)
        await self._session.flush()  # the lines name the tickets' ids
        lines = [self._line(sold, order, ticket, n) for ticket, n in zip(tickets, numbers, strict=True)]
        payment = self._payment(order)
        self.payments.append(payment)
        self._session.add_all([*lines, payment])
        await self._session.flush()  # what confirms the tickets reads the database, and the journal names the payment
        self._session.add_all([self._note("order", order.id, order), self._note("payment", payment.id, order)])
        await self._session.flush()
        await self._calendar.confirm_tickets_for_order(self._session, order.id)

    async def _add_order(self, sold: Sold, number: int, total: Decimal) -> Order:
        """Write a paid order, some days old, and never younger than its event's start."""
        # A spread of days and minutes, the same at each load: lists and reports of the demo look like a shop's.
        created = min(self._now, sold.entry.start_at) - timedelta(days=1 + number % 9, minutes=37 * number % 600)
        order = Order(
            number=f"DEMO-{number:04d}",
            state=OrderState.PAID,
            user_id=self._patrons[number % len(self._patrons)].id,
            page_post_id=sold.calendar.container_id,
            merchant_code=self._settings.sumup_merchant_code,
            currency=self._settings.currency,
            total=total,
            created_at=created,
            expires_at=created + timedelta(minutes=self._settings.order_minutes),
            paid_at=created + PAID_AFTER,
            mail_queued_at=created + PAID_AFTER,
        )
        self._session.add(order)
        await self._session.flush()  # the tickets name the order's id
        return order

    def _ticket(self, sold: Sold, order: Order, number: int) -> Ticket:
        kind = sold.type_of(number)
        return Ticket(
            entry_id=sold.entry.id,
            ticket_type_id=kind.id if kind else None,
            user_id=order.user_id,
            order_id=order.id,
            state=TicketState.RESERVED,
            created_at=order.created_at,
        )

    def _line(self, sold: Sold, order: Order, ticket: Ticket, number: int) -> OrderLine:
        kind = sold.type_of(number)
        price = sold.price_of(number)
        return OrderLine(
            order_id=order.id,
            kind=LineKind.TICKET,
            title=sold.entry.name,
            detail=", ".join(
                filter(None, (kind.name if kind else "", when(sold.entry.start_at, sold.calendar.time_zone)))
            ),
            option_name=kind.name if kind else "",
            start_at=sold.entry.start_at,
            end_at=sold.entry.end_at,
            time_zone=sold.calendar.time_zone,
            place=sold.calendar.place,
            quantity=1,
            unit_price=price,
            total=price,
            page_post_id=sold.calendar.container_id,
            ticket_id=ticket.id,
            entry_id=sold.entry.id,
            ticket_type_id=ticket.ticket_type_id,
        )

    def _payment(self, order: Order) -> Payment:
        """Make the order's payment. Where SumUp itself is asked, its provider is ``demo``: nobody knows it there."""
        return Payment(
            order_id=order.id,
            state=PaymentState.PAID,
            provider="sumup" if self._settings.uses_sandbox else "demo",
            merchant_code=order.merchant_code,
            amount=order.total,
            currency=order.currency,
            checkout_reference=f"{order.number}-1",
            checkout_id=str(uuid4()),
            return_token=secrets.token_urlsafe(32),
            webhook_token=secrets.token_urlsafe(32),
            valid_until=order.expires_at,
            transaction_id=str(uuid4()),
            transaction_code=f"{order.number}-T",
            created_at=order.created_at,
            paid_at=order.paid_at,
            fulfilled_at=order.paid_at,
        )

    def _note(self, thing: str, thing_id: int, order: Order) -> JournalEntry:
        """Make the journal's word on where the order, or its payment, comes from."""
        return JournalEntry(
            thing=thing, thing_id=thing_id, order_id=order.id, event="paid", actor="system", why="demo data"
        )

    async def _use(self, entry: CalendarEntry) -> None:
        """Check the tickets of an event that is over in, as was done at its entrance."""
        await self._session.execute(
            update(Ticket)
            .where(Ticket.entry_id == entry.id, Ticket.state == TicketState.CONFIRMED)
            .values(state=TicketState.CHECKED_IN, checked_in_at=entry.start_at - timedelta(minutes=12))
        )
