"""The cart's internal JSON API: the summary behind the badge in every app's header."""

from __future__ import annotations

from quart import Blueprint, Response

from shared.clients.cart import CartSummaryAnswer, SummaryQuery
from shared.services.registry import services
from shared.web.internal import internal_only
from shared.web.json_api import documented, json_of, read_query
from shared.web.state import request_session

bp = Blueprint("cart_api", __name__, url_prefix="/internal/v1/cart")


@bp.get("/summary")
@internal_only
@documented(CartSummaryAnswer, query=SummaryQuery)
async def summary() -> Response:
    """Answer how much is in the cart of a user or of an anonymous session; a cart of nobody is empty."""
    query = read_query(SummaryQuery)
    found = await services.cart.cart_summary(request_session(), user_id=query.user_id, session_id=query.session)
    return json_of(CartSummaryAnswer.model_validate(found))
