"""The steps that the whole cart's routes and one page's routes share: show, change, check out."""

from __future__ import annotations

from http import HTTPStatus

from quart import make_response, render_template, request
from quart.typing import ResponseTypes

from cart.bp.cart.services import begin_checkout, get_cart_grouped_by_page, get_open_orders
from cart.wiring import current_till
from shared.contracts.dtos import PageDTO, UserDTO
from shared.contracts.errors import ShopError, SignInRequired
from shared.services.registry import services
from shared.web.htmx import is_htmx, redirect_to
from shared.web.identity import current_cart_identity, current_user
from shared.web.session import discard_session
from shared.web.state import request_session

from .forms import TicketsForm, read_shown_total
from .pages import CartPage, build_cart_page

PANEL = "_types/cart/overview/_main_panel.html"
NOTICES = {"put-back": "The tickets are back in your cart, and the order is closed."}


def signed_in_user() -> UserDTO:
    """Return the signed-in person; raises SignInRequired."""
    user = current_user()
    if user is None:
        raise SignInRequired
    return user


async def load_cart_page(
    *, only: PageDTO | None = None, refusal: ShopError | None = None, form: TicketsForm | None = None
) -> CartPage:
    """Return the cart of whoever asks, as it is now."""
    session, user, settings = request_session(), current_user(), current_till().settings
    groups = await get_cart_grouped_by_page(session)
    open_orders = [] if user is None else await get_open_orders(session, user.id)
    return build_cart_page(
        groups,
        open_orders,
        signed_in=user is not None,
        time_zone=settings.time_zone,
        currency=settings.currency,
        only=only,
        refusal=refusal,
        form=form,
        notice=NOTICES.get(request.args.get("notice", ""), ""),
    )


async def show_cart_page(page: CartPage, status: int = HTTPStatus.OK) -> ResponseTypes:
    """Render the cart; for htmx its panel alone, with the header's badge as it is now."""
    if not is_htmx():
        return await make_response(await render_template("_types/cart/index.html", page=page), status)
    badge = await services.cart.cart_summary(request_session(), **current_cart_identity())
    html = await render_template("_types/cart/_panel_and_badge.html", page=page, badge=badge)
    return await make_response(html, status)


async def refuse(refusal: ShopError, *, only: PageDTO | None = None, form: TicketsForm | None = None) -> ResponseTypes:
    """Show the cart again, as it is now, with the reason for the refusal and its status."""
    await discard_session()
    return await show_cart_page(await load_cart_page(only=only, refusal=refusal, form=form), refusal.status)


async def check_out(only: PageDTO | None) -> ResponseTypes:
    """Check out the cart, or one page's group, and send the browser to the payment.

    ``g.s`` is not used before: the use case opens its own units of work and calls the provider between them.
    """
    user = signed_in_user()
    try:
        shown_total = read_shown_total(await request.form)
        url = await begin_checkout(
            current_till(),
            user_id=user.id,
            session_id=None,
            page_post_id=None if only is None else only.id,
            shown_total=shown_total,
        )
    except ShopError as refusal:
        return await refuse(refusal, only=only)
    return redirect_to(url)
