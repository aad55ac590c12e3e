"""What waits for a person's judgement: payments in review, and findings in the provider's record. A read, by page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from cart.refunds.by_hand import read_note
from cart.wiring import PaymentContext
from shared.contracts.access import PageScope
from shared.contracts.errors import Conflict, NotFound
from shared.contracts.journal import JournalEvent, JournalThing
from shared.contracts.states import FindingKind, OrderState, PaymentState
from shared.db.uow import unit_of_work
from shared.models import Order, Payment, ProviderFinding, Refund, User
from shared.services.cart.attention import finding_within, order_within
from shared.services.journal import record, user_actor

CLOSED = "This was closed already. Nothing was changed."


@dataclass(frozen=True, slots=True)
class PaymentTerms:
    """What a payment is: as we asked for it, or as the provider tells of it (then a part may be missing)."""

    amount: Decimal | None
    currency: str
    merchant_code: str
    reference: str


@dataclass(frozen=True, slots=True)
class ReviewRow:
    """A payment in review. ``differs`` names what of it is not as we asked for."""

    payment_id: int
    order_id: int
    order_number: str
    order_state: OrderState
    total: Decimal
    buyer_email: str
    created_at: datetime
    transaction_code: str
    asked: PaymentTerms
    told: PaymentTerms
    differs: tuple[str, ...]

    @property
    def can_refund(self) -> bool:
        """Whether the money is ours to refund: nothing but the amount is wrong, and it is known."""
        return self.differs == ("amount",) and self.told.amount is not None

    @property
    def can_accept(self) -> bool:
        """Whether enough arrived to give what was ordered."""
        return self.can_refund and (self.told.amount or 0) >= self.total


@dataclass(frozen=True, slots=True)
class FindingRow:
    """Something in the provider's record that we did not know; an order is known where it is about one of ours."""

    id: int
    kind: FindingKind
    merchant_code: str
    transaction_code: str
    transaction_id: str
    amount: Decimal
    currency: str
    happened_at: datetime | None
    found_at: datetime
    order_id: int | None
    order_number: str | None
    is_counted: bool
    """Whether what went back counts as refunded: not so where it pays no whole debt, or its payment is not paid."""


async def list_reviews(session: AsyncSession, scope: PageScope, *, limit: int) -> list[ReviewRow]:
    """Return the payments of a scope that are in review, oldest first; one query."""
    return await _reviews(session, scope, Payment.state == PaymentState.REVIEW, limit)


async def find_review(session: AsyncSession, scope: PageScope, payment_id: int) -> ReviewRow:
    """Return a payment of a scope that is in review. Raises NotFound."""
    found = await _reviews(session, scope, (Payment.id == payment_id) & (Payment.state == PaymentState.REVIEW), 1)
    if not found:
        raise NotFound
    return found[0]


async def _reviews(session: AsyncSession, scope: PageScope, which: ColumnElement[bool], limit: int) -> list[ReviewRow]:
    """Read payments with their order and its buyer."""
    rows = await session.execute(
        select(Payment, Order, func.coalesce(User.email, Order.guest_email))
        .join(Payment.order)
        .outerjoin(User, User.id == Order.user_id)
        .where(which, order_within(scope, Payment.order_id))
        .order_by(Payment.id)
        .limit(limit)
        .execution_options(populate_existing=True)
    )
    return [_review(payment, order, email) for payment, order, email in rows]


def _review(payment: Payment, order: Order, email: str) -> ReviewRow:
    """Map a payment in review."""
    return ReviewRow(
        payment_id=payment.id,
        order_id=order.id,
        order_number=order.number,
        order_state=order.state,
        total=order.total,
        buyer_email=email,
        created_at=payment.created_at,
        transaction_code=payment.transaction_code or "",
        asked=PaymentTerms(payment.amount, payment.currency, payment.merchant_code, payment.checkout_reference),
        told=_told(payment.answer or {}),
        differs=tuple((payment.review_reason or "").split(", ")),
    )


def _told(answer: Mapping[str, Any]) -> PaymentTerms:
    """Return what the provider's answer says."""
    amount = answer.get("amount")
    names = ("currency", "merchant_code", "checkout_reference")
    currency, merchant_code, reference = (str(answer.get(name, "")) for name in names)
    return PaymentTerms(None if amount is None else Decimal(str(amount)), currency, merchant_code, reference)


async def list_findings(session: AsyncSession, scope: PageScope, *, limit: int) -> list[FindingRow]:
    """Return the open findings of a scope, oldest first; one query."""
    return await _findings(session, scope, ProviderFinding.resolved_at.is_(None), limit)


async def find_finding(session: AsyncSession, scope: PageScope, finding_id: int) -> FindingRow:
    """Return a finding of a scope. Raises NotFound."""
    found = await _findings(session, scope, ProviderFinding.id == finding_id, 1)
    if not found:
        raise NotFound
    return found[0]


async def _findings(
    session: AsyncSession, scope: PageScope, which: ColumnElement[bool], limit: int
) -> list[FindingRow]:
    """Read findings with the order that they are about."""
    rows = await session.execute(
        select(ProviderFinding, Order.id, Order.number, _is_counted())
        .outerjoin(Payment, Payment.id == ProviderFinding.payment_id)
        .outerjoin(Order, Order.id == Payment.order_id)
        .where(which, finding_within(scope))
        .order_by(ProviderFinding.id)
        .limit(limit)
    )
    return [
        FindingRow(
            id=found.id,
            kind=found.kind,
            merchant_code=found.merchant_code,
            transaction_code=found.transaction_code,
            transaction_id=found.transaction_id,
            amount=found.amount,
            currency=found.currency,
            happened_at=found.happened_at,
            found_at=found.found_at,
            order_id=order_id,
            order_number=number,
            is_counted=is_counted,
        )
        for found, order_id, number, is_counted in rows
    ]


def _is_counted() -> ColumnElement[bool]:
    """Tell whether the movement that a finding is about was written down as refunded."""
    return (
        select(Refund.id)
        .where(Refund.payment_id == ProviderFinding.payment_id, Refund.provider_event == ProviderFinding.provider_event)
        .exists()
    )


async def close_finding(
    context: PaymentContext, finding_id: int, *, note: str, actor_user_id: int, scope: PageScope
) -> None:
    """Close a finding of a scope, saying what became of it; of two who do so at once one is told.

    Raises NotFound, BadInput where it says nothing, and Conflict where it is closed already.
    """
    said = read_note(note, "Say what became of it, such as: a sale at the counter.")
    async with unit_of_work(context.database) as uow:
        await find_finding(uow.session, scope, finding_id)
        close = (
            update(ProviderFinding)
            .where(ProviderFinding.id == finding_id, ProviderFinding.resolved_at.is_(None), finding_within(scope))
            .values(resolved_at=context.clock(), resolved_by=actor_user_id, note=said)
            .returning(ProviderFinding.payment_id)
            .execution_options(synchronize_session=False)
        )
        closed = (await uow.session.execute(close)).one_or_none()
        if closed is None:
            raise Conflict(CLOSED)
        await _tell(uow.session, finding_id, closed.payment_id, user_actor(actor_user_id))
        await uow.commit()


async def _tell(session: AsyncSession, finding_id: int, payment_id: int | None, actor: str) -> None:
    """Tell that a finding was closed, at its order where it is about one."""
    order_id = await session.scalar(select(Payment.order_id).where(Payment.id == payment_id))
    await record(
        session,
        thing=JournalThing.FINDING,
        thing_id=finding_id,
        order_id=order_id,
        event=JournalEvent.CLOSED,
        actor=actor,
    )
