"""The cross-site check stands before every route that changes something."""

from __future__ import annotations

import pytest
from quart import Quart
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from shared.settings import Settings


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null", "Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "cross-site"},
        {},
    ],
)
async def test_a_strangers_form_changes_nothing(app: Quart, session: AsyncSession, headers: dict[str, str]) -> None:
    assert (await app.test_client().post("/write/200", headers=headers)).status_code == 403
    assert await session.scalar(text("SELECT count(*) FROM users")) == 0


@pytest.mark.parametrize("sister", ["blog", "market", "cart", "events"])
async def test_a_sister_apps_form_is_taken(app: Quart, settings: Settings, sister: str) -> None:
    headers = {"Origin": settings.url_of(sister), "Sec-Fetch-Site": "same-site"}
    assert (await app.test_client().post("/write/200", headers=headers)).status_code == 200


async def test_the_address_that_the_app_was_reached_at_counts_in_development(app: Quart) -> None:
    headers = {"Host": "127.0.0.1:8002", "Origin": "http://127.0.0.1:8002"}
    assert (await app.test_client().post("/write/200", headers=headers)).status_code == 200


async def test_htmx_is_sent_on_by_a_header(app: Quart) -> None:
    @app.post("/go")
    async def go() -> object:
        from shared.web.htmx import redirect_to

        return redirect_to("https://pay.sumup.com/b2c/X")

    client, ours = app.test_client(), {"Origin": "http://localhost"}
    plain = await client.post("/go", headers=ours)
    assert (plain.status_code, plain.headers["Location"]) == (303, "https://pay.sumup.com/b2c/X")
    partial = await client.post("/go", headers={**ours, "HX-Request": "true"})
    assert (partial.status_code, partial.headers["HX-Redirect"]) == (204, "https://pay.sumup.com/b2c/X")
    assert "Location" not in partial.headers
