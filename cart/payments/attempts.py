"""Payments as rows: read, locked with their order, and when to look at them next."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, select
from sqlalchemy.ext.asyncio import AsyncSession

from cart.orders.queries import payment_to_dto
from cart.wiring import PaymentContext
from shared.contracts.dtos import PaymentDTO
from shared.contracts.errors import NotFound
from shared.contracts.states import PAYABLE_PAYMENT_STATES
from shared.db.locks import lock_cart_owner, lock_order, lock_payment
from shared.db.uow import UnitOfWork, unit_of_work
from shared.models import Order, Payment

POLL_AFTER = tuple(timedelta(seconds=seconds) for seconds in (5, 5, 10, 15, 30, 60, 90))
"""When an unpaid attempt is looked at again, by the number of looks so far; the last one repeats (docs/sumup.md § 6).

The longest wait and the worker's own pause are less than two minutes: a payment of which no redirect and no webhook
tells is found within that time.
"""
CLOSED_POLLS = tuple(timedelta(minutes=minutes) for minutes in (1, 10, 60))
"""When a closed attempt is looked at once more, after its deadline: money may still come late (promise 9)."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """A payment and its order, both locked, in a unit of work that the holder commits."""

    uow: UnitOfWork
    order: Order
    payment: Payment

    @property
    def session(self) -> AsyncSession:
        """The session of the unit of work."""
        return self.uow.session

    @property
    def is_payable(self) -> bool:
        """Whether money may still arrive through our own page."""
        return self.payment.state in PAYABLE_PAYMENT_STATES


async def read_payment(context: PaymentContext, payment_id: int) -> PaymentDTO:
    """Read a payment in a short unit of work. Raises NotFound."""
    async with unit_of_work(context.database) as uow:
        payment = await uow.session.get(Payment, payment_id)
        if payment is None:
            raise NotFound
        return payment_to_dto(payment)


@asynccontextmanager
async def locked_attempt(context: PaymentContext, payment_id: int) -> AsyncIterator[Attempt]:
    """Lock buyer, order and payment (docs/locking.md), and give them as they are now. Raises NotFound."""
    async with unit_of_work(context.database) as uow:
        of_payment = select(Payment.order_id).where(Payment.id == payment_id).scalar_subquery()
        # The buyer first: checkout and join lock in this order too, and two orders of locks make a deadlock.
        order = await lock_buyer_and_order(uow.session, Order.id == of_payment)
        payment = await lock_payment(uow.session, payment_id)
        if payment is None:
            raise NotFound
        yield Attempt(uow, order, payment)


async def lock_buyer_and_order(session: AsyncSession, which: ColumnElement[bool]) -> Order:
    """Lock the buyer of an order, then the order. Raises NotFound. Nothing may have been written before.

    A guest may sign in between reading whose order it is and locking it; then it has become the user's, who is to be
    locked instead.
    """
    while True:
        order = await session.scalar(select(Order).where(which).execution_options(populate_existing=True))
        if order is None:
            raise NotFound
        owner = order.owner
        await lock_cart_owner(session, owner)
        locked = await lock_order(session, order.id)
        # Still the same owner, now that nobody can change it any more.
        if locked is not None and locked.owner == owner:
            return locked
        # Lets the locks go: the new owner comes before the order.
        await session.rollback()


def schedule_next_look(payment: Payment, now: datetime) -> None:
    """Set when the reconciler looks at a payment again: never later than its deadline, and after it in any case."""
    step = POLL_AFTER[min(payment.checks, len(POLL_AFTER) - 1)]
    due = now + step
    # At the deadline itself, so that seats are not held longer for the length of a step.
    payment.next_check_at = payment.valid_until if now < payment.valid_until < due else due


def schedule_late_look(payment: Payment, now: datetime) -> None:
    """Set when a closed payment is looked at once more: three times after its deadline, then never."""
    looks = (payment.valid_until + wait for wait in CLOSED_POLLS)
    # None ends it: the nightly reconciling finds what comes later still.
    payment.next_check_at = next((due for due in looks if due > now), None)
