"""``g.s`` is committed for an answer below 400, and only then."""

from __future__ import annotations

import pytest
from quart import Quart
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

OURS = {"Origin": "http://localhost"}


async def _written(session: AsyncSession) -> int:
    count = await session.scalar(text("SELECT count(*) FROM users"))
    return int(count or 0)


@pytest.mark.parametrize("status", [200, 204, 303, 399])
async def test_what_succeeded_is_kept(app: Quart, session: AsyncSession, status: int) -> None:
    assert (await app.test_client().post(f"/write/{status}", headers=OURS)).status_code == status
    assert await _written(session) == 1


@pytest.mark.parametrize("status", [400, 409, 422, 500])
async def test_what_was_refused_is_not_kept(app: Quart, session: AsyncSession, status: int) -> None:
    assert (await app.test_client().post(f"/write/{status}", headers=OURS)).status_code == status
    assert await _written(session) == 0


async def test_a_crash_keeps_nothing(app: Quart, session: AsyncSession) -> None:
    assert (await app.test_client().post("/write-and-crash", headers=OURS)).status_code == 500
    assert await _written(session) == 0


async def test_nobody_is_told_done_when_the_commit_fails(app: Quart, session: AsyncSession) -> None:
    response = await app.test_client().post("/write-twice", headers=OURS)

    assert response.status_code == 500
    assert "refused only at commit" not in await response.get_data(as_text=True)
    assert await _written(session) == 0


async def test_connections_are_refunded(app: Quart) -> None:
    client = app.test_client()
    for path in ("/write/200", "/write/409", "/write-and-crash", "/write-twice"):
        await client.post(path, headers=OURS)
    await client.get("/services")

    assert "Checked out connections: 0" in app.extensions["maypole"].database.engine.pool.status()
