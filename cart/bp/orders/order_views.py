"""Loading an order's page: for the order page itself and for the return from the payment."""

from __future__ import annotations

from dataclasses import replace

from cart.bp.cart.services import get_open_orders
from cart.bp.orders.services import get_order, payment_of_order
from cart.bp.orders.services.debts import debts_of_order
from cart.wiring import current_till
from shared.contracts.dtos import UserDTO
from shared.contracts.errors import NotFound
from shared.services.registry import services
from shared.web.state import request_session

from .pages import OrderPage, build_order_page


async def find_order_page(order_id: int, user: UserDTO) -> OrderPage | None:
    """Return the page of an order of this person; None where there is none, or it is somebody else's."""
    session, till = request_session(), current_till()
    order = await get_order(session, order_id, user_id=user.id)
    if order is None:
        return None
    open_orders = await get_open_orders(session, user.id)
    payment = await payment_of_order(session, order.id, user_id=user.id)
    return build_order_page(
        order,
        await services.calendar.get_tickets_for_order(session, order.id),
        await services.calendar.get_entries_for_order(session, order.id),
        owed=await debts_of_order(session, order.id, user_id=user.id),
        unpaid=next((unpaid for unpaid in open_orders if unpaid.order.id == order.id), None),
        payment_state=None if payment is None else payment.state,
        now=till.clock(),
        time_zone=till.settings.time_zone,
        email=user.email,
    )


async def load_order_page(order_id: int, user: UserDTO, *, problem: str = "") -> OrderPage:
    """Return the page of an order of this person, with what went wrong; raises NotFound."""
    page = await find_order_page(order_id, user)
    if page is None:
        raise NotFound
    return replace(page, problem=problem)
