"""The whole cart: looking at it, changing it, checking it out, and coming back from the payment."""

from __future__ import annotations

from datetime import timedelta
from http import HTTPStatus

from quart import Blueprint, Response, make_response, render_template, request, url_for
from quart.typing import ResponseTypes

from cart.bp.buyers import buyer_of
from cart.bp.cart.services.tidy import tidy_cart
from cart.bp.orders.order_views import find_order_page, links_of
from cart.orders.queries import is_guest_order, payment_by_return_token
from cart.payments.settle import Seen, settle_for_a_look
from cart.wiring import current_payment_context
from shared.contracts.dtos import PageDTO, PaymentDTO
from shared.contracts.errors import GatewayError, NotFound, ShopError
from shared.contracts.states import CLOSED_PAYMENT_STATES, OrderState, PaymentState
from shared.db.uow import unit_of_work
from shared.services.registry import services
from shared.web.badge import reload_badge
from shared.web.htmx import is_htmx, redirect_to
from shared.web.identity import current_cart_owner, current_user, sign_in_required
from shared.web.limits import limit_per_person
from shared.web.state import request_session

from .cart_views import (
    after_change,
    check_out,
    load_cart_page,
    refuse,
    show_cart_page,
)
from .forms import BookingForm, LineForm, NoticesForm, OtherLineForm, ProductForm, TicketsForm, ViewForm
from .return_page import ReturnOutcome, ReturnPage, judge, state_now

bp = Blueprint("cart", __name__)
MINUTE = timedelta(minutes=1)


@bp.get("/")
async def overview() -> ResponseTypes:
    """Show the whole cart, grouped by page."""
    return await show_cart_page(await load_cart_page())


@bp.post("/cart/tickets/")
@sign_in_required
async def change_tickets() -> ResponseTypes:
    """Change how many tickets of one kind are in the cart, or take them out."""
    return await _change(TicketsForm.parse(await request.form))


@bp.post("/cart/products/")
async def change_products() -> ResponseTypes:
    """Change how many of one product are in the cart, or take it out."""
    return await _change(ProductForm.parse(await request.form))


@bp.post("/cart/bookings/")
async def remove_booking() -> ResponseTypes:
    """Take a booking out of the cart."""
    return await _change(BookingForm.parse(await request.form))


@bp.post("/cart/lines/")
async def change_line() -> ResponseTypes:
    """Change how many of anything else are in the cart, or take it out."""
    return await _change(OtherLineForm.parse(await request.form))


async def _change(form: LineForm) -> ResponseTypes:
    """Make the cart hold as many of a line as the form says, and show it with what came of that."""
    # The view is kept: who changes a line in one page's part stays there.
    only, context = await _page_of(form.view), current_payment_context()
    sellable, owner = context.sellables.of(form.key[0]), current_cart_owner()
    try:
        await sellable.change(request_session(), owner, form.key, form.quantity, now=context.clock())
    except ShopError as refusal:
        return await refuse(refusal, only=only, line=form)
    return await after_change(only)


async def _page_of(slug: str) -> PageDTO | None:
    """Return the page whose part of the cart is being looked at; None for the whole cart."""
    return await services.blog.page_by_slug(request_session(), slug) if slug else None


@bp.post("/cart/tidy/")
async def tidy() -> ResponseTypes:
    """Take out everything that cannot be had, and make fewer of what there are fewer of."""
    only = await _page_of(ViewForm.parse(await request.form).view)
    await tidy_cart(request_session(), None if only is None else only.id)
    return await after_change(only, notice="tidied")


@bp.post("/cart/notices/")
async def dismiss_notices() -> ResponseTypes:
    """Forget what the reader was told about things that left the cart."""
    ids = NoticesForm.parse(await request.form).notices
    await services.cart.dismiss_notices(request_session(), current_cart_owner(), ids=ids)
    return await after_change(None)


@bp.post("/checkout/")
@limit_per_person(30, MINUTE)
async def checkout() -> ResponseTypes:
    """Check out everything: products, bookings and tickets, all or none."""
    return await check_out(None)


@bp.get("/checkout/")
async def checkout_again() -> Response:
    """Show the cart to whoever comes back to the address of a refused checkout."""
    return redirect_to("/")


# --- Coming back from the payment ---


@bp.get("/checkout/return/<token>/")
async def checkout_return(token: str) -> ResponseTypes:
    """Say whether the payment arrived; asks the provider, with no transaction open, unless that was done just now.

    htmx asks again every few seconds while it is being checked, and is sent to the page anew once that is over.
    """
    payment = await _payment_of(token)
    # Before anything is read for the page: it may be this that confirms the order.
    seen = await _settle(payment)
    await reload_badge()  # the order may have been paid just now
    page = await _build_return_page(payment, seen, token)
    if is_htmx():
        return (
            Response(b"", HTTPStatus.NO_CONTENT)
            if page.verdict is ReturnOutcome.CHECKING
            else redirect_to(page.poll_url)
        )
    return await make_response(await render_template("_types/checkout/return.html", page=page))


async def _payment_of(token: str) -> PaymentDTO:
    """Return the payment behind a return address, read in a short transaction of its own."""
    async with unit_of_work(current_payment_context().database) as uow:
        payment = await payment_by_return_token(uow.session, token)
    if payment is None:
        raise NotFound
    return payment


async def _settle(payment: PaymentDTO) -> Seen:
    """Settle a payment; where the provider cannot be asked, only a state that was proven before is no doubt."""
    try:
        return await settle_for_a_look(current_payment_context(), payment)
    except GatewayError:
        # What was proven stays so, whether the provider answers or not.
        is_proven = payment.state in (*CLOSED_PAYMENT_STATES, PaymentState.PAID)
        return Seen(payment.state if is_proven else PaymentState.UNKNOWN)


async def _build_return_page(payment: PaymentDTO, seen: Seen, token: str) -> ReturnPage:
    """Put the page together: the verdict for anybody with the address, the order for its owner."""
    context, user = current_payment_context(), current_user()
    found = None
    if user is not None:  # a guest's order opens by the token in their mail, not by having been here
        found = await find_order_page(payment.order_id, buyer_of(user), links_of(payment.order_id))
    order = None if found is None else found.order
    state = state_now(seen.state, None if found is None else found.payment_state)
    # A stranger with the address has no order to read: then the payment's own time counts.
    in_time = context.clock() < (payment.valid_until if order is None else order.expires_at)
    holds_seats = order is not None and order.state is OrderState.PENDING and in_time
    return ReturnPage(
        verdict=judge(state, None if order is None else order.state, status=seen.status, in_time=in_time),
        poll_url=url_for("cart.checkout_return", token=token),
        order=found,
        seats_until=order.expires_at if order is not None and holds_seats else None,
        in_review=state is PaymentState.REVIEW,
        is_open=state is PaymentState.OPEN and in_time,
        is_guest=await is_guest_order(request_session(), payment.order_id),
        time_zone=context.settings.time_zone,
    )
