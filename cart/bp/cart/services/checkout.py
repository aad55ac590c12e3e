"""Checkout: from what is in the cart to an order that holds its seats (docs/money.md, "Checkout").

The cart's owner is locked, everything is claimed, and lines and total are made from exactly the rows that were
claimed. The total that the shopper saw is compared, never used.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncSession

from cart.orders.buyer import Buyer
from cart.orders.confirm import confirm_order
from cart.orders.guest import guest_token, hash_guest_token
from cart.orders.holds import check_unpaid, hold_time
from cart.orders.numbers import new_order_number, new_reference, new_token
from cart.orders.queries import order_to_dto
from cart.payments.page_config import resolve_page_config
from cart.sellables.registry import Parts
from cart.wiring import PaymentContext
from shared.contracts.dtos import ZERO, OrderDTO
from shared.contracts.errors import CartEmpty, TotalChanged
from shared.contracts.journal import JournalEvent, JournalThing
from shared.contracts.states import OrderState, PaymentState
from shared.db.locks import lock_cart_owner
from shared.db.uow import unit_of_work
from shared.models import Order, OrderLine, OrderSeller, Payment
from shared.services.journal import SYSTEM, act_as, record


@dataclass(frozen=True, slots=True)
class PlacedOrder:
    """An order that holds its seats, and the attempt to pay it (None: there was nothing to pay)."""

    order: OrderDTO
    payment_id: int | None


async def create_order_from_cart(
    context: PaymentContext, buyer: Buyer, *, page_post_id: int | None, shown_total: Decimal
) -> PlacedOrder:
    """Make an order of a cart, or of one page's part of it, and the first attempt to pay it, in one commit.

    All of it or none: raises CartEmpty, SoldOut, NotOnSale, NotOffered, SeveralAccounts, TooManyUnpaid, ManyOfNetwork,
    HeldTooOften, or TotalChanged where ``shown_total`` (in the installation's currency) is not what the claimed things
    cost; then nothing is kept. Not safe to repeat by itself, but a second call finds nothing left to claim and raises
    CartEmpty.
    """
    async with unit_of_work(context.database) as uow:
        session = uow.session
        # First of all locks: two presses at once come one after the other, and the second finds the cart empty.
        await lock_cart_owner(session, buyer.owner)
        # Before rows change: the triggers write their lines of the journal in this name.
        await act_as(session, buyer.actor, "checkout")
        order = await _open_order(session, context, buyer)
        # Kind by kind, in the order of locks, and read back: the order is made of this and of nothing else.
        claimed = await context.sellables.claim(session, order.id, buyer.owner, page_post_id)
        if claimed.is_empty:
            raise CartEmpty
        # Compared, never used: a total that somebody sends must not become a price.
        if claimed.total != shown_total:
            raise TotalChanged
        if claimed.total:
            await check_unpaid(session, context.settings, buyer)
            now = order.created_at
            order.expires_at = now + await hold_time(session, context.settings, buyer, claimed.order_lines, now=now)
        await _fill(session, context, order, claimed, buyer)
        payment_id = await _intend_payment(session, context, order) if claimed.total else None
        if payment_id is None:  # there is nobody to ask for 0.00
            await confirm_order(session, context, order, actor=SYSTEM, why="nothing to pay")
        # Read back: ids and defaults are the database's.
        lines = await _lines_of(session, order.id)
        await uow.commit()
    return PlacedOrder(order_to_dto(order, lines), payment_id)


async def _open_order(session: AsyncSession, context: PaymentContext, buyer: Buyer) -> Order:
    """Insert the order; its lines, total and account follow before the commit."""
    now, number = context.clock(), new_order_number()
    order = Order(
        number=number,
        state=OrderState.PENDING,
        **_owner(context, buyer, number),
        merchant_code=context.settings.sumup_merchant_code,
        currency=context.settings.currency,
        total=ZERO,
        created_at=now,
        expires_at=now + timedelta(minutes=context.settings.order_minutes),
    )
    session.add(order)
    await session.flush()  # the claims need the order's id
    return order


def _owner(context: PaymentContext, buyer: Buyer, number: str) -> dict[str, object]:
    """Return the columns that say whose an order is: a user's, or a guest's, who gets a token for it."""
    if buyer.user_id is not None:
        return {"user_id": buyer.user_id}
    return {
        "session_id": buyer.owner.session_id,
        "guest_email": buyer.email,
        "network": buyer.network,
        "access_token_hash": hash_guest_token(guest_token(context.settings.secret_key, number)),
    }


async def _fill(session: AsyncSession, context: PaymentContext, order: Order, claimed: Parts, buyer: Buyer) -> None:
    """Write the order's lines, its total, who sells and who is paid."""
    default = context.settings.sumup_merchant_code
    payee = await resolve_page_config(session, claimed.page_ids, default_merchant_code=default, now=context.clock())
    # The account stands in the order: a page that changes it later does not move what was sold before.
    order.page_post_id, order.merchant_code, order.total = payee.page_post_id, payee.merchant_code, claimed.total
    await session.flush()  # the total is checked against the lines when the transaction commits
    rows = [line.values(order.id) for line in claimed.order_lines]
    # One statement for all lines, however many.
    await session.execute(insert(OrderLine), rows)
    await _write_sellers(session, context, order.id, claimed)
    await record(
        session,
        thing=JournalThing.ORDER,
        thing_id=order.id,
        order_id=order.id,
        event=JournalEvent.PLACED,
        actor=buyer.actor,
        data={"total": str(order.total), "lines": len(rows)},
    )


async def _write_sellers(session: AsyncSession, context: PaymentContext, order_id: int, claimed: Parts) -> None:
    """Write down who sells, how they are reached and on which terms, as the shopper has just read it."""
    ids = [page_post_id for page_post_id in claimed.page_ids if page_post_id is not None]
    pages = await context.services.blog.pages_by_id(session, ids)
    rows = [
        {
            "order_id": order_id,
            "page_post_id": page.id,
            "page_title": page.title,
            "name": page.seller_name,
            "address": page.seller_address,
            "email": page.seller_email,
            "phone": page.seller_phone,
            "terms": page.terms,
            "refund_policy": page.refund_policy,
            "collection_place": page.collection_place,
            "collection_times": page.collection_times,
        }
        for page in pages.values()
    ]
    if rows:
        await session.execute(insert(OrderSeller), rows)


async def _intend_payment(session: AsyncSession, context: PaymentContext, order: Order) -> int:
    """Write the attempt down before anybody is called (promise 15)."""
    payment = Payment(
        order_id=order.id,
        provider=context.gateways.name_of(order.merchant_code),
        merchant_code=order.merchant_code,
        amount=order.total,
        currency=order.currency,
        checkout_reference=new_reference(),
        return_token=new_token(),
        webhook_token=new_token(),
        valid_until=order.expires_at,
        created_at=order.created_at,
        # Should the process die before the call, the reconciler finds the attempt.
        next_check_at=order.created_at + timedelta(seconds=30),
    )
    session.add(payment)
    await session.flush()  # its id goes into the journal
    await record(
        session,
        thing=JournalThing.PAYMENT,
        thing_id=payment.id,
        order_id=order.id,
        event=PaymentState.CREATED,
        actor=SYSTEM,
        data={"amount": str(payment.amount), "reference": payment.checkout_reference},
    )
    return payment.id


async def _lines_of(session: AsyncSession, order_id: int) -> list[OrderLine]:
    return list(await session.scalars(select(OrderLine).where(OrderLine.order_id == order_id).order_by(OrderLine.id)))
