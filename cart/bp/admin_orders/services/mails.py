"""Which mails are about which order: a mail knows its key alone, and the key is made of what the mail tells of."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    CompoundSelect,
    Select,
    SQLColumnExpression,
    Uuid,
    case,
    cast,
    func,
    literal,
    select,
    union,
    union_all,
)
from sqlalchemy.types import TypeEngine

from shared.models import CalendarEntry, Debt, Mail, Order, OrderLine

OF_ORDERS = ("order-paid", "order-oversold", "lines-cancelled")
"""Kinds whose keys go on with the order's id."""
OF_BOOKINGS = ("booking-approved", "booking-declined")
"""Kinds whose keys go on with the booking's id."""
OF_DECISIONS = ("order-refund",)
"""Kinds whose keys go on with the press of the button that made the order's debts."""


def keys_of(order_ids: Collection[int]) -> CompoundSelect[int, str]:
    """Select every key that a mail about these orders may have, with the order's id: mails are found by their keys."""
    # A union, not an OR over all mails: each part goes by the index of its own table.
    return union(
        _keys("order-paid", Order.id, Order.id).where(Order.id.in_(order_ids)),
        _keys("order-oversold", Debt.order_id, Debt.order_id, Debt.id).where(Debt.order_id.in_(order_ids)),
        _keys("lines-cancelled", OrderLine.order_id, OrderLine.order_id, OrderLine.id).where(
            OrderLine.order_id.in_(order_ids)
        ),
        *(
            _keys(kind, CalendarEntry.order_id, CalendarEntry.id).where(CalendarEntry.order_id.in_(order_ids))
            for kind in OF_BOOKINGS
        ),
        *(
            _keys(kind, Debt.order_id, Debt.request_key).where(
                Debt.order_id.in_(order_ids), Debt.request_key.is_not(None)
            )
            for kind in OF_DECISIONS
        ),
    )


def _keys(kind: str, order_id: SQLColumnExpression[Any], *parts: SQLColumnExpression[Any]) -> Select[int, str]:
    named = [text for part in parts for text in (literal(":"), part)]
    return select(order_id.label("order_id"), func.concat(literal(kind), *named).label("key"))


def order_ids_of_given_up() -> CompoundSelect[int]:
    """Select the orders about which a mail was given up."""
    order_id, entry_id, press = (
        _named(OF_ORDERS, BigInteger()),
        _named(OF_BOOKINGS, BigInteger()),
        # A key of another kind would not cast: hence the CASE in _named.
        _named(OF_DECISIONS, Uuid()),
    )
    given_up = Mail.given_up_at.is_not(None)
    return union_all(
        select(order_id.label("order_id")).where(given_up, Mail.kind.in_(OF_ORDERS)),
        select(CalendarEntry.order_id).join(Mail, CalendarEntry.id == entry_id).where(given_up),
        select(Debt.order_id).join(Mail, Debt.request_key == press).where(given_up),
    )


def _named(kinds: Sequence[str], as_type: TypeEngine[Any]) -> ColumnElement[Any]:
    """Return what the key of a mail of these kinds names; null for all others, whose keys may be anything."""
    return case((Mail.kind.in_(kinds), cast(func.split_part(Mail.key, ":", 2), as_type)), else_=None)
