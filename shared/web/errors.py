"""How a refusal or a crash looks: a page, a partial for htmx, or JSON for programs; never a stack trace.

Expected refusals (``ShopError``) say what they are. What a person typed that the database cannot even hold is a bad
request; a database that is out of reach or overloaded is "not available". Anything else is a crash: the log has it
all, and the page only its request id.
"""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus

import structlog
from quart import Quart, jsonify, make_response, render_template, request
from quart.typing import ResponseTypes
from sqlalchemy.exc import DBAPIError, InterfaceError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from werkzeug.exceptions import HTTPException, InternalServerError

from shared.contracts.errors import BadInput, NotFound, ShopError, SignInAgain, SignInRequired, Unavailable

from .htmx import is_htmx
from .internal import PREFIX
from .next_url import sign_in_url
from .request_log import loggable_path, request_id
from .session import discard_session

_log = structlog.get_logger("maypole.errors")
_BUSY_SQLSTATES = frozenset({"40001", "40P01", "53300", "55P03", "57014", "57P01", "57P02", "57P03"})
"""Serialisation, deadlock, too many connections, lock timeout, statement timeout, server going down or starting."""

TITLES = {
    400: "That did not work",
    401: "Please sign in",
    403: "Not allowed",
    404: "Not found",
    405: "That did not work",
    409: "Something has changed",
    410: "No longer here",
    413: "Too large",
    422: "Please check what you entered",
    429: "A little too often",
    500: "Something went wrong",
    503: "Not available right now",
}
TEXTS = {
    400: "We could not understand that request.",
    403: "Your account is not allowed to do that.",
    404: "There is no such page. It may have moved, or the address has a slip in it.",
    405: "This address is for a form. Please go back and use the button there.",
    413: "That is more than we can take at once.",
    429: "That was a little too often. Please wait a moment and try again.",
    500: "The fault is ours, and it has been noted. Please try again in a moment.",
    503: "This is not available right now. Please try again in a moment.",
}


@dataclass(frozen=True, slots=True)
class ErrorPage:
    """What ``errors/error.html`` and ``errors/_error.html`` show."""

    status: int
    code: str
    title: str
    text: str
    sign_in_url: str | None = None


def page_of_shop_error(error: ShopError) -> ErrorPage:
    """Return the page of an expected refusal."""
    title = TITLES.get(error.status, TITLES[400])
    link = sign_in_url(again=isinstance(error, SignInAgain)) if isinstance(error, SignInRequired) else None
    return ErrorPage(status=error.status, code=error.code, title=title, text=str(error), sign_in_url=link)


def page_of_status(status: int) -> ErrorPage:
    """Return the page of a bare HTTP status: in our words, never in the exception's own."""
    code = HTTPStatus(status).phrase.lower().replace(" ", "_").replace("-", "_")
    kind = 500 if status >= HTTPStatus.INTERNAL_SERVER_ERROR else 400
    return ErrorPage(status, code, TITLES.get(status, TITLES[kind]), TEXTS.get(status, TEXTS[kind]))


def _wants_json() -> bool:
    accepts = request.accept_mimetypes
    return request.path.startswith(PREFIX) or (
        accepts.best == "application/json" and not accepts.accept_html  # "*/*" is a browser's word, too
    )


async def _render(page: ErrorPage) -> ResponseTypes:
    """Render an error as whoever asks can take it. What the request did to the database is rolled back before."""
    # Before rendering: the page must not wait in a transaction that is to be rolled back anyway.
    await discard_session()
    if _wants_json():
        problem = {"code": page.code, "message": page.text, "request_id": request_id()}
        response: ResponseTypes = jsonify({"error": problem})
    elif is_htmx():
        response = await make_response(await render_template("errors/_error.html", page=page))
        # The part that the button meant to replace stays as it is; the refusal has a place of its own on every page.
        response.headers |= {"HX-Retarget": "#page-notice", "HX-Reswap": "innerHTML"}
    else:
        names = [f"errors/{page.status}.html", "errors/error.html"]
        response = await make_response(await render_template(names, page=page))
    response.status_code = page.status
    return response


async def _on_shop_error(error: ShopError) -> ResponseTypes:
    return await _render(page_of_shop_error(error))


async def _on_http_exception(error: HTTPException) -> ResponseTypes:
    """Render a bare HTTP status, and keep its headers (Allow, Retry-After)."""
    if isinstance(error, InternalServerError) or error.code is None:
        return await _on_crash()
    if error.response is not None:
        return error.response  # type: ignore[return-value]  # abort(response): a route's own answer
    response = await _render(page_of_status(error.code))
    for name, value in error.get_headers():
        # The exception describes its own plain page; ours is another one.
        if name.lower() != "content-type":
            response.headers[name] = value
    return response


async def _on_crash() -> ResponseTypes:
    """Render the page of a crash; where even that fails, a bare one."""
    try:
        return await _render(page_of_status(500))
    except Exception:  # noqa: BLE001 - the last edge: whatever is broken, an answer goes out
        _log.exception("the error page failed")
        text = (
            f"<!doctype html><title>{TITLES[500]}</title><h1>{TITLES[500]}</h1><p>{TEXTS[500]}</p><p>{request_id()}</p>"
        )
        return await make_response(text, 500)


async def _on_database_error(error: DBAPIError) -> ResponseTypes:
    """Tell a value that cannot be stored and a database that cannot answer from a mistake of ours."""
    state = str(getattr(error.orig, "sqlstate", "") or "")
    if (
        state in _BUSY_SQLSTATES
        # Class 08 of PostgreSQL's error codes: the connection was lost.
        or state.startswith("08")
        or error.connection_invalidated
        or isinstance(error, InterfaceError)
    ):
        _log.warning("database unavailable", sqlstate=state, exc_info=error)
        return await _on_shop_error(Unavailable())
    if state.startswith("22"):  # a NUL in a text, a number beyond the column: nobody's form sends that
        _log.warning("value refused by the database", sqlstate=state, path=loggable_path())
        # Of an address: there can be no such page. Of a form: its field has a value that nothing can keep.
        return await _on_shop_error(NotFound() if request.method in {"GET", "HEAD"} else BadInput())
    raise error


async def _on_no_connection(error: Exception) -> ResponseTypes:
    _log.warning("no database connection", exc_info=error)
    return await _on_shop_error(Unavailable())


def install_errors(app: Quart) -> None:
    """Make every error of ``app`` look like one of ours."""
    app.register_error_handler(ShopError, _on_shop_error)
    app.register_error_handler(HTTPException, _on_http_exception)
    app.register_error_handler(DBAPIError, _on_database_error)
    app.register_error_handler(PoolTimeout, _on_no_connection)
    app.register_error_handler(ConnectionError, _on_no_connection)
    app.config["PROPAGATE_EXCEPTIONS"] = False  # tests see what people see
