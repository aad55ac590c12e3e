"""A guest's order, which opens by the token from its mail, and by nothing else."""

from __future__ import annotations

from quart import Blueprint, make_response, render_template, url_for
from quart.typing import ResponseTypes

from cart.orders.buyer import Buyer
from cart.orders.guest import LinkEnded, hash_guest_token
from cart.orders.queries import order_id_of_token
from cart.wiring import current_payment_context
from shared.contracts.errors import NotFound
from shared.db.uow import unit_of_work

from .order_views import load_order_page
from .pages import OrderLinks
from .receipt_views import load_receipt

bp = Blueprint("guest_orders", __name__, url_prefix="/orders/guest")


@bp.get("/<token>/")
async def order_page(token: str) -> ResponseTypes:
    """Show a guest's order to whoever has its token."""
    page = await load_order_page(*await find_opened_order(token))
    return await _private(await render_template("_types/orders/detail.html", page=page))


@bp.get("/<token>/receipt/")
async def receipt(token: str) -> ResponseTypes:
    """Show the receipt of a guest's order to whoever has its token."""
    page = await load_receipt(*await find_opened_order(token))
    return await _private(await render_template("_types/orders/receipt.html", page=page))


async def find_opened_order(token: str) -> tuple[int, Buyer, OrderLinks]:
    """Return the order that a token opens, and its buyer. Raises NotFound, and LinkEnded long after its events.

    Read in a short transaction of its own: some of what follows calls the provider.
    """
    # Looked up by its hash: the database holds nothing that opens an order.
    token_hash, context = hash_guest_token(token), current_payment_context()
    async with unit_of_work(context.database) as uow:
        found = await order_id_of_token(
            uow.session, token_hash, now=context.clock(), days=context.settings.guest_link_days
        )
    if found is None:
        raise NotFound("This link opens no order. Please use the link in our mail as it is, without a change.")
    order_id, is_open = found
    if not is_open:
        raise LinkEnded
    return order_id, Buyer(token_hash=token_hash), OrderLinks(url_for("guest_orders.order_page", token=token))


async def _private(html: str) -> ResponseTypes:
    """Answer with a page whose address is a secret: what is opened from it must not learn it."""
    response = await make_response(html)
    # The origin alone goes along, so that the page's own forms still come from somewhere.
    response.headers["Referrer-Policy"] = "strict-origin"
    response.headers["Cache-Control"] = "no-store"
    return response
