"""The answers with which SumUp refuses a request, in its own shapes (docs/sumup.md § 8)."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

PROBLEMS = "https://developer.sumup.com/problem/"


class Refused(Exception):
    """A refusal: its status, its body and the media type of that body."""

    def __init__(self, status: int, body: Any, media_type: str = "application/json") -> None:
        super().__init__(status)
        self.status = status
        self.body = body
        self.media_type = media_type


def wrong(param: str, message: str, code: str = "INVALID") -> dict[str, str]:
    """Return the words for one wrong field."""
    return {"message": message, "error_code": code, "param": param}


def invalid(*errors: dict[str, str]) -> Refused:
    """Refuse with 400: one wrong field as an object, several as an array."""
    # An object for one and an array for more: the adapter has to read both (docs/sumup.md § 8).
    return Refused(HTTPStatus.BAD_REQUEST, errors[0] if len(errors) == 1 else list(errors))


def simple(status: HTTPStatus, code: str, message: str) -> Refused:
    """Refuse with a code and a message, the shape of most errors."""
    return Refused(status, {"error_code": code, "message": message})


def not_found() -> Refused:
    """Refuse with SumUp's answer for an id that it does not know."""
    return simple(HTTPStatus.NOT_FOUND, "NOT_FOUND", "Resource not found")


def problem(status: HTTPStatus, detail: str, *, media_type: str = "application/problem+json", **more: Any) -> Refused:
    """Refuse with problem details (RFC 9457), the shape of the newer addresses."""
    body = {
        "type": PROBLEMS + status.phrase.lower().replace(" ", "-"),
        "title": status.phrase,
        "status": int(status),
        "detail": detail,
        **more,
    }
    return Refused(status, body, media_type)
