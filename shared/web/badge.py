"""The number in the header's cart badge.

It is fetched before the route begins, while no transaction is open, at most once a page: the other apps ask the
cart app, the cart app asks its own service. ``GET /cart-badge`` gives the badge alone, for htmx to refresh it after
a change.
"""

from __future__ import annotations

from typing import cast

from quart import Quart, g, render_template, request

from shared.contracts.dtos import CartSummaryDTO
from shared.contracts.owner import CartOwner
from shared.db.uow import unit_of_work

from .htmx import is_htmx
from .identity import current_cart_owner, may_have_cart
from .paths import is_page_request
from .state import AppState, app_state

BADGE_PATH = "/cart-badge"


def current_badge() -> CartSummaryDTO | None:
    """Return what the badge shows; None where it is not known, and the badge has no number."""
    return cast("CartSummaryDTO | None", g.get("badge"))


async def _summary(state: AppState, owner: CartOwner) -> CartSummaryDTO | None:
    if state.name != "cart":
        return await state.clients.cart.cart_summary(owner)
    ask = state.own_summary or state.services.cart.cart_summary
    async with unit_of_work(state.database) as uow:
        return await ask(uow.session, owner)


async def _load() -> None:
    """Fetch the badge of a whole page; a partial shows none, and nobody is asked about a cart that is surely empty."""
    if not is_page_request() or (is_htmx() and request.path != BADGE_PATH):
        return
    # ``may_have_cart`` is a column of the session's row: most visitors cause no call and no query here.
    g.badge = await _summary(app_state(), current_cart_owner()) if may_have_cart() else CartSummaryDTO()


async def reload_badge() -> None:
    """Fetch the badge anew, for a page whose request has changed what it shows; no transaction may be open."""
    await _load()


async def _show_badge() -> str:
    return await render_template("_types/cart/_mini.html")


def install_badge(app: Quart) -> None:
    """Fetch the badge before every page of ``app``. To be called after identity was installed."""
    app.before_request(_load)
    app.add_url_rule(BADGE_PATH, "cart_badge", _show_badge)
