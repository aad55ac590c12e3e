"""What the checkout button does: place the order, open its payment, and say where the browser goes."""

from __future__ import annotations

from decimal import Decimal

from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from cart.orders.buyer import Buyer
from cart.orders.guest import order_url
from cart.payments.fence import fence_overdue
from cart.payments.open_payment import open_payment
from cart.payments.resume import continue_payment
from cart.wiring import PaymentContext
from shared.contracts.errors import CartEmpty, SoldOut, Unavailable
from shared.contracts.states import (
    OrderState,
)
from shared.db.refusals import is_busy
from shared.db.uow import unit_of_work
from shared.models import Order, OrderLine

from .checkout import PlacedOrder, create_order_from_cart

BUSY = "Very many people are buying at this moment. Nothing was charged; please press the button again."


async def begin_checkout(
    context: PaymentContext, buyer: Buyer, *, page_post_id: int | None, shown_total: Decimal
) -> str:
    """Check out a cart, or one page's part of it, and return the address to send the browser to.

    That is the provider's page, our own page about the payment where the provider's answer was lost, or the order where
    there was nothing to pay. A second press finds the open order. Raises CartEmpty, SoldOut, NotOnSale, NotOffered,
    TotalChanged, SeveralAccounts, or Unavailable: then nothing is kept and nothing was charged.
    """
    try:
        placed = await _place(context, buyer, page_post_id, shown_total)
    # The second press of one button: the first has taken everything out of the cart.
    except CartEmpty:
        return await _continue_open_order(context, buyer, page_post_id)
    # Free: there is no payment page to go to.
    if placed.payment_id is None:
        return order_url(context.settings, placed.order)
    return await open_payment(context, placed.payment_id)


async def _place(context: PaymentContext, buyer: Buyer, page_post_id: int | None, shown_total: Decimal) -> PlacedOrder:
    """Place the order; where seats are short, let overdue orders go first and try once more."""
    try:
        return await _create(context, buyer, page_post_id, shown_total)
    # Once only: a loop would let one shopper hold up the others.
    except SoldOut as refusal:
        if not await fence_overdue(context, refusal.problems):
            raise
    return await _create(context, buyer, page_post_id, shown_total)


async def _create(context: PaymentContext, buyer: Buyer, page_post_id: int | None, shown_total: Decimal) -> PlacedOrder:
    """Create the order; a database that is too busy is an answer, not a crash."""
    try:
        return await create_order_from_cart(context, buyer, page_post_id=page_post_id, shown_total=shown_total)
    except SQLAlchemyError as error:
        if is_busy(error):
            raise Unavailable(BUSY) from error
        raise


async def _continue_open_order(context: PaymentContext, buyer: Buyer, page_post_id: int | None) -> str:
    """Go on with the order that an earlier press made. Raises CartEmpty where there is none."""
    newest = select(Order.id).where(buyer.owns(), Order.state == OrderState.PENDING)
    if page_post_id is not None:
        of_page = (OrderLine.order_id == Order.id) & (OrderLine.page_post_id == page_post_id)
        newest = newest.where(select(OrderLine.id).where(of_page).exists())
    async with unit_of_work(context.database) as uow:
        order_id = await uow.session.scalar(newest.order_by(Order.id.desc()).limit(1))
    if order_id is None:
        raise CartEmpty
    return await continue_payment(context, buyer, order_id=order_id)
