"""The whole cart: looking at it, changing it, checking it out, and coming back from the payment."""

from __future__ import annotations

from datetime import timedelta
from http import HTTPStatus

from quart import Blueprint, Response, make_response, render_template, request, url_for
from quart.typing import ResponseTypes

from cart.bp.cart.services import settle_or_raise
from cart.bp.orders.order_views import find_order_page
from cart.bp.orders.services import payment_by_return_token
from cart.wiring import current_till
from shared.contracts.dtos import PaymentDTO
from shared.contracts.errors import GatewayError, NotFound, ShopError
from shared.contracts.states import OrderState, PaymentState
from shared.db.uow import unit_of_work
from shared.services.registry import services
from shared.web.htmx import is_htmx, redirect_to
from shared.web.identity import current_user, sign_in_required
from shared.web.limits import limit_per_person
from shared.web.state import request_session

from .cart_views import check_out, load_cart_page, refuse, show_cart_page, signed_in_user
from .forms import TicketsForm, read_tickets_form
from .return_page import ReturnPage, Verdict, judge, state_now

bp = Blueprint("cart", __name__)
MINUTE = timedelta(minutes=1)
CLOSED_STATES = frozenset({PaymentState.EXPIRED, PaymentState.CANCELLED})
"""What a payment becomes only once the provider has said that it can no longer be paid."""


@bp.get("/")
async def overview() -> ResponseTypes:
    """Show the whole cart, grouped by page."""
    return await show_cart_page(await load_cart_page())


@bp.post("/cart/tickets/")
@sign_in_required
async def change_tickets() -> ResponseTypes:
    """Change how many tickets of one kind are in the cart, or take them out."""
    form = read_tickets_form(await request.form)
    only = await services.blog.page_by_slug(request_session(), form.view) if form.view else None
    try:
        await _set_quantity(form)
    except ShopError as refusal:
        return await refuse(refusal, only=only, form=form)
    if is_htmx():
        return await show_cart_page(await load_cart_page(only=only))
    return redirect_to("/" if only is None else url_for("page_cart.page_cart", page_slug=only.slug))


async def _set_quantity(form: TicketsForm) -> None:
    """Make the cart hold what the form says."""
    await services.calendar.set_pending_tickets(
        request_session(),
        user_id=signed_in_user().id,
        entry_id=form.entry_id,
        ticket_type_id=form.ticket_type_id,
        quantity=form.quantity,
        now=current_till().clock(),
    )


@bp.post("/checkout/")
@limit_per_person(30, MINUTE)
@sign_in_required
async def checkout() -> ResponseTypes:
    """Check out everything in the cart: products, bookings and tickets, all or none."""
    return await check_out(None)


@bp.get("/checkout/")
async def checkout_again() -> Response:
    """Show the cart to whoever comes back to the address of a refused checkout."""
    return redirect_to("/")


# --- Coming back from the payment ---


@bp.get("/checkout/return/<token>/")
async def checkout_return(token: str) -> ResponseTypes:
    """Say whether the payment arrived; asks the provider once, with no transaction open.

    htmx asks again every few seconds while it is being checked, and is sent to the page anew once that is over.
    """
    payment = await _payment_of(token)
    state = await _settle(payment)
    page = await _build_return_page(payment, state, token)
    if is_htmx():
        return Response(b"", HTTPStatus.NO_CONTENT) if page.verdict is Verdict.CHECKING else redirect_to(page.poll_url)
    return await make_response(await render_template("_types/checkout/return.html", page=page))


async def _payment_of(token: str) -> PaymentDTO:
    """Return the payment behind a return address, read in a short transaction of its own."""
    async with unit_of_work(current_till().database) as uow:
        payment = await payment_by_return_token(uow.session, token)
    if payment is None:
        raise NotFound
    return payment


async def _settle(payment: PaymentDTO) -> PaymentState:
    """Settle a payment; where the provider cannot be asked, only a state that was proven before is no doubt."""
    try:
        return await settle_or_raise(current_till(), payment.id)
    except GatewayError:
        return payment.state if payment.state in CLOSED_STATES else PaymentState.UNKNOWN


async def _build_return_page(payment: PaymentDTO, state: PaymentState, token: str) -> ReturnPage:
    """Put the page together: the verdict for anybody with the address, the order for its owner."""
    till, user = current_till(), current_user()
    found = None if user is None else await find_order_page(payment.order_id, user)
    order = None if found is None else found.order
    state = state_now(state, None if found is None else found.payment_state)
    in_time = till.clock() < (payment.valid_until if order is None else order.expires_at)
    holds_seats = order is not None and order.state is OrderState.PENDING and in_time
    return ReturnPage(
        verdict=judge(state, None if order is None else order.state, in_time=in_time),
        poll_url=url_for("cart.checkout_return", token=token),
        order=found,
        seats_until=order.expires_at if order is not None and holds_seats else None,
        in_review=state is PaymentState.REVIEW,
        time_zone=till.settings.time_zone,
    )
