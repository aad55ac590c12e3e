"""Browsing products: everything, one page's shop, one product."""

from __future__ import annotations

from quart import Blueprint, render_template

from shared.web.state import request_session

from .services.shop import all_shops, product_page, shop_of

bp = Blueprint("products", __name__)


@bp.get("/")
async def shops() -> str:
    """Show what every page sells."""
    return await render_template("_types/products/shops.html", page=await all_shops(request_session()))


@bp.get("/<page_slug>/")
async def shop(page_slug: str) -> str:
    """Show what one page sells."""
    return await render_template("_types/products/shop.html", page=await shop_of(request_session(), page_slug))


@bp.get("/<page_slug>/<slug>/")
async def product(page_slug: str, slug: str) -> str:
    """Show one product."""
    page = await product_page(request_session(), page_slug, slug)
    return await render_template("_types/products/product.html", page=page)
