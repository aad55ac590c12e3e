"""What a buyer is told of money that somebody decided to give back."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy.ext.asyncio import AsyncSession

from cart.bp.orders.services import order_to_dto
from cart.bp.orders.services.guest import order_url
from cart.bp.orders.services.mails import recipient_of
from cart.wiring import Till
from shared.contracts.dtos import ZERO
from shared.mail.render import render_mail
from shared.mail.service import queue_mail
from shared.models import Order

from .refundable import Share

EVENT = "order-refund"


async def queue_refund_mail(
    till: Till, session: AsyncSession, order: Order, shares: Sequence[Share], *, key: str
) -> None:
    """Tell a buyer what goes back to them, once for each decision, in the caller's transaction."""
    recipient = await recipient_of(session, order.id)
    if recipient is None:
        return
    dto = order_to_dto(order, [])
    mail = render_mail(
        EVENT,
        settings=till.settings,
        recipient=recipient,
        order=dto,
        shares=shares,
        amount=sum((share.amount for share in shares), ZERO),
        order_url=order_url(till.settings, dto),
    )
    await queue_mail(session, mail, kind=EVENT, key=f"{EVENT}:{key}")
