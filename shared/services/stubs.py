"""No-ops for an app that runs without a domain. An app that takes money refuses to start on them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from shared.contracts.dtos import (
    AgendaDTO,
    AllocationDTO,
    BookingTermsDTO,
    CalendarDTO,
    EntryDTO,
    ProductDTO,
    SlotDTO,
    StaleLine,
    TicketDTO,
    VariantDTO,
)
from shared.contracts.errors import NotFound, Unavailable
from shared.contracts.owner import CartOwner
from shared.contracts.states import DebtReason

# ruff: noqa: ARG002 - a stub takes what the protocol says and looks at none of it


class StubCalendarService:
    """A calendar without entries or tickets."""

    is_stub = True

    async def calendars_for_container(
        self, session: AsyncSession, container_type: str, container_id: int
    ) -> list[CalendarDTO]:
        return []

    async def agendas_of_page(
        self, session: AsyncSession, page_post_id: int, *, now: datetime, limit: int
    ) -> list[AgendaDTO]:
        return []

    async def calendar_by_slug(self, session: AsyncSession, slug: str) -> CalendarDTO | None:
        return None

    async def calendars(self, session: AsyncSession) -> list[CalendarDTO]:
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
        return []

    async def entry(self, session: AsyncSession, entry_id: int) -> EntryDTO | None:
        return None

    async def entries_by_id(self, session: AsyncSession, ids: Collection[int]) -> dict[int, EntryDTO]:
        return {}

    async def add_pending_tickets(
        self, session: AsyncSession, *, user_id: int, entry_id: int, choice: dict[int | None, int], now: datetime
    ) -> list[TicketDTO]:
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
        raise Unavailable

    async def pending_tickets(self, session: AsyncSession, *, user_id: int) -> list[TicketDTO]:
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
        return []

    async def retake_tickets_for_order(
        self, session: AsyncSession, order_id: int, user_id: int, ticket_ids: Sequence[int]
    ) -> dict[int, DebtReason]:
        # Nothing could be given, so that all of it is owed: money is never kept for what nobody keeps.
        return dict.fromkeys(ticket_ids, DebtReason.ORDER_CLOSED)

    async def user_tickets(self, session: AsyncSession, *, user_id: int) -> list[TicketDTO]:
        return []

    async def mark_tickets_refunded(self, session: AsyncSession, order_id: int, ticket_ids: Sequence[int]) -> None:
        """Do nothing."""

    async def cancel_tickets(self, session: AsyncSession, order_id: int, ticket_ids: Collection[int]) -> set[int]:
        return set()

    async def pending_entries(self, session: AsyncSession, owner: CartOwner) -> list[EntryDTO]:
        return []

    async def claim_entries_for_order(
        self,
        session: AsyncSession,
        order_id: int,
        owner: CartOwner,
        page_post_id: int | None = None,
    ) -> None:
        """Do nothing."""

    async def confirm_entries_for_order(self, session: AsyncSession, order_id: int) -> None:
        """Do nothing."""

    async def release_entries_for_order(self, session: AsyncSession, order_id: int) -> None:
        """Do nothing."""

    async def get_entries_for_order(self, session: AsyncSession, order_id: int) -> list[EntryDTO]:
        return []

    async def retake_entries_for_order(
        self, session: AsyncSession, order_id: int, user_id: int | None, entry_ids: Sequence[int]
    ) -> dict[int, DebtReason]:
        return dict.fromkeys(entry_ids, DebtReason.ORDER_CLOSED)

    async def booking_terms(self, session: AsyncSession, calendar_id: int) -> BookingTermsDTO | None:
        return None

    async def bookable_slots(
        self, session: AsyncSession, calendar_id: int, *, first: date, last: date
    ) -> list[SlotDTO]:
        return []

    async def add_pending_bookings(
        self,
        session: AsyncSession,
        owner: CartOwner,
        *,
        calendar_id: int,
        wish: Mapping[tuple[datetime, datetime], int],
    ) -> list[EntryDTO]:
        raise Unavailable

    async def remove_pending_booking(self, session: AsyncSession, owner: CartOwner, *, entry_id: int) -> None:
        """Do nothing."""

    async def booking(self, session: AsyncSession, entry_id: int) -> EntryDTO | None:
        return None

    async def user_bookings(self, session: AsyncSession, *, user_id: int) -> list[EntryDTO]:
        return []

    async def provisional_entries(
        self, session: AsyncSession, *, after: tuple[datetime, int] | None = None, limit: int = 50
    ) -> list[EntryDTO]:
        return []

    async def decide_entry(self, session: AsyncSession, entry_id: int, *, approved: bool) -> int:
        raise NotFound

    async def cancel_entries(self, session: AsyncSession, order_id: int, entry_ids: Collection[int]) -> set[int]:
        return set()

    async def orders_in_the_way(self, session: AsyncSession, entry_ids: Collection[int]) -> set[int]:
        return set()

    async def join_pending(self, session: AsyncSession, *, session_id: UUID, user_id: int) -> None:
        """Do nothing."""

    async def drop_stale_pending(self, session: AsyncSession, *, older_than: datetime) -> list[StaleLine]:
        return []


class StubMarketService:
    """A market without products."""

    is_stub = True

    async def products(self, session: AsyncSession, *, container_id: int | None = None) -> list[ProductDTO]:
        return []

    async def product_by_slug(self, session: AsyncSession, slug: str) -> ProductDTO | None:
        return None

    async def variants_by_id(self, session: AsyncSession, ids: Collection[int]) -> dict[int, VariantDTO]:
        return {}

    async def claim_stock_for_order(self, session: AsyncSession, order_id: int, wanted: Mapping[int, int]) -> None:
        # Refused rather than ignored: an order must not be made of what nobody holds.
        if wanted:
            raise Unavailable

    async def release_stock_for_order(self, session: AsyncSession, order_id: int) -> dict[int, int]:
        return {}

    async def confirm_stock_for_order(self, session: AsyncSession, order_id: int) -> None:
        """Do nothing."""

    async def retake_stock_for_order(
        self, session: AsyncSession, order_id: int, variant_ids: Collection[int]
    ) -> dict[int, DebtReason]:
        return dict.fromkeys(variant_ids, DebtReason.ORDER_CLOSED)

    async def get_stock_for_order(self, session: AsyncSession, order_id: int) -> list[AllocationDTO]:
        return []

    async def mark_stock_refunded(self, session: AsyncSession, order_id: int, variant_id: int) -> None:
        """Do nothing."""

    async def cancel_stock(self, session: AsyncSession, order_id: int, variant_ids: Collection[int]) -> set[int]:
        return set()
