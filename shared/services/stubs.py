"""No-ops for an app that runs without a domain. An app that takes money refuses to start on them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from shared.contracts.dtos import (
    CalendarDTO,
    CartItemDTO,
    CartSummaryDTO,
    EntryDTO,
    PageDTO,
    PostDTO,
    ProductDTO,
    TicketDTO,
)
from shared.contracts.errors import Unavailable
from shared.contracts.states import DebtReason

# ruff: noqa: ARG002 - a stub takes what the protocol says and looks at none of it


class StubCalendarService:
    """A calendar without entries or tickets."""

    is_stub = True

    async def calendars_for_container(
        self, session: AsyncSession, container_type: str, container_id: int
    ) -> list[CalendarDTO]:
        """Return none."""
        return []

    async def calendar_by_slug(self, session: AsyncSession, slug: str) -> CalendarDTO | None:
        """Return none."""
        return None

    async def calendars(self, session: AsyncSession) -> list[CalendarDTO]:
        """Return none."""
        return []

    async def upcoming_entries(
        self,
        session: AsyncSession,
        *,
        now: datetime,
        calendar_id: int | None = None,
        after: tuple[datetime, int] | None = None,
        limit: int = 30,
    ) -> list[EntryDTO]:
        """Return none."""
        return []

    async def entry(self, session: AsyncSession, entry_id: int) -> EntryDTO | None:
        """Return none."""
        return None

    async def entries_by_id(self, session: AsyncSession, ids: Collection[int]) -> dict[int, EntryDTO]:
        """Return none."""
        return {}

    async def add_pending_tickets(
        self, session: AsyncSession, *, user_id: int, entry_id: int, choice: dict[int | None, int], now: datetime
    ) -> list[TicketDTO]:
        """Refuse: a ticket that was not kept must not look as if it were."""
        raise Unavailable

    async def set_pending_tickets(
        self,
        session: AsyncSession,
        *,
        user_id: int,
        entry_id: int,
        ticket_type_id: int | None,
        quantity: int,
        now: datetime,
    ) -> None:
        """Refuse, as above."""
        raise Unavailable

    async def pending_tickets(self, session: AsyncSession, *, user_id: int) -> list[TicketDTO]:
        """Return none."""
        return []

    async def claim_tickets_for_order(
        self, session: AsyncSession, order_id: int, user_id: int, page_post_id: int | None = None
    ) -> None:
        """Do nothing."""

    async def release_tickets_for_order(self, session: AsyncSession, order_id: int) -> None:
        """Do nothing."""

    async def confirm_tickets_for_order(self, session: AsyncSession, order_id: int) -> None:
        """Do nothing."""

    async def get_tickets_for_order(self, session: AsyncSession, order_id: int) -> list[TicketDTO]:
        """Return none."""
        return []

    async def retake_tickets_for_order(
        self, session: AsyncSession, order_id: int, user_id: int, ticket_ids: Sequence[int]
    ) -> dict[int, DebtReason]:
        """Return all of them: none was taken."""
        return dict.fromkeys(ticket_ids, DebtReason.ORDER_CLOSED)

    async def user_tickets(self, session: AsyncSession, *, user_id: int) -> list[TicketDTO]:
        """Return none."""
        return []

    async def mark_tickets_refunded(self, session: AsyncSession, order_id: int, ticket_ids: Sequence[int]) -> None:
        """Do nothing."""

    async def pending_entries(
        self, session: AsyncSession, *, user_id: int | None, session_id: str | None
    ) -> list[EntryDTO]:
        """Return none."""
        return []

    async def claim_entries_for_order(
        self,
        session: AsyncSession,
        order_id: int,
        user_id: int | None,
        session_id: str | None,
        page_post_id: int | None = None,
    ) -> None:
        """Do nothing."""

    async def confirm_entries_for_order(self, session: AsyncSession, order_id: int) -> None:
        """Do nothing."""

    async def release_entries_for_order(self, session: AsyncSession, order_id: int) -> None:
        """Do nothing."""

    async def get_entries_for_order(self, session: AsyncSession, order_id: int) -> list[EntryDTO]:
        """Return none."""
        return []

    async def retake_entries_for_order(
        self, session: AsyncSession, order_id: int, entry_ids: Sequence[int]
    ) -> dict[int, DebtReason]:
        """Return all of them: none was taken."""
        return dict.fromkeys(entry_ids, DebtReason.ORDER_CLOSED)


class StubMarketService:
    """A market without products."""

    async def products(self, session: AsyncSession, *, container_id: int | None = None) -> list[ProductDTO]:
        """Return none."""
        return []

    async def product_by_slug(self, session: AsyncSession, slug: str) -> ProductDTO | None:
        """Return none."""
        return None


class StubBlogService:
    """A blog without pages."""

    async def pages(self, session: AsyncSession) -> list[PageDTO]:
        """Return none."""
        return []

    async def page_by_slug(self, session: AsyncSession, slug: str) -> PageDTO | None:
        """Return none."""
        return None

    async def pages_by_id(self, session: AsyncSession, ids: Sequence[int]) -> dict[int, PageDTO]:
        """Return none."""
        return {}

    async def posts(
        self,
        session: AsyncSession,
        *,
        page_id: int | None = None,
        before: tuple[datetime, int] | None = None,
        limit: int = 10,
    ) -> list[PostDTO]:
        """Return none."""
        return []

    async def post_by_slug(self, session: AsyncSession, slug: str) -> PostDTO | None:
        """Return none."""
        return None


class StubCartService:
    """An empty cart."""

    async def cart_summary(
        self,
        session: AsyncSession,
        *,
        user_id: int | None,
        session_id: str | None,
        page_post_id: int | None = None,
    ) -> CartSummaryDTO:
        """Return nothing of anything."""
        return CartSummaryDTO()

    async def cart_items(
        self, session: AsyncSession, *, user_id: int | None, session_id: str | None
    ) -> list[CartItemDTO]:
        """Return none."""
        return []
