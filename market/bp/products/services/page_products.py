"""What a page of the site sells, for the other apps."""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncSession

from shared.contracts.dtos import ProductDTO
from shared.contracts.errors import NotFound
from shared.services.registry import services


async def page_products(session: AsyncSession, page_post_id: int) -> list[ProductDTO]:
    """Return the products of a page that are on show; none where its market is switched off.

    Raises NotFound where there is no such page.
    """
    page = (await services.blog.pages_by_id(session, [page_post_id])).get(page_post_id)
    if page is None:
        raise NotFound("There is no such page.")
    # Switched off is not deleted: the products stay, and come back with the switch.
    return await services.market.products(session, container_id=page_post_id) if page.has_market else []
