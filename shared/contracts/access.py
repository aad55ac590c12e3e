"""Whose orders somebody may see or refund: all pages', or some."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from .states import Role

INCLUDED_IN: dict[Role, tuple[Role, ...]] = {
    Role.ADMIN: (Role.ADMIN,),
    Role.REFUNDS: (Role.REFUNDS, Role.ADMIN),
    Role.ORDERS: (Role.ORDERS, Role.REFUNDS, Role.ADMIN),
}
"""The roles that allow what a role allows: who may refund an order may see it."""

Grant = tuple[Role, int | None]
"""A role, and the page on which somebody has it; None: everywhere."""


@dataclass(frozen=True, slots=True)
class PageScope:
    """The pages that somebody's role covers. Every query for them is bounded by it."""

    # Nothing by default: whoever forgets to name pages gets to see none.
    everywhere: bool = False
    page_ids: frozenset[int] = frozenset()

    @property
    def is_empty(self) -> bool:
        """Whether it covers nothing at all."""
        return not self.everywhere and not self.page_ids

    def covers(self, page_ids: Collection[int | None]) -> bool:
        """Tell whether it covers all of these pages; what belongs to no page is covered everywhere alone."""
        # All, not any: who decides on an order of two pages decides on the other page's money as well.
        return self.everywhere or all(page_post_id in self.page_ids for page_post_id in page_ids)


EVERYWHERE = PageScope(everywhere=True)
"""All pages, and what belongs to none: an admin's scope, and the worker's."""


def scope_of(grants: Collection[Grant], role: Role) -> PageScope:
    """Return where these grants allow what ``role`` allows."""
    pages = {page_post_id for granted, page_post_id in grants if granted in INCLUDED_IN[role]}
    # A role for everywhere makes those on single pages unnecessary; an order of no page is covered by it alone.
    if None in pages:
        return EVERYWHERE
    return PageScope(page_ids=frozenset(page_post_id for page_post_id in pages if page_post_id is not None))
