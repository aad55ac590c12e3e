"""What is on next, for the other apps: everywhere, and at a page of the site."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from shared.contracts.dtos import AgendaDTO, EntryDTO
from shared.contracts.errors import NotFound
from shared.services.registry import services


async def next_events(session: AsyncSession, *, now: datetime, limit: int) -> list[EntryDTO]:
    """Return the next events of all calendars, soonest first."""
    return await services.calendar.upcoming_entries(session, now=now, limit=limit)


async def page_agendas(session: AsyncSession, page_post_id: int, *, now: datetime, limit: int) -> list[AgendaDTO]:
    """Return the calendars of a page with their next events; none where its calendars are switched off.

    Raises NotFound where there is no such page.
    """
    page = (await services.blog.pages_by_id(session, [page_post_id])).get(page_post_id)
    if page is None:
        raise NotFound("There is no such page.")
    return (
        await services.calendar.agendas_of_page(session, page_post_id, now=now, limit=limit)
        # Switched off is not deleted: its events stay where they are, and come back with the switch.
        if page.has_calendar
        else []
    )
