"""A route of the internal JSON API reads its query and writes its answer by models, and says so for the document.

    @bp.get("/summary")
    @internal_only
    @documented(CartSummaryAnswer, query=SummaryQuery)
    async def summary() -> Response:

The models are those of ``shared/clients``: what the other apps' clients send and read.
"""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus
from typing import Any, TypeVar

from pydantic import ValidationError
from quart import Response, jsonify, request
from quart_schema import document

from shared.clients.wire import Answer, ErrorAnswer, Query
from shared.contracts.errors import BadInput

ERRORS = (
    HTTPStatus.UNAUTHORIZED,
    HTTPStatus.UNPROCESSABLE_ENTITY,
    HTTPStatus.INTERNAL_SERVER_ERROR,
    HTTPStatus.SERVICE_UNAVAILABLE,
)
"""The refusals and failures of every route."""
Q = TypeVar("Q", bound=Query)
View = TypeVar("View", bound=Callable[..., object])


def documented(
    answer: type[Answer], *, query: type[Query] | None = None, may_be_missing: bool = False
) -> Callable[[View], View]:
    """Say what a route takes and answers, for the OpenAPI document; it changes nothing of what the route does."""
    errors = (*ERRORS, HTTPStatus.NOT_FOUND) if may_be_missing else ERRORS
    models: dict[int, tuple[Any, None]] = {200: (answer, None)}
    models |= {int(status): (ErrorAnswer, None) for status in sorted(errors)}
    described: Callable[[View], View] = document(querystring=query, responses=models)  # type: ignore[arg-type]
    return described


def read_query(model: type[Q]) -> Q:
    """Read the request's query. Raises BadInput for a value that is not as documented, or is there twice."""
    # A parameter that is there twice becomes a list, which no model takes: two readers might choose different ones.
    given = {name: values[0] if len(values) == 1 else values for name, values in request.args.lists()}
    try:
        return model.model_validate(given)
    except ValidationError as error:
        # ``include_input=False``: what was sent is not repeated in the answer.
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        name = str(first["loc"][0])
        raise BadInput(f"{name}: {first['msg']}", field=name) from None


def json_of(answer: Answer) -> Response:
    """Return an answer as it goes over the wire."""
    return jsonify(answer.model_dump(mode="json"))
