"""The steps that the whole cart's routes and one page's routes share: show, change, check out."""

from __future__ import annotations

from http import HTTPStatus
from urllib.parse import urlencode

from quart import make_response, render_template, request, url_for
from quart.typing import ResponseTypes

from cart.bp.buyers import current_buyer
from cart.bp.cart.services.begin import begin_checkout
from cart.bp.cart.services.page_cart import get_cart_grouped_by_page
from cart.orders.open_orders import get_open_orders
from cart.wiring import current_payment_context
from shared.contracts.dtos import PageDTO
from shared.contracts.errors import CartEmpty, ShopError
from shared.services.identity import normalise_email
from shared.services.registry import services
from shared.web.htmx import is_htmx, redirect_to
from shared.web.identity import current_cart_owner, current_user, may_have_cart
from shared.web.session import discard_session
from shared.web.state import request_session

from .forms import CheckoutForm, LineForm
from .pages import CartPage, build_cart_page

NOTICES = {
    "put-back": "What you ordered is back in your cart, and the order is closed."
    " The next time that you check it out today, it is held for a shorter time.",
    "tidied": "What cannot be had any more was taken out. Please check the new total.",
}


def cart_url(only: PageDTO | None, notice: str = "") -> str:
    """Return the address of the cart, or of one page's part of it."""
    path = url_for("cart.overview") if only is None else url_for("page_cart.page_cart", page_slug=only.slug)
    return f"{path}?{urlencode({'notice': notice})}" if notice else path


async def load_cart_page(
    *,
    only: PageDTO | None = None,
    refusal: ShopError | None = None,
    line: LineForm | None = None,
    checkout: CheckoutForm | None = None,
    notice: str = "",
) -> CartPage:
    """Return the cart of whoever asks, as it is now."""
    session, settings = request_session(), current_payment_context().settings
    groups = await get_cart_grouped_by_page(session)
    return build_cart_page(
        groups,
        await get_open_orders(session, current_buyer()),
        await services.cart.notices(session, current_cart_owner()),
        sellables=current_payment_context().sellables,
        signed_in=current_user() is not None,
        time_zone=settings.time_zone,
        currency=settings.currency,
        only=only,
        refusal=refusal,
        line=line,
        checkout=checkout,
        notice=NOTICES.get(notice or request.args.get("notice", ""), ""),
    )


async def show_cart_page(page: CartPage, status: int = HTTPStatus.OK) -> ResponseTypes:
    """Render the cart; for htmx its panel alone, with the header's badge as it is now."""
    if not is_htmx():
        return await make_response(await render_template("_types/cart/index.html", page=page), status)
    # After the change: the badge in the header must say the same as the cart below it.
    badge = await current_payment_context().sellables.summary(request_session(), current_cart_owner())
    html = await render_template("_types/cart/_panel_and_badge.html", page=page, badge=badge)
    return await make_response(html, status)


async def after_change(only: PageDTO | None, notice: str = "") -> ResponseTypes:
    """Show the cart after a change: its panel to htmx; anybody else is sent to it, so that a reload changes nothing."""
    if is_htmx():
        return await show_cart_page(await load_cart_page(only=only, notice=notice))
    return redirect_to(cart_url(only, notice))


async def refuse(
    refusal: ShopError,
    *,
    only: PageDTO | None = None,
    line: LineForm | None = None,
    checkout: CheckoutForm | None = None,
) -> ResponseTypes:
    """Show the cart again, as it is now, with the reason for the refusal and its status."""
    # What the refused change had begun is undone before the cart is read.
    await discard_session()
    page = await load_cart_page(only=only, refusal=refusal, line=line, checkout=checkout)
    return await show_cart_page(page, refusal.status)


async def check_out(only: PageDTO | None) -> ResponseTypes:
    """Check out the cart, or one page's group, and send the browser to the payment; a guest gives an e-mail address.

    ``g.s`` is not used before: the use case opens its own units of work and calls the provider between them.
    """
    form = CheckoutForm.parse(await request.form)
    try:
        # A browser without a session, as a crawler is: nothing is opened for it.
        if not may_have_cart():
            raise CartEmpty
        # A signed-in person's address is their account's, whatever a form says.
        email = None if current_user() is not None else normalise_email(form.email)
        url = await begin_checkout(
            current_payment_context(),
            current_buyer(email),
            page_post_id=None if only is None else only.id,
            shown_total=form.total,
        )
    except ShopError as refusal:
        return await refuse(refusal, only=only, checkout=form)
    return redirect_to(url)
