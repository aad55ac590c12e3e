"""What a buyer is told by mail once their money has arrived. Runs in the worker, apart from the sale (promise 12)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from cart.sellables.registry import GivenThings
from cart.wiring import PaymentContext
from shared.contracts.dtos import EntryDTO, OrderDTO, OrderLineDTO, SellerDTO, TicketDTO
from shared.contracts.states import DebtReason, DebtState, EntryState
from shared.contracts.vat import vat_by_rate
from shared.db.locks import lock_order
from shared.db.uow import unit_of_work
from shared.mail.service import queue_mail
from shared.models import Debt, Mail, Order, OrderLine

from .addressee import Addressee, addressee_of, render_order_mail
from .queries import order_to_dto


@dataclass(frozen=True, slots=True)
class Told:
    """All that a mail may tell of an order: what was given of it, and what is owed back."""

    order: OrderDTO
    to: Addressee
    given: GivenThings
    """What its buyer has got."""
    debts: list[Debt]
    refunds_due: list[Debt]
    """Those of which no mail has told before."""

    @property
    def gives_anything(self) -> bool:
        """Whether the buyer has got anything."""
        return bool(self.given.every)

    @property
    def tickets(self) -> list[TicketDTO]:
        """The tickets."""
        return self.given.things(TicketDTO)

    @property
    def entries(self) -> list[EntryDTO]:
        """The bookings."""
        return self.given.things(EntryDTO)

    @property
    def is_owed(self) -> bool:
        """Whether any of what is told of now has still to go back."""
        return any(debt.state == DebtState.OWED for debt in self.refunds_due)

    @property
    def sellers(self) -> tuple[SellerDTO, ...]:
        """Who sold it."""
        return self.to.sellers

    @property
    def collections(self) -> list[SellerDTO]:
        """Where something is to be collected."""
        if not self.given.is_collected:
            return []
        return list(self.given.collected_from(self.order.lines, self.sellers))


async def write_order_mails(context: PaymentContext, order_id: int) -> None:
    """Queue the mails about a paid order: what was bought, and what is owed back. Safe to repeat: each goes once."""
    async with unit_of_work(context.database) as uow:
        # Two workers may have the same job: the second finds mail_queued_at filled.
        order = await lock_order(uow.session, order_id)
        if order is None or order.paid_at is None or order.mail_queued_at is not None:
            return
        told = await _gather(context, uow.session, order)
        if told is not None:
            await _queue_both(context, uow.session, told)
        order.mail_queued_at = context.clock()
        await uow.session.flush()  # the session does not flush by itself
        await uow.commit()


async def _gather(context: PaymentContext, session: AsyncSession, order: Order) -> Told | None:
    """Read all that is to be told; None where there is nobody to tell it to."""
    # Nobody to write to is no reason to try again: the order counts as told.
    to = await addressee_of(session, order.id)
    if to is None:
        return None
    lines = await session.scalars(select(OrderLine).where(OrderLine.order_id == order.id).order_by(OrderLine.id))
    undecided = Debt.request_key.is_(None)  # of what somebody decided to refund, a mail of its own has told
    mine = select(Debt).where(Debt.order_id == order.id, undecided).order_by(Debt.id)
    debts = list(await session.scalars(mine))
    given = await context.sellables.given(session, order.id)
    return Told(
        order=order_to_dto(order, list(lines)),
        to=to,
        # Only what the buyer really has: a line that was sold out must not be confirmed by mail.
        given=given.had(),
        debts=debts,
        refunds_due=await _refunds_due(session, debts),
    )


async def _refunds_due(session: AsyncSession, debts: Sequence[Debt]) -> list[Debt]:
    """Leave out what a mail has told of: all up to the debt that its key names. A declined booking has its own mail."""
    # What a mail has told is read off the mails themselves: no flag that could differ from them.
    keys = {_key_of_debt(debt): debt.id for debt in debts}
    told = await session.scalars(select(Mail.key).where(Mail.key.in_(keys))) if keys else ()
    last = max((keys[key] for key in told), default=0)
    return [debt for debt in debts if debt.id > last and debt.reason != DebtReason.DECLINED]


def _key_of_debt(debt: Debt) -> str:
    """Name the mail whose newest debt is this one."""
    return f"order-oversold:{debt.order_id}:{debt.id}"


async def _queue_both(context: PaymentContext, session: AsyncSession, told: Told) -> None:
    """Queue what was bought, where anything was given, and what is owed."""
    # Nothing given and something owed: then the other mail alone says what happened.
    if told.gives_anything or not told.debts:
        await _queue(context, session, told, event="order-paid", key=f"order-paid:{told.order.id}")
    if told.refunds_due:
        await _queue(context, session, told, event="order-oversold", key=_key_of_debt(told.refunds_due[-1]))


async def _queue(context: PaymentContext, session: AsyncSession, told: Told, *, event: str, key: str) -> None:
    mail = render_order_mail(
        event,
        context,
        told.to,
        told.order,
        told=told,
        tickets=told.tickets,
        debts=told.refunds_due,
        vat=vat_by_rate((line.vat_rate, line.total) for line in told.order.lines),
        tickets_url=f"{context.settings.url_of('events')}/tickets/",
    )
    await queue_mail(session, mail, kind=event, key=key)


async def queue_booking_mail(
    context: PaymentContext, session: AsyncSession, entry: EntryDTO, *, order: OrderDTO, note: str = ""
) -> None:
    """Tell a booker what became of a booking that waited: confirmed, or declined, with what was noted for them.

    Once, in the caller's transaction.
    """
    to = await addressee_of(session, order.id)
    if to is None:
        return
    event = "booking-approved" if entry.state is EntryState.CONFIRMED else "booking-declined"
    # Only the seller of this booking is named: the others have nothing to do with the decision.
    mail = render_order_mail(event, context, to.about([entry.calendar_container_id]), order, entry=entry, note=note)
    await queue_mail(session, mail, kind=event, key=f"{event}:{entry.id}")


async def queue_cancelled_mail(
    context: PaymentContext, session: AsyncSession, order: OrderDTO, lines: Sequence[OrderLineDTO]
) -> None:
    """Tell a buyer which lines of their order were cancelled, in the caller's transaction.

    A line is cancelled once, so its id makes the mail one of its kind.
    """
    to = await addressee_of(session, order.id)
    if to is None:
        return
    event = "lines-cancelled"
    mail = render_order_mail(event, context, to.about(line.page_post_id for line in lines), order, lines=lines)
    await queue_mail(session, mail, kind=event, key=f"{event}:{order.id}:{lines[0].id}")
