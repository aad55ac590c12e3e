"""What is on at a page of the site, for the other apps."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from shared.contracts.dtos import AgendaDTO
from shared.contracts.errors import NotFound
from shared.services.registry import services


async def page_agendas(session: AsyncSession, page_id: int, *, now: datetime, limit: int) -> list[AgendaDTO]:
    """Return the calendars of a page with their next events; none where its calendars are switched off.

    Raises NotFound where there is no such page.
    """
    page = (await services.blog.pages_by_id(session, [page_id])).get(page_id)
    if page is None:
        raise NotFound("There is no such page.")
    return await services.calendar.agendas_of_page(session, page_id, now=now, limit=limit) if page.has_calendar else []
