"""One page's part of the cart: its group, and a checkout of that group alone."""

from __future__ import annotations

from datetime import timedelta

from quart import Blueprint, Response, url_for
from quart.typing import ResponseTypes

from cart.wiring import current_payment_context
from shared.contracts.dtos import PageDTO
from shared.contracts.errors import NotFound
from shared.db.uow import unit_of_work
from shared.services.registry import services
from shared.web.htmx import redirect_to
from shared.web.limits import limit_per_person

from .cart_views import check_out, load_cart_page, show_cart_page

bp = Blueprint("page_cart", __name__)
MINUTE = timedelta(minutes=1)


async def _page(slug: str) -> PageDTO:
    """Return a page, read in a short transaction of its own: a checkout must begin with none open."""
    async with unit_of_work(current_payment_context().database) as uow:
        # Not through g.s: the checkout that may follow refuses to call the provider within a transaction.
        page = await services.blog.page_by_slug(uow.session, slug)
    if page is None:
        raise NotFound
    return page


@bp.get("/<page_slug>/")
async def page_cart(page_slug: str) -> ResponseTypes:
    """Show what is in the cart of one page."""
    return await show_cart_page(await load_cart_page(only=await _page(page_slug)))


@bp.post("/<page_slug>/checkout/")
@limit_per_person(30, MINUTE)
async def page_checkout(page_slug: str) -> ResponseTypes:
    """Check out one page's group: its products, bookings and tickets, all or none."""
    return await check_out(await _page(page_slug))


@bp.get("/<page_slug>/checkout/")
async def page_checkout_again(page_slug: str) -> Response:
    """Show the group to whoever comes back to the address of a refused checkout."""
    return redirect_to(url_for("page_cart.page_cart", page_slug=page_slug))
