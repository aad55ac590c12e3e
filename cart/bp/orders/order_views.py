"""Loading an order's page: for the order pages themselves and for the return from the payment."""

from __future__ import annotations

from dataclasses import replace

from quart import url_for

from cart.debts.of_order import debts_of_order
from cart.orders.buyer import Buyer
from cart.orders.open_orders import get_open_orders
from cart.orders.queries import get_order, payment_of_order, sellers_of_order
from cart.wiring import current_payment_context
from shared.contracts.errors import NotFound
from shared.web.state import request_session

from .pages import OrderLinks, OrderPage, build_order_page


def links_of(order_id: int) -> OrderLinks:
    """Return where a user's order is shown."""
    return OrderLinks(url_for("orders.order_page", order_id=order_id))


async def find_order_page(order_id: int, buyer: Buyer, links: OrderLinks) -> OrderPage | None:
    """Return the page of an order of this buyer; None where there is none, or it is somebody else's."""
    session, context = request_session(), current_payment_context()
    # First, and bounded by its buyer: everything after it is about this order alone.
    order = await get_order(session, order_id, buyer)
    if order is None:
        return None
    open_orders = await get_open_orders(session, buyer)
    payment = await payment_of_order(session, order.id, buyer)
    return build_order_page(
        order,
        await context.sellables.given(session, order.id),
        links=links,
        sellers=await sellers_of_order(session, order.id),
        owed=await debts_of_order(session, order.id, buyer),
        unpaid=next((unpaid for unpaid in open_orders if unpaid.order.id == order.id), None),
        payment_state=None if payment is None else payment.state,
        now=context.clock(),
        time_zone=context.settings.time_zone,
        email=buyer.email or order.guest_email or "",
    )


async def load_order_page(order_id: int, buyer: Buyer, links: OrderLinks, *, problem: str = "") -> OrderPage:
    """Return the page of an order of this buyer, with what went wrong; raises NotFound."""
    page = await find_order_page(order_id, buyer, links)
    if page is None:
        raise NotFound
    return replace(page, problem=problem)
