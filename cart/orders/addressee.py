"""Who is written to about an order, and whom they may ask about it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from cart.wiring import PaymentContext
from shared.contracts.dtos import OrderDTO, SellerDTO
from shared.mail.render import Message, render_mail
from shared.models import Order, OrderSeller, User

from .guest import order_url
from .queries import seller_to_dto


@dataclass(frozen=True, slots=True)
class Addressee:
    """Who is written to about an order, and who sold what the mail is about, as they were at checkout."""

    email: str
    sellers: tuple[SellerDTO, ...]

    @property
    def answers_to(self) -> str:
        """Where an answer goes: to the one seller whom the mail is about; with several nobody knows to which."""
        return self.sellers[0].email if len(self.sellers) == 1 else ""

    def about(self, page_ids: Iterable[int | None]) -> Addressee:
        """Return the addressee of a mail that is about what these pages sold, and nobody else."""
        pages = set(page_ids)
        return replace(self, sellers=tuple(seller for seller in self.sellers if seller.page_post_id in pages))


async def addressee_of(session: AsyncSession, order_id: int) -> Addressee | None:
    """Return whom an order's mails go to, with all of its sellers; None where nobody has an address. One query."""
    rows = (
        await session.execute(
            # The account's address, which its owner may have changed since, and not the one of the day of the order.
            select(func.coalesce(User.email, Order.guest_email), OrderSeller)
            .select_from(Order)
            .outerjoin(User, User.id == Order.user_id)
            # Outer: an order of what no page sells has no sellers, and its buyer is written to all the same.
            .outerjoin(OrderSeller, OrderSeller.order_id == Order.id)
            .where(Order.id == order_id)
            .order_by(OrderSeller.page_title, OrderSeller.id)
        )
    ).all()
    email = rows[0][0] if rows else None
    if email is None:
        return None
    return Addressee(email, tuple(map(seller_to_dto, filter(None, (seller for _, seller in rows)))))


def render_order_mail(event: str, context: PaymentContext, to: Addressee, order: OrderDTO, **values: object) -> Message:
    """Render a mail about an order, with the way to it and to whom its reader may ask."""
    return render_mail(
        event,
        settings=context.settings,
        recipient=to.email,
        reply_to=to.answers_to,
        sellers=to.sellers,
        order=order,
        order_url=order_url(context.settings, order),
        **values,
    )
