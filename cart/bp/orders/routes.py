"""A shopper's orders: the list, one order with its tickets, and the two ways on from an unpaid one."""

from __future__ import annotations

from datetime import timedelta
from http import HTTPStatus

from quart import Blueprint, Response, make_response, render_template, request, url_for
from quart.typing import ResponseTypes

from cart.bp.cart.cart_views import signed_in_user
from cart.bp.cart.forms import read_key
from cart.bp.cart.services import PutBackOutcome, continue_payment, put_back
from cart.bp.orders.services import my_orders
from cart.wiring import current_till
from shared.contracts.dtos import OrderDTO, UserDTO
from shared.contracts.errors import NotFound, ShopError
from shared.web.htmx import redirect_to
from shared.web.identity import sign_in_required
from shared.web.limits import limit_per_person
from shared.web.session import discard_session
from shared.web.state import request_session

from .order_views import load_order_page
from .pages import STATE_WORDS, OrderListPage

bp = Blueprint("orders", __name__, url_prefix="/orders")
PAGE_SIZE = 20
MINUTE = timedelta(minutes=1)


@bp.get("/")
@sign_in_required
async def my_order_list() -> str:
    """List the person's orders, newest first, a page at a time."""
    before = read_key(request.args.get("before", ""))
    found = await my_orders(request_session(), user_id=signed_in_user().id, before=before, limit=PAGE_SIZE + 1)
    return await render_template("_types/orders/index.html", page=_list_page(found))


def _list_page(found: list[OrderDTO]) -> OrderListPage:
    """Return the list's page; the one order too many says that there are more."""
    shown = found[:PAGE_SIZE]
    more = len(found) > PAGE_SIZE
    return OrderListPage(
        orders=tuple((order, *STATE_WORDS[order.state]) for order in shown),
        next_url=url_for("orders.my_order_list", before=shown[-1].id) if more else "",
        time_zone=current_till().settings.time_zone,
    )


@bp.get("/<int:order_id>/")
@sign_in_required
async def order_page(order_id: int) -> str:
    """Show one order of the person's: what, how much, in which state, and its tickets with their codes."""
    return await render_template("_types/orders/detail.html", page=await load_order_page(order_id, signed_in_user()))


@bp.post("/<int:order_id>/pay/")
@limit_per_person(30, MINUTE)
@sign_in_required
async def pay(order_id: int) -> ResponseTypes:
    """Send the browser to the payment of an order that waits for it."""
    user = signed_in_user()
    try:
        return redirect_to(await continue_payment(current_till(), user_id=user.id, order_id=order_id))
    except NotFound:
        raise
    except ShopError as refusal:
        return await _refuse(order_id, user, refusal)


@bp.post("/<int:order_id>/put-back/")
@limit_per_person(30, MINUTE)
@sign_in_required
async def put_order_back(order_id: int) -> ResponseTypes:
    """Put an unpaid order's lines back into the cart, once it is certain that nobody can pay it any more."""
    user = signed_in_user()
    try:
        outcome = await put_back(current_till(), user_id=user.id, order_id=order_id)
    except NotFound:
        raise
    except ShopError as refusal:
        return await _refuse(order_id, user, refusal)
    return _after_put_back(order_id, outcome)


def _after_put_back(order_id: int, outcome: PutBackOutcome) -> Response:
    """Go to the cart when the lines are back in it, else to the order, which says what became of it."""
    if outcome is PutBackOutcome.RELEASED:
        return redirect_to(url_for("cart.overview", notice="put-back"))
    return redirect_to(url_for("orders.order_page", order_id=order_id))


async def _refuse(order_id: int, user: UserDTO, refusal: ShopError) -> ResponseTypes:
    """Show the order as it is now, with why the button did nothing."""
    await discard_session()
    page = await load_order_page(order_id, user, problem=str(refusal))
    html = await render_template("_types/orders/detail.html", page=page)
    return await make_response(html, refusal.status or HTTPStatus.CONFLICT)
