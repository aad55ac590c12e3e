"""The security journal: what is written into it, that it stays, and who reads it."""

from __future__ import annotations

import pytest
from quart import Quart
from sqlalchemy import delete, select, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession

from shared.contracts.journal import SecurityEvent
from shared.labels import SECURITY_EVENTS
from shared.models import SecurityEntry
from shared.services.security import note_security
from tests.factories.orders import make_order
from tests.integration.cart.conftest import Show, fresh
from tests.support.visitor import Visitor


async def events(session: AsyncSession) -> list[tuple[str, int | None, object]]:
    async with fresh(session) as now:
        rows = await now.scalars(select(SecurityEntry).order_by(SecurityEntry.id))
        return [(row.event, row.user_id, row.data) for row in rows]


async def test_looking_at_an_order_and_saving_orders_is_written_down(
    admin: Visitor, ada: Visitor, show: Show, session: AsyncSession
) -> None:
    order = (await make_order(session, show.entry, user_id=ada.id)).order
    await session.commit()
    assert (await admin.get(f"/admin/orders/{order.id}/")).status == 200
    assert (await admin.get(f"/admin/orders/{order.id + 99}/")).status == 404
    assert (await admin.get("/admin/orders/export.csv")).status == 200
    assert (await ada.get(f"/orders/{order.id}/")).status == 200  # one's own is nobody's business
    assert await events(session) == [
        ("order_opened", admin.id, {"order": order.id}),
        ("orders_exported", admin.id, None),
    ]


async def test_admins_read_it_a_page_at_a_time_and_nobody_else(
    admin: Visitor, ada: Visitor, visitor: Visitor, session: AsyncSession
) -> None:
    for event in SecurityEvent:
        await note_security(session, event, user_id=ada.id, address="192.0.2.77", data={"role": "orders"})
    for _ in range(50):
        await note_security(session, SecurityEvent.LINK_FAILED)
    await session.commit()

    first = await admin.get("/admin/security/")
    assert len(first.html.css("tbody tr")) == 50
    link = first.html.css_first("a[href*='before=']")
    assert link is not None
    second = await admin.get(str(link.attributes["href"]))
    rows = [row.text(separator="|", strip=True) for row in second.html.css("tbody tr")]
    assert len(rows) == len(SecurityEvent)
    for row, event in zip(rows, reversed(SecurityEvent), strict=True):
        assert SECURITY_EVENTS[event] in row
    assert "192.0.2.0/24" in rows[0]
    assert (await ada.get("/admin/security/")).status == 403
    assert (await visitor.get("/admin/security/")).status == 303
    assert (await admin.get("/admin/security/?before=x")).status == 422


@pytest.mark.parametrize("change", [update(SecurityEntry).values(network=""), delete(SecurityEntry)])
async def test_nobody_changes_what_stands_there(app: Quart, session: AsyncSession, change: object) -> None:
    await note_security(session, SecurityEvent.SIGNED_IN, user_id=1)
    await session.commit()
    with pytest.raises(DBAPIError, match=r"permission denied|never changed"):
        await session.execute(change)  # type: ignore[call-overload]
