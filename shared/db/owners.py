"""A cart's owner as the columns of the tables that have one."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import ColumnElement, false

from shared.contracts.owner import CartOwner
from shared.models import CalendarEntry, CartItem, CartNotice, Order


def owned_by(model: type[CalendarEntry | CartItem | CartNotice | Order], owner: CartOwner) -> ColumnElement[bool]:
    """Bound a query by whose the rows are; nobody owns nothing."""
    if owner.user_id is not None:
        return model.user_id == owner.user_id
    if owner.session_id is None:
        return false()
    # An order that became a user's when its guest signed in keeps the session's id, and is no longer the session's.
    return (model.session_id == owner.session_id) & model.user_id.is_(None)


def owner_columns(owner: CartOwner) -> dict[str, int | UUID | None]:
    """Return the columns that say whose a new row is."""
    return {"user_id": owner.user_id, "session_id": owner.session_id}
