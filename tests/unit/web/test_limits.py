"""The store of rate limits stays small."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from shared.web.limits import BoundedStore


async def test_the_store_forgets_what_is_over_before_anything_else() -> None:
    now = datetime.now(UTC)
    store = BoundedStore(most=2)
    await store.set("running", now + timedelta(hours=1))
    await store.set("over", now - timedelta(hours=1))
    await store.set("new", now + timedelta(hours=1))

    assert await store.get("over", now) == now
    assert await store.get("running", now) == now + timedelta(hours=1)


async def test_the_store_never_grows_beyond_its_bound() -> None:
    later = datetime.now(UTC) + timedelta(hours=1)
    store = BoundedStore(most=3)
    for number in range(10):
        await store.set(f"key {number}", later)

    assert len(store._tats) == 3
    assert "key 9" in store._tats
