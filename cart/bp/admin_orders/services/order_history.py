"""One order with all that became of it, as far as somebody may see: a fixed number of queries, whatever happened."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement, func, or_, select, true
from sqlalchemy.ext.asyncio import AsyncSession

from cart.orders.queries import order_to_dto
from cart.sellables.protocol import Given, Sellable
from cart.sellables.registry import Sellables
from cart.wiring import PaymentContext
from shared.contracts.access import PageScope
from shared.contracts.dtos import OrderDTO, OrderLineDTO
from shared.contracts.errors import NotFound
from shared.contracts.journal import JournalThing
from shared.contracts.states import DebtReason, DebtState, PaymentState, RefundState
from shared.models import (
    Debt,
    JournalEntry,
    Mail,
    Order,
    OrderLine,
    OrderNote,
    Payment,
    Refund,
    User,
)

from .mails import keys_of
from .scope import debts_in, lines_in, orders_in, refunds_in

OF_MONEY = (JournalThing.DEBT, JournalThing.REFUND)
"""Things of the journal that may belong to a line, and so to a page, besides what is sold."""
_USER = re.compile(r"user:([0-9]{1,18})")


@dataclass(frozen=True, slots=True)
class LineFact:
    """A line, and what it gave; None: it was released."""

    line: OrderLineDTO
    given: Given | None


@dataclass(frozen=True, slots=True)
class PaymentFact:
    """One attempt to pay."""

    id: int
    state: PaymentState
    amount: Decimal
    created_at: datetime
    paid_at: datetime | None
    code: str
    """The provider's code of the transaction; empty: there is none."""
    reference: str
    checkout_id: str
    review_reason: str


@dataclass(frozen=True, slots=True)
class DebtFact:
    """What is or was owed, and why; without a title, about a whole payment."""

    id: int
    amount: Decimal
    reason: DebtReason
    state: DebtState
    created_at: datetime
    title: str
    by_hand: bool
    note: str


@dataclass(frozen=True, slots=True)
class RefundFact:
    """One attempt to refund money, with the reason where it failed."""

    id: int
    amount: Decimal
    state: RefundState
    created_at: datetime
    reason: str
    chargeback: bool


@dataclass(frozen=True, slots=True)
class MailFact:
    """A mail about the order, and whether it has gone."""

    kind: str
    recipient: str
    created_at: datetime
    sent_at: datetime | None
    given_up_at: datetime | None
    last_error: str


@dataclass(frozen=True, slots=True)
class NoteFact:
    """What an admin has noted."""

    body: str
    created_at: datetime
    author_id: int | None


@dataclass(frozen=True, slots=True)
class JournalFact:
    """A line of the journal."""

    at: datetime
    thing: str
    thing_id: int
    event: str
    actor: str
    why: str
    data: dict[str, object]


@dataclass(frozen=True, slots=True)
class OrderHistory:
    """All that is known of an order. Its lines are those that the reader may see."""

    order: OrderDTO
    buyer_name: str
    buyer_email: str
    hidden_lines: int
    """How many lines are of pages that the reader may not see."""
    lines: tuple[LineFact, ...]
    payments: tuple[PaymentFact, ...]
    debts: tuple[DebtFact, ...]
    refunds: tuple[RefundFact, ...]
    mails: tuple[MailFact, ...]
    notes: tuple[NoteFact, ...]
    journal: tuple[JournalFact, ...]
    people: dict[int, str]
    """Who took part, by user id: a name, else an address."""


async def read_order_history(
    session: AsyncSession, context: PaymentContext, order_id: int, scope: PageScope
) -> OrderHistory:
    """Return an order with all that became of it. Raises NotFound, also where none of its lines may be seen."""
    # First: it raises NotFound before anything else of the order is read.
    order, name, email, hidden = await _order(session, order_id, scope)
    lines = await _lines(session, context, order)
    debts, refunds = await _debts(session, order_id, scope), await _refunds(session, order_id, scope)
    journal = await _journal(session, order_id, _entries_in(scope, context.sellables, lines, debts, refunds))
    notes = await _notes(session, order_id)
    return OrderHistory(
        order=order,
        buyer_name=name,
        buyer_email=email,
        hidden_lines=hidden,
        lines=lines,
        payments=await _payments(session, order_id),
        debts=debts,
        refunds=refunds,
        mails=await _mails(session, order_id),
        notes=notes,
        journal=journal,
        people=await _people(session, notes, journal),
    )


async def _order(session: AsyncSession, order_id: int, scope: PageScope) -> tuple[OrderDTO, str, str, int]:
    """Return the order with the lines that may be seen, its buyer's name and address, and the number of other lines."""
    # Bounded in the query: lines of other pages never leave the database.
    own = select(OrderLine).where(OrderLine.order_id == order_id, lines_in(scope)).order_by(OrderLine.id)
    every = select(func.count()).where(OrderLine.order_id == Order.id).scalar_subquery()
    statement = (
        select(Order, func.coalesce(User.name, ""), func.coalesce(User.email, Order.guest_email), every)
        .outerjoin(User, User.id == Order.user_id)
        .where(Order.id == order_id, orders_in(scope))
        .execution_options(populate_existing=True)
    )
    row = (await session.execute(statement)).one_or_none()
    if row is None:
        raise NotFound
    order, name, email, count = row
    lines = list(await session.scalars(own))
    return order_to_dto(order, lines), name, email, count - len(lines)


async def _lines(session: AsyncSession, context: PaymentContext, order: OrderDTO) -> tuple[LineFact, ...]:
    """Put each line together with what it gave."""
    given = await context.sellables.given(session, order.id)
    # Over the visible lines: what else the order gave is dropped here.
    return tuple(LineFact(line, given.of_line(line)) for line in order.lines)


async def _payments(session: AsyncSession, order_id: int) -> tuple[PaymentFact, ...]:
    """Return the attempts to pay, oldest first."""
    rows = await session.scalars(
        select(Payment)
        .where(Payment.order_id == order_id)
        .order_by(Payment.id)
        .execution_options(populate_existing=True)
    )
    return tuple(
        PaymentFact(
            id=row.id,
            state=row.state,
            amount=row.amount,
            created_at=row.created_at,
            paid_at=row.paid_at,
            code=row.transaction_code or "",
            reference=row.checkout_reference,
            checkout_id=row.checkout_id or "",
            review_reason=row.review_reason or "",
        )
        for row in rows
    )


async def _debts(session: AsyncSession, order_id: int, scope: PageScope) -> tuple[DebtFact, ...]:
    """Return what is or was owed, oldest first."""
    rows = await session.execute(
        select(Debt, OrderLine.title)
        .outerjoin(OrderLine, OrderLine.id == Debt.order_line_id)
        .where(Debt.order_id == order_id, debts_in(scope))
        .order_by(Debt.id)
        .execution_options(populate_existing=True)
    )
    return tuple(
        DebtFact(
            id=debt.id,
            amount=debt.amount,
            reason=debt.reason,
            state=debt.state,
            created_at=debt.created_at,
            title=title or "",
            by_hand=debt.by_hand,
            note=debt.note,
        )
        for debt, title in rows
    )


async def _refunds(session: AsyncSession, order_id: int, scope: PageScope) -> tuple[RefundFact, ...]:
    """Return the attempts to refund money, oldest first."""
    rows = await session.scalars(
        select(Refund)
        .join(Payment, Payment.id == Refund.payment_id)
        .outerjoin(Debt, Debt.id == Refund.debt_id)
        .where(Payment.order_id == order_id, refunds_in(scope))
        .order_by(Refund.id)
        .execution_options(populate_existing=True)
    )
    return tuple(RefundFact(row.id, row.amount, row.state, row.created_at, row.reason, row.chargeback) for row in rows)


async def _mails(session: AsyncSession, order_id: int) -> tuple[MailFact, ...]:
    keys = keys_of([order_id]).subquery()
    rows = await session.execute(
        select(Mail.kind, Mail.recipient, Mail.created_at, Mail.sent_at, Mail.given_up_at, Mail.last_error)
        .join(keys, Mail.key == keys.c.key)
        .order_by(Mail.id)
    )
    return tuple(MailFact(*row) for row in rows)


async def _notes(session: AsyncSession, order_id: int) -> tuple[NoteFact, ...]:
    statement = select(OrderNote.body, OrderNote.created_at, OrderNote.author_id).where(OrderNote.order_id == order_id)
    return tuple(NoteFact(*row) for row in await session.execute(statement.order_by(OrderNote.id)))


async def _journal(session: AsyncSession, order_id: int, seen: ColumnElement[bool]) -> tuple[JournalFact, ...]:
    """Return what the journal tells of the order, as far as it may be seen, oldest first."""
    statement = select(
        JournalEntry.at,
        JournalEntry.thing,
        JournalEntry.thing_id,
        JournalEntry.event,
        JournalEntry.actor,
        JournalEntry.why,
        JournalEntry.data,
    ).where(JournalEntry.order_id == order_id, seen)
    rows = await session.execute(statement.order_by(JournalEntry.id))
    return tuple(
        JournalFact(row.at, row.thing, row.thing_id, row.event, row.actor, row.why, row.data or {}) for row in rows
    )


def _entries_in(
    scope: PageScope,
    sellables: Sellables,
    lines: Sequence[LineFact],
    debts: Sequence[DebtFact],
    refunds: Sequence[RefundFact],
) -> ColumnElement[bool]:
    """Bound a query of the journal: of what belongs to a line, what belongs to one that may be seen."""
    # No list of ids where all may be seen.
    if scope.everywhere:
        return true()
    return or_(
        # What is about the order as a whole belongs to everybody who sees any of it.
        JournalEntry.thing.not_in((*(sellable.thing for sellable in sellables), *OF_MONEY)),
        _entries_of(JournalThing.DEBT, [debt.id for debt in debts]),
        _entries_of(JournalThing.REFUND, [refund.id for refund in refunds]),
        *(_entries_of(sellable.thing, _ids_of(lines, sellable)) for sellable in sellables),
    )


def _entries_of(thing: str, ids: Collection[int]) -> ColumnElement[bool]:
    """Bound a query of the journal to some things of a kind."""
    return (JournalEntry.thing == thing) & JournalEntry.thing_id.in_(ids)


def _ids_of(lines: Sequence[LineFact], sellable: Sellable[Any]) -> set[int]:
    """Return the ids under which the journal tells of what some lines gave, of one kind."""
    own = (fact for fact in lines if fact.line.kind == sellable.kind)
    return {one for fact in own for one in sellable.journal_ids(fact.line, fact.given)}


async def _people(session: AsyncSession, notes: Iterable[NoteFact], journal: Iterable[JournalFact]) -> dict[int, str]:
    """Return the names, else addresses, of everybody who took part: one query."""
    ids = {note.author_id for note in notes if note.author_id is not None}
    # The journal holds ids only, so that a forgotten person leaves no name in it.
    ids |= {user_id for fact in journal if (user_id := user_of(fact.actor)) is not None}
    rows = await session.execute(select(User.id, User.name, User.email).where(User.id.in_(ids)))
    return {row.id: row.name or row.email for row in rows}


def user_of(actor: str) -> int | None:
    """Return the id of the person whom the journal names; None: it was nobody with an account."""
    found = _USER.fullmatch(actor)
    return None if found is None else int(found[1])
