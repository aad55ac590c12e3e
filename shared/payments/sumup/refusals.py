"""SumUp's error bodies, read tolerantly, and the error of ours that each stands for.

Five documented shapes, which the real service mixes in one body, arrays of them, and the HTML of proxies
(docs/sumup.md § 8). Decisions are made on the HTTP status and the code, never on the message, which changes.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Any

import httpx

from shared.contracts.errors import (
    AuthFailed,
    GatewayConflict,
    GatewayError,
    GatewayNotFound,
    NotAllowed,
    RateLimited,
    Rejected,
)

from .answers import UnreadableAnswer, read_json

REASON_LENGTH = 300
CODE_LENGTH = 80


@dataclass(frozen=True, slots=True)
class Refusal:
    """What could be read of an answer that is not a success."""

    status: int
    code: str
    params: tuple[str, ...] = ()
    reason: str = ""
    trace_id: str = ""
    retry_after: float | None = None


def read_refusal(response: httpx.Response, now: datetime) -> Refusal:
    """Read whatever the body holds; the code is ``HTTP_<status>`` where it has none. Never raises."""
    parts = _parts(response)
    return Refusal(
        status=response.status_code,
        code=_code(parts, response.status_code),
        params=_params(parts),
        reason=_reason(parts),
        trace_id=_first(parts, "trace_id", "instance"),
        retry_after=read_retry_after(response.headers.get("Retry-After"), now),
    )


def error_of(refusal: Refusal) -> GatewayError:
    """Return the error of ours that a 4xx stands for."""
    match refusal.status:
        case HTTPStatus.UNAUTHORIZED:
            return AuthFailed(refusal.code)
        case HTTPStatus.FORBIDDEN:
            return NotAllowed(refusal.code)
        case HTTPStatus.NOT_FOUND:
            return GatewayNotFound(refusal.code)
        case HTTPStatus.CONFLICT:
            return GatewayConflict(refusal.code)
        case HTTPStatus.TOO_MANY_REQUESTS:
            return RateLimited(refusal.retry_after)
    return Rejected(refusal.code, refusal.params, status=refusal.status)


def read_retry_after(value: str | None, now: datetime) -> float | None:
    """Read seconds or an HTTP date; None where there is neither."""
    if not value:
        return None
    # RFC 9110, section 10.2.3: a number of seconds, or a date.
    if value.strip().isdecimal():
        return float(value)
    try:
        moment = parsedate_to_datetime(value)
    except ValueError:
        return None
    # A date in the past means now; one without a zone is in UTC, as every HTTP date.
    return max(0.0, (moment.replace(tzinfo=moment.tzinfo or UTC) - now).total_seconds())


def _parts(response: httpx.Response) -> list[dict[str, Any]]:
    try:
        body = read_json(response.text)
    except UnreadableAnswer:
        return []
    return [part for part in (body if isinstance(body, list) else [body]) if isinstance(part, dict)]


def _nested(parts: list[dict[str, Any]], name: str) -> list[dict[str, Any]]:
    lists = [part.get(name) for part in parts]
    return [item for items in lists if isinstance(items, list) for item in items if isinstance(item, dict)]


def _first(parts: list[dict[str, Any]], *names: str) -> str:
    values = (part.get(name) for name in names for part in parts)
    return next((value for value in values if isinstance(value, str) and value), "")


def _code(parts: list[dict[str, Any]], status: int) -> str:
    """Choose the most telling code: the body's own, a nested one, else the last word of the problem's type."""
    code = _first(parts, "error_code") or _first(_nested(parts, "errors"), "code")
    if not code:
        # The newer shape names its kind by an address, the last part of which serves as a code.
        code = _first(parts, "type").rstrip("/").rpartition("/")[2].replace("-", "_").upper()
    # ``about:blank`` says nothing (RFC 9457): the status is then all that we know.
    return (code if code and code != "ABOUT:BLANK" else f"HTTP_{status}")[:CODE_LENGTH]


def _params(parts: list[dict[str, Any]]) -> tuple[str, ...]:
    named = [part.get("param") for part in parts]
    named += [item.get("reference") for item in _nested(parts, "failed_constraints")]
    return tuple(dict.fromkeys(name for name in named if isinstance(name, str) and name))


def _reason(parts: list[dict[str, Any]]) -> str:
    """Return the provider's words for an admin: what went wrong, then the detail of it."""
    words = [
        _first(parts, "detail", "details", "message", "error_message", "title"),
        _first(_nested(parts, "errors"), "detail", "reason"),
        _first(_nested(parts, "failed_constraints"), "message"),
    ]
    # The same sentence often stands in several members; cut, for it is stored and shown.
    return " ".join(dict.fromkeys(word for word in words if word))[:REASON_LENGTH]
