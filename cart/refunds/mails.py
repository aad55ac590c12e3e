"""What a buyer is told of money that somebody decided to refund."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy.ext.asyncio import AsyncSession

from cart.orders.addressee import Addressee, addressee_of, render_order_mail
from cart.orders.queries import order_to_dto
from cart.wiring import PaymentContext
from shared.contracts.dtos import ZERO
from shared.mail.service import queue_mail
from shared.models import Order

from .refundable import Share

EVENT = "order-refund"


async def queue_refund_mail(
    context: PaymentContext, session: AsyncSession, order: Order, shares: Sequence[Share], *, key: str
) -> None:
    """Tell a buyer what goes back to them, once for each decision, in the caller's transaction."""
    to = await addressee_of(session, order.id)
    if to is None:
        return
    mail = render_order_mail(
        EVENT,
        context,
        _about(to, shares),
        order_to_dto(order, []),
        shares=shares,
        amount=sum((share.amount for share in shares), ZERO),
    )
    await queue_mail(session, mail, kind=EVENT, key=f"{EVENT}:{key}")


def _about(to: Addressee, shares: Sequence[Share]) -> Addressee:
    """Leave the sellers whose lines money goes back for; what is for no line in particular concerns all of them."""
    lines = [share.line for share in shares if share.line is not None]
    # Nobody reads of sellers whose lines stay as they were.
    return to.about(line.page_post_id for line in lines) if len(lines) == len(shares) else to
