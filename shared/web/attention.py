"""The number beside "Refunds" in the header: what waits for whoever may refund.

It is counted before the route begins, in one query of its own, for people with the role and for whole pages alone;
nobody else causes a query.
"""

from __future__ import annotations

from typing import cast

from quart import Quart, g

from shared.contracts.states import Role
from shared.db.uow import unit_of_work

from .htmx import is_htmx
from .identity import current_scope
from .paths import is_page_request
from .state import app_state

MOST_SHOWN = 99


def current_attention() -> str | None:
    """Return what the header shows: a number, "99+", nothing where nothing waits; None for people without the role."""
    return cast("str | None", g.get("attention"))


async def _load() -> None:
    scope = current_scope(Role.REFUNDS)
    if scope.is_empty or not is_page_request() or is_htmx():
        return
    state = app_state()
    # A session of its own, which ends here: ``g.s`` is the route's.
    async with unit_of_work(state.database) as uow:
        count = await state.services.cart.count_attention(uow.session, scope)
    g.attention = f"{MOST_SHOWN}+" if count > MOST_SHOWN else str(count or "")


def install_attention(app: Quart) -> None:
    """Count before every page of ``app``. To be called after identity was installed."""
    app.before_request(_load)
