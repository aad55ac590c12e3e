"""A shopper's orders: the list, one order with its tickets, and its receipt."""

from __future__ import annotations

from functools import partial

from quart import Blueprint, render_template, request, url_for

from cart.bp.buyers import buyer_of
from cart.orders.queries import my_orders
from cart.wiring import current_payment_context
from shared.contracts.dtos import OrderDTO
from shared.contracts.paging import Part, read_id_key, read_part
from shared.web.identity import sign_in_required, signed_in_user
from shared.web.state import request_session

from .order_views import links_of, load_order_page
from .pages import OrderListPage, words_of
from .receipt_views import load_receipt

bp = Blueprint("orders", __name__, url_prefix="/orders")
PAGE_SIZE = 20


@bp.get("/")
@sign_in_required
async def my_order_list() -> str:
    """List the person's orders, newest first, a page at a time."""
    before = read_id_key(request.args.get("before", ""))
    mine = partial(my_orders, request_session(), user_id=signed_in_user().id, before=before)
    part = await read_part(mine, size=PAGE_SIZE, key_of=lambda order: str(order.id))
    return await render_template("_types/orders/index.html", page=_list_page(part))


def _list_page(part: Part[OrderDTO]) -> OrderListPage:
    return OrderListPage(
        orders=tuple((order, *words_of(order)) for order in part.rows),
        next_url=part.next_url(lambda key: url_for("orders.my_order_list", before=key)),
        time_zone=current_payment_context().settings.time_zone,
    )


@bp.get("/<int:order_id>/")
@sign_in_required
async def order_page(order_id: int) -> str:
    """Show one order of the person's: what, how much, in which state, and its tickets with their codes."""
    # Somebody else's order is "not found", as one that never was.
    page = await load_order_page(order_id, buyer_of(signed_in_user()), links_of(order_id))
    return await render_template("_types/orders/detail.html", page=page)


@bp.get("/<int:order_id>/receipt/")
@sign_in_required
async def receipt(order_id: int) -> str:
    """Show the receipt of one of the person's orders, to be printed."""
    page = await load_receipt(order_id, buyer_of(signed_in_user()), links_of(order_id))
    return await render_template("_types/orders/receipt.html", page=page)
