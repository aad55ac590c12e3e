"""What the calendar domain promises, in small parts."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime
from typing import TYPE_CHECKING, Protocol, runtime_checkable
from uuid import UUID

from .calendar import AgendaDTO, BookingTermsDTO, CalendarDTO, EntryDTO, SlotDTO, TicketDTO
from .cart import StaleLine
from .owner import CartOwner
from .states import (
    DebtReason,
)

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncSession


class CalendarReads(Protocol):
    """Calendars and events, as anybody reads them."""

    async def calendars_for_container(
        self, session: AsyncSession, container_type: str, container_id: int
    ) -> list[CalendarDTO]:
        """Return the calendars of a page, by name."""
        ...

    async def agendas_of_page(
        self, session: AsyncSession, page_post_id: int, *, now: datetime, limit: int
    ) -> list[AgendaDTO]:
        """Return the calendars of a page, by name, each with its next events (at most ``limit``), soonest first.

        The number of queries does not depend on how many calendars there are.
        """
        ...

    async def calendar_by_slug(self, session: AsyncSession, slug: str) -> CalendarDTO | None:
        """Return one calendar, or None."""
        ...

    async def calendars(self, session: AsyncSession) -> list[CalendarDTO]:
        """Return all calendars, by name."""
        ...

    async def upcoming_entries(
        self,
        session: AsyncSession,
        *,
        now: datetime,
        calendar_id: int | None = None,
        after: tuple[datetime, int] | None = None,
        limit: int = 30,
    ) -> list[EntryDTO]:
        """Return confirmed events that are not over, by start and id, after the key ``after`` (keyset paging)."""
        ...

    async def entry(self, session: AsyncSession, entry_id: int) -> EntryDTO | None:
        """Return one confirmed event with its ticket types and what is available, or None."""
        ...

    async def entries_by_id(self, session: AsyncSession, ids: Collection[int]) -> dict[int, EntryDTO]:
        """Return confirmed events with their ticket types, by id; those that are not on are left out."""
        ...


class CartTickets(Protocol):
    """Tickets in a cart: pending, without a seat."""

    async def add_pending_tickets(
        self,
        session: AsyncSession,
        *,
        # No CartOwner, as bookings have: a ticket needs an account.
        user_id: int,
        entry_id: int,
        choice: dict[int | None, int],
        now: datetime,
    ) -> list[TicketDTO]:
        """Put tickets into the user's cart: ``choice`` is how many of each ticket type (None: the one price).

        Availability is not checked (the specification, step 9). Raises NotFound, NotOnSale, UnknownTicketType,
        TooManyTickets or BadInput, and then nothing was added. Not safe to repeat: it adds each time.
        """
        ...

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
        """Make the user's cart hold exactly ``quantity`` tickets of that kind; 0 takes them out. Safe to repeat.

        Raises as ``add_pending_tickets``; making it fewer is always allowed.
        """
        ...

    async def pending_tickets(self, session: AsyncSession, *, user_id: int) -> list[TicketDTO]:
        """Return the tickets in the user's cart, by start, entry, type and id."""
        ...


class OrderTickets(Protocol):
    """Tickets of an order: reserved, confirmed, released, cancelled."""

    async def claim_tickets_for_order(
        self, session: AsyncSession, order_id: int, user_id: int, page_post_id: int | None = None
    ) -> None:
        """Move the user's pending tickets (of one page, if named) to reserved, in this order: all or none.

        Raises SoldOut with every line that cannot be had, NotOnSale where an entry is over or not for sale, and
        TooManyTickets where it is more than one order may have; the caller rolls back. Safe to repeat: what is claimed
        is no longer pending.
        """
        ...

    async def release_tickets_for_order(self, session: AsyncSession, order_id: int) -> None:
        """Move an order's reserved tickets back to pending, in their owner's cart. Safe to repeat."""
        ...

    # Return page, webhook and worker all settle, so it may be called more than once (docs/money.md, promise 7).
    async def confirm_tickets_for_order(self, session: AsyncSession, order_id: int) -> None:
        """Move an order's reserved tickets to confirmed and give each its code. Safe to repeat."""
        ...

    async def get_tickets_for_order(self, session: AsyncSession, order_id: int) -> list[TicketDTO]:
        """Return the tickets of an order in any state, as they were sold, by start, entry, type and id."""
        ...

    # By the lines' tickets and not by the order: a ticket that was released is in no order, or in another one.
    async def retake_tickets_for_order(
        self, session: AsyncSession, order_id: int, user_id: int, ticket_ids: Sequence[int]
    ) -> dict[int, DebtReason]:
        """After a late payment, take again the tickets that an order released, and confirm them (promise 9).

        ``ticket_ids`` are the order lines' tickets. Each is taken as the old ticket if that is still pending
        and without an order, else as a new one; one entry's tickets are taken all or none. Returns, out of
        ``ticket_ids``, those that could not be taken, and why; where the seats are gone the order keeps an
        ``oversold`` ticket for each. Safe to repeat: it answers the same.
        """
        ...

    async def user_tickets(self, session: AsyncSession, *, user_id: int) -> list[TicketDTO]:
        """Return the user's tickets that are bought (reserved and later), as they were sold, soonest first."""
        ...

    # Oversold ones alone: what was given is cancelled by another decision than its money's (docs/money.md, promise 11).
    async def mark_tickets_refunded(self, session: AsyncSession, order_id: int, ticket_ids: Sequence[int]) -> None:
        """Move an order's oversold tickets (or those made in their place) to refunded, once their money went back."""
        ...

    async def cancel_tickets(self, session: AsyncSession, order_id: int, ticket_ids: Collection[int]) -> set[int]:
        """Move an order's confirmed tickets (or those made in their place) to cancelled: their seats are for sale.

        Returns, out of ``ticket_ids``, those that this call has cancelled: a ticket that was used stays as it is. Safe
        to repeat.
        """
        ...


class CartBookings(Protocol):
    """What can be booked, and bookings in a cart: pending, holding nothing."""

    async def booking_terms(self, session: AsyncSession, calendar_id: int) -> BookingTermsDTO | None:
        """Return when a calendar can be booked, days as its zone counts them; None where it cannot be booked at all."""
        ...

    async def bookable_slots(
        self, session: AsyncSession, calendar_id: int, *, first: date, last: date
    ) -> list[SlotDTO]:
        """Return what can be booked from one day to another (at most 62), days as the calendar's zone counts them.

        Each slot comes with the places that are free now; what is taken comes with none. Sorted by day and start.
        """
        ...

    async def add_pending_bookings(
        self,
        session: AsyncSession,
        owner: CartOwner,
        *,
        calendar_id: int,
        wish: Mapping[tuple[datetime, datetime], int],
    ) -> list[EntryDTO]:
        """Put stretches of time into a cart: ``wish`` is how many places of each (start and end, in UTC).

        Nothing is held for it. Raises NotFound, BadInput, or NotOffered where one of them is not offered or taken; then
        nothing was added. A room that is let as a whole is had once, however often it is added.
        """
        ...

    # Not NotFound: who presses twice has what they wanted.
    async def remove_pending_booking(self, session: AsyncSession, owner: CartOwner, *, entry_id: int) -> None:
        """Take a booking out of a cart. Safe to repeat; somebody else's is left alone."""
        ...

    async def pending_entries(self, session: AsyncSession, owner: CartOwner) -> list[EntryDTO]:
        """Return the bookings in a cart, whose owner is a user or an anonymous session.

        ``cost`` is what each costs now, ``sale`` says whether it can be had now. That is advice: the claim decides,
        under lock.
        """
        ...


class OrderBookings(Protocol):
    """Bookings of an order: ordered, provisional, confirmed, declined, cancelled."""

    # After the order's tickets: entries and types are locked before rooms and slots (docs/locking.md).
    async def claim_entries_for_order(
        self,
        session: AsyncSession,
        order_id: int,
        owner: CartOwner,
        page_post_id: int | None = None,
    ) -> None:
        """Move a cart's pending bookings (of one page, if named) to ordered, in this order: all or none.

        Raises SoldOut with every booking whose time is taken, and NotOffered where one is no longer offered; the caller
        rolls back. Safe to repeat: what is claimed is no longer pending.
        """
        ...

    async def confirm_entries_for_order(self, session: AsyncSession, order_id: int) -> None:
        """Move an order's ordered bookings to confirmed, or to provisional where they need approval. Safe to repeat."""
        ...

    async def release_entries_for_order(self, session: AsyncSession, order_id: int) -> None:
        """Move an order's ordered bookings back to pending, in their owner's cart. Safe to repeat.

        Those of an anonymous session that is gone are cancelled.
        """
        ...

    # Without a user, a guest's: whose later orders are is not known then, so nothing counts as bought again.
    async def retake_entries_for_order(
        self, session: AsyncSession, order_id: int, user_id: int | None, entry_ids: Sequence[int]
    ) -> dict[int, DebtReason]:
        """After a late payment, take again the bookings that an order released, one by one, and confirm them.

        Returns, out of ``entry_ids``, those that could not be taken, and why. Safe to repeat.
        """
        ...

    async def get_entries_for_order(self, session: AsyncSession, order_id: int) -> list[EntryDTO]:
        """Return the bookings of an order, as they were sold."""
        ...

    # Anybody's: admins ask by it, who decide on other people's bookings.
    async def booking(self, session: AsyncSession, entry_id: int) -> EntryDTO | None:
        """Return one booking in any state, as it was sold, or None. It may be anybody's."""
        ...

    async def user_bookings(self, session: AsyncSession, *, user_id: int) -> list[EntryDTO]:
        """Return the user's bookings that are in an order, in any state, as they were sold, soonest first."""
        ...

    async def provisional_entries(
        self, session: AsyncSession, *, after: tuple[datetime, int] | None = None, limit: int = 50
    ) -> list[EntryDTO]:
        """Return the bookings that are paid and wait for approval, as they were sold, by start and id.

        ``after`` is the key of the last one before.
        """
        ...

    async def decide_entry(self, session: AsyncSession, entry_id: int, *, approved: bool) -> int:
        """Move a booking that waits to confirmed, or to declined, and return its order's id.

        Raises NotFound, and Conflict where it does not wait (any more): deciding twice changes nothing.
        """
        ...

    async def cancel_entries(self, session: AsyncSession, order_id: int, entry_ids: Collection[int]) -> set[int]:
        """Move an order's bookings (or those made in their place) to cancelled; their times can be had again.

        Those that wait for approval, too. Returns, out of ``entry_ids``, those that this call has cancelled. Safe to
        repeat.
        """
        ...

    # For a checkout that finds nothing left: overdue ones among these are fenced at once (docs/money.md, promise 8).
    async def orders_in_the_way(self, session: AsyncSession, entry_ids: Collection[int]) -> set[int]:
        """Return the orders whose bookings wait for payment and hold the times of these bookings."""
        ...


class CalendarCarts(Protocol):
    """Carts as a whole: joined at sign-in, tidied by time."""

    # One lock for the whole cart: products and bookings move in the same transaction.
    async def join_pending(self, session: AsyncSession, *, session_id: UUID, user_id: int) -> None:
        """Give an anonymous session's bookings to a user. Both are locked by the caller. Safe to repeat."""
        ...

    async def drop_stale_pending(self, session: AsyncSession, *, older_than: datetime) -> list[StaleLine]:
        """Take out of all carts what is over, or was put in before ``older_than``, and return it. Safe to repeat."""
        ...


@runtime_checkable
# One protocol of small ones: a caller that needs only the cart's side asks for that side alone.
class CalendarService(CalendarReads, CartTickets, OrderTickets, CartBookings, OrderBookings, CalendarCarts, Protocol):
    """The calendar domain: the only writer of calendars, entries, ticket types and tickets.

    It moves tickets pending → reserved → confirmed, and bookings pending → ordered → (provisional →) confirmed. Claims
    take the caller's locks as given: the cart's owner and the order are locked before; it locks entries, ticket types,
    whole rooms and slots itself, in the order of docs/locking.md.
    """

    @property
    # Asked at the start: an order made with a stub would charge for what nobody holds.
    def is_stub(self) -> bool:
        """Whether this does nothing: an app that takes money refuses to start on such a one."""
        ...
