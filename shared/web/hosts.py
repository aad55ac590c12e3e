"""Whose page something is sold on, for pages that show it: asked of the blog app, which may be down.

A route calls one of these when it has read all that it needs: the request's session is closed first, so that no
transaction waits for another app. What was written before is rolled back, so this is for pages that only show.
"""

from __future__ import annotations

from shared.clients.blog import PageAnswer

from .session import discard_session
from .state import app_state


async def host_by_slug(slug: str) -> PageAnswer | None:
    """Return a page that is known to exist, by its address; None: nothing can be known of it now."""
    await discard_session()
    return await app_state().known_pages.by_slug(slug)


async def host_by_id(page_post_id: int) -> PageAnswer | None:
    """Return a page by its id; None: it is not published, or nothing can be known of it now."""
    await discard_session()
    return await app_state().known_pages.by_id(page_post_id)
