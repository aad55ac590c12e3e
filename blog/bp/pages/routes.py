"""The home page, pages and posts."""

from __future__ import annotations

from quart import Blueprint, render_template, request

from shared.web.session import discard_session
from shared.web.state import app_state, request_session

from .services.offers import with_events, with_offers
from .services.pages import home_page, site_page
from .services.posts import post_list, post_page

bp = Blueprint("pages", __name__)


@bp.get("/")
async def home() -> str:
    """Show what the site is, its pages, and what is on next."""
    state = app_state()
    own = await home_page(request_session(), zone=state.settings.time_zone)
    await discard_session()  # all of the blog's own is read; no transaction waits for another app
    page = await with_events(own, state.clients.events)
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


# Takes no other route's place: fixed parts of a path count before variable ones, and RESERVED_SLUGS bars their names.
@bp.get("/<slug>/")
async def site_page_by_slug(slug: str) -> str:
    """Show one page with what it sells."""
    state = app_state()
    own = await site_page(request_session(), slug, zone=state.settings.time_zone)
    await discard_session()  # as above
    page = await with_offers(own, state.clients.events, state.clients.market)
    return await render_template("_types/pages/page.html", page=page)
