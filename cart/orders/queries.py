"""Reads of orders and payments, each bounded by whose they are."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import selectinload

from shared.contracts.dtos import OrderDTO, OrderLineDTO, PaymentDTO, SellerDTO
from shared.models import Order, OrderLine, OrderSeller, Payment

from .buyer import Buyer


def line_to_dto(line: OrderLine) -> OrderLineDTO:
    """Map an order line."""
    return OrderLineDTO(
        id=line.id,
        kind=line.kind,
        title=line.title,
        detail=line.detail,
        quantity=line.quantity,
        unit_price=line.unit_price,
        total=line.total,
        vat_rate=line.vat_rate,
        ticket_id=line.ticket_id,
        entry_id=line.entry_id,
        ticket_type_id=line.ticket_type_id,
        variant_id=line.variant_id,
        page_post_id=line.page_post_id,
        thing_id=line.thing_id,
    )


async def lines_of(session: AsyncSession, order_id: int) -> list[OrderLineDTO]:
    """Return an order's lines, as they were at checkout."""
    rows = await session.scalars(select(OrderLine).where(OrderLine.order_id == order_id).order_by(OrderLine.id))
    return [line_to_dto(row) for row in rows]


def order_to_dto(order: Order, lines: list[OrderLine] | None = None) -> OrderDTO:
    """Map an order with its lines (those given, else those loaded)."""
    return OrderDTO(
        id=order.id,
        number=order.number,
        state=order.state,
        total=order.total,
        currency=order.currency,
        created_at=order.created_at,
        expires_at=order.expires_at,
        paid_at=order.paid_at,
        user_id=order.user_id,
        page_post_id=order.page_post_id,
        merchant_code=order.merchant_code,
        guest_email=order.guest_email,
        access_token_hash=order.access_token_hash,
        lines=tuple(line_to_dto(line) for line in (order.lines if lines is None else lines)),
    )


def payment_to_dto(payment: Payment) -> PaymentDTO:
    """Map a payment."""
    return PaymentDTO(
        id=payment.id,
        order_id=payment.order_id,
        state=payment.state,
        amount=payment.amount,
        currency=payment.currency,
        merchant_code=payment.merchant_code,
        provider=payment.provider,
        checkout_reference=payment.checkout_reference,
        checkout_id=payment.checkout_id,
        hosted_url=payment.hosted_url,
        valid_until=payment.valid_until,
        transaction_id=payment.transaction_id,
        transaction_code=payment.transaction_code,
    )


def seller_to_dto(seller: OrderSeller) -> SellerDTO:
    """Map a seller of an order."""
    return SellerDTO(
        page_post_id=seller.page_post_id,
        page_title=seller.page_title,
        name=seller.name,
        address=seller.address,
        email=seller.email,
        phone=seller.phone,
        terms=seller.terms,
        refund_policy=seller.refund_policy,
        collection_place=seller.collection_place,
        collection_times=seller.collection_times,
    )


async def get_order(session: AsyncSession, order_id: int, buyer: Buyer) -> OrderDTO | None:
    """Return one of the buyer's orders with its lines, or None."""
    statement = select(Order).where(Order.id == order_id, buyer.owns()).options(selectinload(Order.lines))
    # As it is now: the provider may have been asked between two reads of one request.
    order = await session.scalar(statement.execution_options(populate_existing=True))
    return None if order is None else order_to_dto(order)


async def my_orders(
    session: AsyncSession, *, user_id: int, before: int | None = None, limit: int = 20
) -> list[OrderDTO]:
    """Return the user's orders, newest first, older than the key ``before``."""
    statement = (
        select(Order)
        .where(Order.user_id == user_id)
        .options(selectinload(Order.lines))
        .order_by(Order.id.desc())
        .limit(limit)
    )
    if before is not None:
        statement = statement.where(Order.id < before)
    return [order_to_dto(order) for order in await session.scalars(statement)]


async def payment_of_order(session: AsyncSession, order_id: int, buyer: Buyer) -> PaymentDTO | None:
    """Return the latest payment of one of the buyer's orders."""
    statement = (
        select(Payment)
        .join(Payment.order)
        # Whose it is stands in the query, so that no caller can forget to check it.
        .where(Payment.order_id == order_id, buyer.owns())
        .order_by(Payment.id.desc())
        .limit(1)
    )
    payment = await session.scalar(statement)
    return None if payment is None else payment_to_dto(payment)


async def is_guest_order(session: AsyncSession, order_id: int) -> bool:
    """Tell whether an order was made without an account."""
    guests = select(Order.id).where(Order.id == order_id, Order.user_id.is_(None))
    return await session.scalar(guests) is not None


async def order_id_of_token(
    session: AsyncSession, token_hash: str, *, now: datetime, days: int
) -> tuple[int, bool] | None:
    """Return the order that a guest's token is for, and whether it still opens it; None where there is no such token.

    It does for so many days after the last of its events and bookings, or after the order where it has none.
    """
    last = select(func.max(OrderLine.end_at)).where(OrderLine.order_id == Order.id).scalar_subquery()
    opens = func.coalesce(func.greatest(last, Order.created_at), Order.created_at) > now - timedelta(days=days)
    row = (await session.execute(select(Order.id, opens).where(Order.access_token_hash == token_hash))).one_or_none()
    return None if row is None else (row[0], row[1])


async def sellers_of_order(session: AsyncSession, order_id: int) -> list[SellerDTO]:
    """Return who sold an order's lines, as they were at checkout. The caller has made sure whose order it is."""
    rows = await session.scalars(
        select(OrderSeller).where(OrderSeller.order_id == order_id).order_by(OrderSeller.page_title, OrderSeller.id)
    )
    return [seller_to_dto(row) for row in rows]


async def payment_by_return_token(session: AsyncSession, token: str) -> PaymentDTO | None:
    """Return the payment whose buyer comes back with this token, or None."""
    payment = await session.scalar(select(Payment).where(Payment.return_token == token))
    return None if payment is None else payment_to_dto(payment)


async def payment_by_webhook_token(session: AsyncSession, token: str) -> PaymentDTO | None:
    """Return the payment whose notices carry this token, or None."""
    payment = await session.scalar(select(Payment).where(Payment.webhook_token == token))
    return None if payment is None else payment_to_dto(payment)
