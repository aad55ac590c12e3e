"""Go on with an unpaid order: to where it is paid, or to what has become of it."""

from __future__ import annotations

from sqlalchemy import select

from cart.orders.buyer import Buyer
from cart.orders.guest import order_url
from cart.orders.queries import get_order
from cart.wiring import PaymentContext
from shared.contracts.dtos import OrderDTO
from shared.contracts.errors import Conflict, NotFound
from shared.contracts.states import PAID_ORDER_STATES, PAYABLE_PAYMENT_STATES, OrderState, PaymentState
from shared.db.uow import unit_of_work
from shared.models import Payment

from .fence import fence
from .open_payment import open_payment, return_url
from .settle import settle

RELEASED = "The time to pay this order has run out. Its tickets are back in your cart, as long as there are any left."
LAPSED = "The time to pay this order has run out. We are making sure that it was not paid, and then put it back."


async def continue_payment(context: PaymentContext, buyer: Buyer, *, order_id: int) -> str:
    """Return where one of the buyer's unpaid orders is paid. Safe to repeat.

    Raises NotFound, and Conflict where the order can no longer be paid; one past its deadline is fenced first.
    """
    async with unit_of_work(context.database) as uow:
        order = await get_order(uow.session, order_id, buyer)
        newest = select(Payment).where(Payment.order_id == order_id).order_by(Payment.id.desc()).limit(1)
        payment = await uow.session.scalar(newest)
    if order is None:
        raise NotFound
    if order.state in PAID_ORDER_STATES:
        return order_url(context.settings, order)
    # What it held is back in the cart already, or was free.
    if payment is None or order.state != OrderState.PENDING:
        raise Conflict(RELEASED)
    if payment.state not in PAYABLE_PAYMENT_STATES:  # it is paid, or a person has to look at it
        await settle(context, payment.id)
        return await return_url(context, payment.id)
    # Past its time it is not paid any more: the seats may be promised to somebody else.
    if context.clock() >= order.expires_at:
        return await _close_late(context, payment.id, order)
    # Somebody wanted to put it back: our own page says how it stands, and leads nobody to pay.
    if payment.state == PaymentState.CLOSING:
        return await return_url(context, payment.id)
    return await open_payment(context, payment.id)


async def _close_late(context: PaymentContext, payment_id: int, order: OrderDTO) -> str:
    """Fence an order past its deadline: it may turn out to be paid."""
    state = await fence(context, payment_id)
    if state == PaymentState.PAID:
        return order_url(context.settings, order)
    raise Conflict(RELEASED if state in (PaymentState.EXPIRED, PaymentState.CANCELLED) else LAPSED)
