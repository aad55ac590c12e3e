"""The market's internal JSON API: the products of a page."""

from __future__ import annotations

from quart import Blueprint, Response

from shared.clients.market import ProductAnswer, ProductsAnswer, ProductsQuery
from shared.contracts.dtos import ProductDTO
from shared.contracts.states import LineKind
from shared.labels import sale_words
from shared.web.internal import internal_only
from shared.web.json_api import documented, json_of, read_query
from shared.web.state import request_session

from .services.page_products import page_products

bp = Blueprint("products_api", __name__, url_prefix="/internal/v1/pages")


def product_to_answer(product: ProductDTO) -> ProductAnswer:
    """Return a product as other apps are told of it."""
    # The words go along: the blog shows them and decides nothing about stock.
    words = sale_words(LineKind.PRODUCT, product.sale)
    return ProductAnswer.model_validate(product).model_copy(update={"note": words.note, "note_look": words.look})


@bp.get("/<int:page_post_id>/products")
@internal_only
@documented(ProductsAnswer, query=ProductsQuery, may_be_missing=True)
async def products(page_post_id: int) -> Response:
    """Answer with the (first) products of a page that are on show, by title, with their variants and what is left."""
    query = read_query(ProductsQuery)
    found = await page_products(request_session(), page_post_id)
    return json_of(ProductsAnswer(products=tuple(map(product_to_answer, found[: query.limit]))))
