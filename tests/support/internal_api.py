"""What all tests of the internal JSON API share: the secret, and the one shape of its errors."""

from __future__ import annotations

from quart import Response

from shared.settings import DEV_SECRET

BEARER = {"Authorization": f"Bearer {DEV_SECRET}"}


async def assert_error(response: Response, status: int, code: str) -> dict[str, str]:
    """Check that an answer is an error of this status and code, in the one shape of all, and return it."""
    assert response.status_code == status
    assert response.content_type == "application/json"
    body = await response.get_json()
    assert set(body) == {"error"}
    error: dict[str, str] = body["error"]
    assert set(error) == {"code", "message", "request_id"}
    assert error["code"] == code
    assert error["request_id"] == response.headers["X-Request-ID"]
    assert error["message"]
    assert "secret" not in error["message"]
    return error
