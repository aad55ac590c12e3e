"""The two ways on from an unpaid order: to its payment, or back into the cart."""

from __future__ import annotations

from datetime import timedelta
from http import HTTPStatus

from quart import Blueprint, make_response, render_template
from quart.typing import ResponseTypes

from cart.bp.buyers import current_buyer
from cart.bp.cart.cart_views import cart_url, refuse
from cart.bp.orders.guest_routes import find_opened_order
from cart.bp.orders.order_views import links_of, load_order_page
from cart.bp.orders.pages import OrderLinks
from cart.orders.buyer import Buyer
from cart.payments.fence import PutBackOutcome, put_back
from cart.payments.resume import continue_payment
from cart.wiring import current_payment_context
from shared.contracts.errors import NotFound, ShopError, SignInRequired
from shared.web.htmx import redirect_to
from shared.web.limits import limit_per_client, limit_per_person
from shared.web.session import discard_session

bp = Blueprint("unpaid_orders", __name__, url_prefix="/orders")
MINUTE = timedelta(minutes=1)


@bp.post("/<int:order_id>/pay/")
@limit_per_person(30, MINUTE)
async def pay(order_id: int) -> ResponseTypes:
    """Send the browser to the payment of an order that waits for it; a guest's is known by the browser that made it."""
    return await _send_to_payment(order_id, current_buyer(), links_of(order_id))


@bp.post("/<int:order_id>/put-back/")
@limit_per_person(30, MINUTE)
async def put_order_back(order_id: int) -> ResponseTypes:
    """Put an unpaid order's lines back into the cart, once it is certain that nobody can pay it any more."""
    return await _release(order_id, current_buyer(), links_of(order_id))


@bp.post("/guest/<token>/pay/")
@limit_per_client(30, MINUTE)
async def pay_as_guest(token: str) -> ResponseTypes:
    """Send the browser to the payment of a guest's order."""
    return await _send_to_payment(*await find_opened_order(token))


@bp.post("/guest/<token>/put-back/")
@limit_per_client(30, MINUTE)
async def put_guest_order_back(token: str) -> ResponseTypes:
    """Release a guest's unpaid order."""
    return await _release(*await find_opened_order(token))


async def _send_to_payment(order_id: int, buyer: Buyer, links: OrderLinks) -> ResponseTypes:
    """Send the browser to the payment, or show the order with why not."""
    try:
        return redirect_to(await continue_payment(current_payment_context(), buyer, order_id=order_id))
    except NotFound:
        if _may_look(buyer):
            raise
        raise SignInRequired from None  # who was signed out meanwhile is told how to come back
    except ShopError as refusal:
        return await _refuse(order_id, buyer, links, refusal)


async def _release(order_id: int, buyer: Buyer, links: OrderLinks) -> ResponseTypes:
    """Release an order, and go to the cart if its lines are in it now, else to the order, which says how it stands."""
    try:
        outcome = await put_back(current_payment_context(), buyer, order_id=order_id)
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
