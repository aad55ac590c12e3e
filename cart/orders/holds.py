"""How long an unpaid order may hold things, and how many may at once: nobody holds a house for nothing."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, false, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from cart.sellables.protocol import NewLine
from shared.contracts.errors import Conflict, TooMany
from shared.contracts.orders import MOST_UNPAID
from shared.contracts.states import LineKind, OrderState
from shared.contracts.times import when
from shared.db.locks import lock_name
from shared.models import Order, OrderLine
from shared.settings import Settings

from .buyer import Buyer

REMEMBERED = timedelta(days=1)
"""For how long it counts that somebody held things and did not pay."""
NOT_PAID_FOR = (OrderState.EXPIRED, OrderState.CANCELLED)
"""Orders that lapsed or were put back. A failed one is the provider's fault, not its buyer's."""


class TooManyUnpaid(Conflict):
    """A buyer has as many unpaid orders as one may have."""

    code = "too_many_unpaid"
    text = (
        f"You have {MOST_UNPAID} orders that wait for your payment. Please pay one of them first, or put it back into"
        " your cart: then you can check out the rest."
    )


GUEST_TOO_MANY = (
    f"{MOST_UNPAID} orders from this browser or with this e-mail address wait for their payment. Please pay one of them"
    " first, or put it back; what is not paid in time comes back by itself."
)


class ManyOfNetwork(TooMany):
    """Guests of one network have as many unpaid orders as they may have together."""

    code = "many_unpaid_of_network"
    text = (
        "Many orders that came from your network are not paid yet. Please sign in to go on, then others' orders do not"
        " count; or try again in a few minutes."
    )


class HeldTooOften(TooMany):
    """A buyer has held the same things again and again without paying for them."""

    code = "held_too_often"


async def check_unpaid(session: AsyncSession, settings: Settings, buyer: Buyer) -> None:
    """Raise TooManyUnpaid, or ManyOfNetwork, where a buyer may not begin another order that holds things.

    The caller has locked the cart's owner. A guest is known by their browser, by their address, and least by their
    network, which may be a whole school's: address and network are locked here, after everything else.
    """
    for name in _names_of(buyer):
        await lock_name(session, name)
    mine, of_network = _ordered_by(buyer), _of_network(buyer)
    unpaid = (
        select(func.count().filter(mine), func.count().filter(of_network))
        .select_from(Order)
        .where(or_(mine, of_network), Order.state == OrderState.PENDING, Order.total > 0)
    )
    count_of_buyer, count_of_network = (await session.execute(unpaid)).one()
    if count_of_buyer >= MOST_UNPAID:
        raise TooManyUnpaid(None if buyer.user_id is not None else GUEST_TOO_MANY)
    if count_of_network >= settings.unpaid_orders_per_network:
        raise ManyOfNetwork


def _names_of(buyer: Buyer) -> list[str]:
    """Return what a guest is known by besides their browser, in one order for all."""
    if buyer.user_id is not None:
        return []
    names = (("guest", buyer.email), ("network", buyer.network))
    return [f"{name}:{value}" for name, value in names if value]


async def hold_time(
    session: AsyncSession, settings: Settings, buyer: Buyer, lines: Sequence[NewLine], *, now: datetime
) -> timedelta:
    """Return how long an order of these lines may wait for its payment.

    Whoever held some of it within a day and did not pay gets less each time (HOLD_AGAIN_MINUTES). Raises HeldTooOften
    once there is no shorter time left, with the time (in the installation's zone) from which it can be tried again.
    """
    steps = (settings.order_minutes, *(min(each, settings.order_minutes) for each in settings.hold_again_minutes))
    if len(steps) == 1:
        return timedelta(minutes=steps[0])
    times = await _held_before(session, buyer, lines, since=now - REMEMBERED)
    if len(times) < len(steps):
        return timedelta(minutes=steps[len(times)])
    again = when(times[len(steps) - 1] + REMEMBERED, settings.time_zone)
    raise HeldTooOften(
        f"You have held some of this {len(times)} times within a day, and not paid for it. Others want it, too: you can"
        f" check it out again on {again}, if it is still there."
    )


def _ordered_by(buyer: Buyer) -> ColumnElement[bool]:
    if buyer.user_id is not None:
        return Order.user_id == buyer.user_id
    mine = Order.session_id == buyer.owner.session_id if buyer.owner.session_id is not None else false()
    # Those of this address that have joined an account since, too: else each account would let a guest begin anew.
    return or_(mine, Order.guest_email == buyer.email) if buyer.email else mine


def _of_network(buyer: Buyer) -> ColumnElement[bool]:
    """Bound a query to the orders of guests of the same network; an account and an unknown network have none."""
    return Order.network == buyer.network if buyer.user_id is None and buyer.network else false()


async def _held_before(
    session: AsyncSession, buyer: Buyer, lines: Sequence[NewLine], *, since: datetime
) -> list[datetime]:
    """Return when a buyer's orders of some of the same were released unpaid, the newest first."""
    rows = await session.scalars(
        select(Order.released_at)
        .where(_ordered_by(buyer), Order.state.in_(NOT_PAID_FOR), Order.released_at > since)
        .where(select(OrderLine.id).where(OrderLine.order_id == Order.id, _same_things(lines)).exists())
        .order_by(Order.released_at.desc())
    )
    return [moment for moment in rows if moment is not None]


def _same_things(lines: Sequence[NewLine]) -> ColumnElement[bool]:
    """Bound a query of order lines to the same events, times, variants, or other things."""
    kinds: dict[str, list[NewLine]] = {}
    for line in lines:
        kinds.setdefault(line.kind, []).append(line)
    return or_(false(), *(and_(OrderLine.kind == kind, _same(kind, own)) for kind, own in kinds.items()))


def _same(kind: str, lines: Sequence[NewLine]) -> ColumnElement[bool]:
    if kind == LineKind.TICKET:
        return OrderLine.entry_id.in_({line.entry_id for line in lines})
    if kind == LineKind.PRODUCT:
        return OrderLine.variant_id.in_({line.variant_id for line in lines})
    if kind == LineKind.BOOKING:
        # Not by its row: a time that is taken out of the cart and chosen again is a new one.
        pages = {line.page_post_id for line in lines}
        return OrderLine.start_at.in_({line.start_at for line in lines}) & OrderLine.page_post_id.in_(pages)
    return OrderLine.thing_id.in_({line.thing_id for line in lines})
