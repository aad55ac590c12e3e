"""Browsing products, and putting them into the cart: everything, one page's shop, one product."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from quart import Blueprint, make_response, render_template, request, url_for
from quart.typing import ResponseTypes

from shared.contracts.errors import BadInput
from shared.web.hosts import host_by_slug
from shared.web.htmx import is_htmx, redirect_to
from shared.web.identity import current_cart_owner, ensure_session_id
from shared.web.limits import limit_per_person
from shared.web.state import request_session

from .forms import AddForm, ProductChoice, choice_query
from .services.adding import AddedProductPage, FoundProduct, find_product, put_into_cart, still_in_cart
from .services.product_page import AddState, product_page
from .services.shop import Shop, all_shops, quick_add, shop_of

bp = Blueprint("products", __name__)


@bp.get("/")
async def shops() -> str:
    """Show what every page sells."""
    return await render_template("_types/products/shops.html", page=await all_shops(request_session()))


@bp.get("/<page_slug>/")
async def shop(page_slug: str) -> str:
    """Show what one page sells."""
    page = await _with_host(await shop_of(request_session(), page_slug))
    return await render_template("_types/products/shop.html", page=page)


@bp.get("/<page_slug>/<slug>/")
async def product(page_slug: str, slug: str) -> str:
    """Show one product."""
    page = await product_page(request_session(), page_slug, slug)
    return await render_template("_types/products/product.html", page=replace(page, shop=await _with_host(page.shop)))


async def _with_host(shop: Shop) -> Shop:
    """Return a shop with what its page says of the seller."""
    return replace(shop, host=await host_by_slug(shop.page.slug))


@bp.post("/<page_slug>/<slug>/add/")
@limit_per_person(30, timedelta(minutes=1))
async def add_to_cart(page_slug: str, slug: str) -> ResponseTypes:
    """Put a product into the cart; who has none yet, signed in or not, is given one."""
    form = AddForm.parse(await request.form)
    found = await find_product(request_session(), page_slug, slug)
    try:
        choice = form.choice(found.product)
        # Only now: a form that is refused gives nobody a cookie.
        await ensure_session_id()
        page = await put_into_cart(request_session(), found, choice, current_cart_owner())
    except BadInput as refusal:
        return await _refuse(found, form, refusal)
    return await _show_added(found, form, choice, page)


@bp.get("/<page_slug>/<slug>/add/")
async def add_again(page_slug: str, slug: str) -> ResponseTypes:
    """Show the product to whoever comes back to the address of a refused form."""
    return redirect_to(url_for("products.product", page_slug=page_slug, slug=slug))


@bp.get("/<page_slug>/<slug>/added/")
async def added(page_slug: str, slug: str) -> ResponseTypes:
    """Say what was added; a page of its own, so that reloading it adds nothing."""
    found = await find_product(request_session(), page_slug, slug)
    page = await _added_before(found, AddForm.parse(request.args))
    # Taken out of the cart meanwhile, or an address that somebody made up.
    if page is None:
        return redirect_to(found.path)
    return await make_response(await render_template("_types/products/added.html", page=page))


async def _added_before(found: FoundProduct, form: AddForm) -> AddedProductPage | None:
    """Return what an address says was added, or None where the cart, or good sense, is against it."""
    try:
        choice = form.choice(found.product)
    except BadInput:
        return None
    return await still_in_cart(request_session(), found, choice, current_cart_owner())


async def _refuse(found: FoundProduct, form: AddForm, refusal: BadInput) -> ResponseTypes:
    """Answer 422 with the form as it was filled in, what is wrong with it, and what is left by now."""
    # In a list the answer takes the place of one card's small form, not of a page's.
    if is_htmx() and form.in_list:
        return await _refuse_in_list(found, refusal)
    # The page is read anew, so that it says what is left by now, and keeps what was typed.
    state = AddState(form.variant, form.typed, str(refusal), refusal.field)
    page = await product_page(request_session(), found.page.slug, found.product.slug, state=state)
    if is_htmx():
        return await make_response(await render_template("_types/products/_add_form.html", page=page), refusal.status)
    page = replace(page, shop=await _with_host(page.shop))
    return await make_response(await render_template("_types/products/product.html", page=page), refusal.status)


async def _refuse_in_list(found: FoundProduct, refusal: BadInput) -> ResponseTypes:
    """Answer the same in the place of a list's own form."""
    # Read again: the refusal says that what was read before is out of date.
    fresh = await find_product(request_session(), found.page.slug, found.product.slug)
    quick = quick_add(fresh.product, fresh.path, error=str(refusal))
    return await make_response(await render_template("_types/products/_quick_add.html", quick=quick), refusal.status)


async def _show_added(
    found: FoundProduct, form: AddForm, choice: ProductChoice, page: AddedProductPage
) -> ResponseTypes:
    """Show the result in the form's place, or, without script, on the page that a reload may repeat."""
    # 303, so that a reload of the answer adds nothing again.
    if not is_htmx():
        return redirect_to(f"{found.path}added/{choice_query(choice)}")
    if not form.in_list:
        return await make_response(await render_template("_types/products/_add_result.html", page=page))
    quick = quick_add(found.product, found.path, in_cart=page.in_cart)
    return await make_response(await render_template("_types/products/_quick_add.html", quick=quick))
