"""The cart's internal JSON API: what is in a cart, first of all for the badge in every app's header."""

from __future__ import annotations

from quart import Blueprint, Response

from cart.bp.cart.services.contents import CartContents, get_cart_contents
from cart.sellables.lines import CartLine
from cart.wiring import current_payment_context
from shared.clients.cart import CartLineAnswer, CartSummaryAnswer, SummaryQuery
from shared.web.internal import internal_only
from shared.web.json_api import documented, json_of, read_query
from shared.web.state import request_session

bp = Blueprint("cart_api", __name__, url_prefix="/internal/v1/cart")


def line_to_answer(line: CartLine) -> CartLineAnswer:
    """Return a line as other apps are told of it."""
    kind, *_ = line.key
    return CartLineAnswer(
        kind=kind,
        title=line.title,
        detail=line.detail,
        quantity=line.quantity,
        unit_price=line.unit_price,
        total=line.total,
        start_at=line.start_at,
        end_at=line.end_at,
        problem=line.problem,
    )


def contents_to_answer(contents: CartContents) -> CartSummaryAnswer:
    """Return a cart with its lines as other apps are told of it."""
    lines = tuple(line_to_answer(line) for line in contents.lines)
    return CartSummaryAnswer.model_validate(contents.summary).model_copy(update={"lines": lines})


@bp.get("/summary")
@internal_only
@documented(CartSummaryAnswer, query=SummaryQuery)
async def summary() -> Response:
    """Answer how much is in the cart of a user or of an anonymous session, and what; a cart of nobody is empty."""
    query = read_query(SummaryQuery)
    context, owner = current_payment_context(), query.owner
    # Lines only where they are asked for: the badge of every page needs the counts alone.
    if query.lines == "1":
        contents = await get_cart_contents(request_session(), context.sellables, owner)
        return json_of(contents_to_answer(contents))
    found = await context.sellables.summary(request_session(), owner)
    return json_of(CartSummaryAnswer.model_validate(found))
