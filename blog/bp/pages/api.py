"""The blog's internal JSON API: the pages of the site, and who sells there."""

from __future__ import annotations

from quart import Blueprint, Response

from shared.clients.blog import PageAnswer, PageQuery, PagesAnswer, SellerAnswer
from shared.contracts.dtos import PageDTO
from shared.services.registry import services
from shared.web.internal import internal_only
from shared.web.json_api import documented, json_of, read_query
from shared.web.state import request_session

from .services.pages import published_page

bp = Blueprint("pages_api", __name__, url_prefix="/internal/v1/pages")


def page_to_answer(page: PageDTO, *, body: bool = False) -> PageAnswer:
    """Return a page as other apps are told of it, with its text if that is wanted."""
    seller = SellerAnswer(
        name=page.seller_name,
        address=page.seller_address,
        email=page.seller_email,
        phone=page.seller_phone,
        terms=page.terms,
        refund_policy=page.refund_policy,
        collection_place=page.collection_place,
        collection_times=page.collection_times,
    )
    return PageAnswer(
        id=page.id,
        slug=page.slug,
        title=page.title,
        excerpt=page.excerpt,
        has_calendar=page.has_calendar,
        has_market=page.has_market,
        seller=seller,
        body=str(page.body) if body else None,
    )


@bp.get("")
@internal_only
@documented(PagesAnswer)
async def pages() -> Response:
    """Answer with the published pages, by title, without their texts."""
    # Published ones alone: another app shows what it is told to everybody.
    found = await services.blog.pages(request_session())
    return json_of(PagesAnswer(pages=tuple(map(page_to_answer, found))))


@bp.get("/<slug:slug>")
@internal_only
@documented(PageAnswer, query=PageQuery, may_be_missing=True)
async def page(slug: str) -> Response:
    """Answer with a published page; with its text, as HTML that is safe to show, if that is asked for."""
    query = read_query(PageQuery)
    return json_of(page_to_answer(await published_page(request_session(), slug), body=query.body == "1"))
