"""The home page, pages and posts."""

from __future__ import annotations

from quart import Blueprint, render_template, request

from shared.web.state import app_state, request_session

from .services.pages import home_page, site_page
from .services.posts import post_list, post_page

bp = Blueprint("pages", __name__)


@bp.get("/")
async def home() -> str:
    """Show what the site is, its pages, and what is on next."""
    state = app_state()
    page = await home_page(request_session(), now=state.clock(), zone=state.settings.time_zone)
    return await render_template("_types/pages/home.html", page=page)


@bp.get("/posts/")
async def posts() -> str:
    """Show posts, newest first."""
    before = request.args.get("before", "")
    page = await post_list(request_session(), before=before, zone=app_state().settings.time_zone)
    return await render_template("_types/pages/posts.html", page=page)


@bp.get("/posts/<slug>/")
async def post(slug: str) -> str:
    """Show one post."""
    page = await post_page(request_session(), slug, zone=app_state().settings.time_zone)
    return await render_template("_types/pages/post.html", page=page)


@bp.get("/<slug>/")
async def site_page_by_slug(slug: str) -> str:
    """Show one page with what it sells."""
    state = app_state()
    page = await site_page(request_session(), slug, now=state.clock(), zone=state.settings.time_zone)
    return await render_template("_types/pages/page.html", page=page)
