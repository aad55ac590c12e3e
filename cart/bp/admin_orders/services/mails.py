"""Which mails are about which order: a mail knows its key alone, and the key is made of what the mail tells of."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from sqlalchemy import (
    BigInteger,
    CompoundSelect,
    Select,
    SQLColumnExpression,
    case,
    cast,
    func,
    literal,
    select,
    union_all,
)

from shared.models import CalendarEntry, Debt, Mail, Order, OrderLine

OF_ORDERS = ("order-paid", "order-oversold", "lines-cancelled")
"""Kinds whose keys go on with the order's id."""
OF_BOOKINGS = ("booking-approved", "booking-declined")
"""Kinds whose keys go on with the booking's id."""


def keys_of(order_ids: Collection[int]) -> CompoundSelect[int, str]:
    """Select every key that a mail about these orders may have, with the order's id: mails are found by their keys."""
    return union_all(
        _keys("order-paid", Order.id, Order.id).where(Order.id.in_(order_ids)),
        _keys("order-oversold", Debt.order_id, Debt.order_id, Debt.id).where(Debt.order_id.in_(order_ids)),
        _keys("lines-cancelled", OrderLine.order_id, OrderLine.order_id, OrderLine.id).where(
            OrderLine.order_id.in_(order_ids)
        ),
        *(
            _keys(kind, CalendarEntry.order_id, CalendarEntry.id).where(CalendarEntry.order_id.in_(order_ids))
            for kind in OF_BOOKINGS
        ),
    )


def _keys(kind: str, order_id: SQLColumnExpression[Any], *ids: SQLColumnExpression[int]) -> Select[int, str]:
    """Select the keys of one kind."""
    parts = [part for one in ids for part in (literal(":"), one)]
    return select(order_id.label("order_id"), func.concat(literal(kind), *parts).label("key"))


def order_ids_of_given_up() -> CompoundSelect[int]:
    """Select the orders about which a mail was given up."""
    named = case(
        (Mail.kind.in_((*OF_ORDERS, *OF_BOOKINGS)), cast(func.split_part(Mail.key, ":", 2), BigInteger)), else_=None
    )
    return union_all(
        select(named.label("order_id")).where(Mail.given_up_at.is_not(None), Mail.kind.in_(OF_ORDERS)),
        select(CalendarEntry.order_id.label("order_id"))
        .join(Mail, CalendarEntry.id == named)
        .where(Mail.given_up_at.is_not(None), Mail.kind.in_(OF_BOOKINGS)),
    )
