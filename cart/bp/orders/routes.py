"""A shopper's orders: the list, one order with its tickets, and the two ways on from an unpaid one."""

from __future__ import annotations

from datetime import timedelta
from http import HTTPStatus

from quart import Blueprint, make_response, render_template, request, url_for
from quart.typing import ResponseTypes

from cart.bp.cart.cart_views import buyer_of, cart_url, current_buyer, refuse, signed_in_user
from cart.bp.cart.forms import read_key
from cart.bp.cart.services.begin import continue_payment
from cart.orders.buyer import Buyer
from cart.orders.queries import my_orders
from cart.payments.fence import PutBackOutcome, put_back
from cart.wiring import current_till
from shared.contracts.dtos import OrderDTO
from shared.contracts.errors import NotFound, ShopError, SignInRequired
from shared.web.htmx import redirect_to
from shared.web.identity import sign_in_required
from shared.web.limits import limit_per_person
from shared.web.session import discard_session
from shared.web.state import request_session

from .order_views import links_of, load_order_page
from .pages import OrderLinks, OrderListPage, words_of
from .receipt_views import load_receipt

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
        orders=tuple((order, *words_of(order)) for order in shown),
        next_url=url_for("orders.my_order_list", before=shown[-1].id) if more else "",
        time_zone=current_till().settings.time_zone,
    )


@bp.get("/<int:order_id>/")
@sign_in_required
async def order_page(order_id: int) -> str:
    """Show one order of the person's: what, how much, in which state, and its tickets with their codes."""
    page = await load_order_page(order_id, buyer_of(signed_in_user()), links_of(order_id))
    return await render_template("_types/orders/detail.html", page=page)


@bp.get("/<int:order_id>/receipt/")
@sign_in_required
async def receipt(order_id: int) -> str:
    """Show the receipt of one of the person's orders, to be printed."""
    page = await load_receipt(order_id, buyer_of(signed_in_user()), links_of(order_id))
    return await render_template("_types/orders/receipt.html", page=page)


@bp.post("/<int:order_id>/pay/")
@limit_per_person(30, MINUTE)
async def pay(order_id: int) -> ResponseTypes:
    """Send the browser to the payment of an order that waits for it; a guest's is known by the browser that made it."""
    return await send_to_payment(order_id, current_buyer(), links_of(order_id))


@bp.post("/<int:order_id>/put-back/")
@limit_per_person(30, MINUTE)
async def put_order_back(order_id: int) -> ResponseTypes:
    """Put an unpaid order's lines back into the cart, once it is certain that nobody can pay it any more."""
    return await give_up(order_id, current_buyer(), links_of(order_id))


async def send_to_payment(order_id: int, buyer: Buyer, links: OrderLinks) -> ResponseTypes:
    """Send the browser to the payment, or show the order with why not."""
    try:
        return redirect_to(await continue_payment(current_till(), buyer, order_id=order_id))
    except NotFound:
        if _may_look(buyer):
            raise
        raise SignInRequired from None  # who was signed out meanwhile is told how to come back
    except ShopError as refusal:
        return await _refuse(order_id, buyer, links, refusal)


async def give_up(order_id: int, buyer: Buyer, links: OrderLinks) -> ResponseTypes:
    """Put an order back, and go to the cart if its lines are in it now, else to the order, which says how it stands."""
    try:
        outcome = await put_back(current_till(), buyer, order_id=order_id)
    except NotFound:
        if _may_look(buyer):
            raise
        raise SignInRequired from None  # who was signed out meanwhile is told how to come back
    except ShopError as refusal:
        return await _refuse(order_id, buyer, links, refusal)
    is_in_cart = outcome is PutBackOutcome.RELEASED or not _may_look(buyer)
    return redirect_to(
        cart_url(None, "put-back" if outcome is PutBackOutcome.RELEASED else "") if is_in_cart else links.path
    )


def _may_look(buyer: Buyer) -> bool:
    """Tell whether a buyer may open the order itself: a guest only by its token."""
    return buyer.user_id is not None or buyer.token_hash is not None


async def _refuse(order_id: int, buyer: Buyer, links: OrderLinks, refusal: ShopError) -> ResponseTypes:
    """Show the order (or the cart, to a guest without its token) as it is now, with why the button did nothing."""
    if not _may_look(buyer):
        return await refuse(refusal)
    await discard_session()
    page = await load_order_page(order_id, buyer, links, problem=str(refusal))
    html = await render_template("_types/orders/detail.html", page=page)
    return await make_response(html, refusal.status or HTTPStatus.CONFLICT)
