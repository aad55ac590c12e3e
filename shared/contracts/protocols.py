"""What the domains promise each other, and what our borders promise us.

A domain service takes the caller's session and never commits (HOUSE.md rule 5).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from .dtos import (
    Account,
    CalendarDTO,
    CancelOutcome,
    CartItemDTO,
    CartSummaryDTO,
    Checkout,
    CheckoutRequest,
    EntryDTO,
    PageDTO,
    PostDTO,
    ProductDTO,
    RefundAnswer,
    TicketDTO,
    Transaction,
)
from .states import DebtReason

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncSession


class Clock(Protocol):
    """Tells the time, so that tests can move it."""

    def __call__(self) -> datetime:
        """Return the time now, aware, in UTC."""
        ...


@runtime_checkable
class CalendarService(Protocol):
    """The calendar domain: the only writer of calendars, entries, ticket types and tickets.

    It moves tickets pending → reserved → confirmed. Claims take the caller's locks as given: the cart's owner
    and the order are locked before; it locks entries and ticket types itself, in MONEY.md's order.
    """

    @property
    def is_stub(self) -> bool:
        """Whether this does nothing: an app that takes money refuses to start on such a one."""
        ...

    async def calendars_for_container(
        self, session: AsyncSession, container_type: str, container_id: int
    ) -> list[CalendarDTO]:
        """Return the calendars of a page, by name."""
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

    async def add_pending_tickets(
        self,
        session: AsyncSession,
        *,
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

    async def claim_tickets_for_order(
        self, session: AsyncSession, order_id: int, user_id: int, page_post_id: int | None = None
    ) -> None:
        """Move the user's pending tickets (of one page, if named) to reserved, in this order: all or none.

        Raises SoldOut with every line that cannot be had, and NotOnSale where an entry is over or its sale has
        ended; the caller rolls back. Safe to repeat: what is claimed is no longer pending.
        """
        ...

    async def release_tickets_for_order(self, session: AsyncSession, order_id: int) -> None:
        """Move an order's reserved tickets back to pending, in their owner's cart. Safe to repeat."""
        ...

    async def confirm_tickets_for_order(self, session: AsyncSession, order_id: int) -> None:
        """Move an order's reserved tickets to confirmed and give each its code. Safe to repeat."""
        ...

    async def get_tickets_for_order(self, session: AsyncSession, order_id: int) -> list[TicketDTO]:
        """Return the tickets of an order in any state, by start, entry, type and id."""
        ...

    async def retake_tickets_for_order(
        self, session: AsyncSession, order_id: int, user_id: int, ticket_ids: Sequence[int]
    ) -> dict[int, DebtReason]:
        """After a late payment, take again the tickets that an order let go, and confirm them (promise 9).

        ``ticket_ids`` are the order lines' tickets. Each is taken as the old ticket if that is still pending
        and without an order, else as a new one; one entry's tickets are taken all or none. Returns, out of
        ``ticket_ids``, those that could not be taken, and why; where the seats are gone the order keeps an
        ``oversold`` ticket for each. Safe to repeat: it answers the same.
        """
        ...

    async def user_tickets(self, session: AsyncSession, *, user_id: int) -> list[TicketDTO]:
        """Return the user's tickets that are bought (reserved and later), soonest first."""
        ...

    async def mark_tickets_refunded(self, session: AsyncSession, order_id: int, ticket_ids: Sequence[int]) -> None:
        """Move an order's oversold tickets (or those made in their place) to refunded, once their money went back."""
        ...

    async def pending_entries(
        self, session: AsyncSession, *, user_id: int | None, session_id: str | None
    ) -> list[EntryDTO]:
        """Return the bookings in a cart, whose owner is a user or an anonymous session."""
        ...

    async def claim_entries_for_order(
        self,
        session: AsyncSession,
        order_id: int,
        user_id: int | None,
        session_id: str | None,
        page_post_id: int | None = None,
    ) -> None:
        """Move a cart's pending bookings (of one page, if named) to ordered, in this order."""
        ...

    async def confirm_entries_for_order(self, session: AsyncSession, order_id: int) -> None:
        """Move an order's ordered bookings to confirmed. Safe to repeat."""
        ...

    async def release_entries_for_order(self, session: AsyncSession, order_id: int) -> None:
        """Move an order's ordered bookings back to pending. Safe to repeat."""
        ...

    async def retake_entries_for_order(
        self, session: AsyncSession, order_id: int, entry_ids: Sequence[int]
    ) -> dict[int, DebtReason]:
        """After a late payment, take again and confirm the bookings that an order let go; as for tickets."""
        ...

    async def get_entries_for_order(self, session: AsyncSession, order_id: int) -> list[EntryDTO]:
        """Return the bookings of an order."""
        ...


@runtime_checkable
class MarketService(Protocol):
    """The market domain: the only writer of products and stock."""

    async def products(self, session: AsyncSession, *, container_id: int | None = None) -> list[ProductDTO]:
        """Return the products on show, of one page or of all, by page and title."""
        ...

    async def product_by_slug(self, session: AsyncSession, slug: str) -> ProductDTO | None:
        """Return one product on show, or None."""
        ...


@runtime_checkable
class BlogService(Protocol):
    """The blog domain: the only writer of posts and pages."""

    async def pages(self, session: AsyncSession) -> list[PageDTO]:
        """Return the published pages, by title."""
        ...

    async def page_by_slug(self, session: AsyncSession, slug: str) -> PageDTO | None:
        """Return one published page, or None."""
        ...

    async def pages_by_id(self, session: AsyncSession, ids: Sequence[int]) -> dict[int, PageDTO]:
        """Return those pages, published or not, by id."""
        ...

    async def posts(
        self,
        session: AsyncSession,
        *,
        page_id: int | None = None,
        before: tuple[datetime, int] | None = None,
        limit: int = 10,
    ) -> list[PostDTO]:
        """Return published posts, of one page or of all, newest first, older than the key ``before``."""
        ...

    async def post_by_slug(self, session: AsyncSession, slug: str) -> PostDTO | None:
        """Return one published post, or None."""
        ...


@runtime_checkable
class CartService(Protocol):
    """The cart domain: the only writer of cart lines, orders, payments, debts and refunds."""

    async def cart_summary(
        self,
        session: AsyncSession,
        *,
        user_id: int | None,
        session_id: str | None,
        page_post_id: int | None = None,
    ) -> CartSummaryDTO:
        """Return how much is in a cart, for the badge; of one page, if named."""
        ...

    async def cart_items(
        self, session: AsyncSession, *, user_id: int | None, session_id: str | None
    ) -> list[CartItemDTO]:
        """Return the product lines of a cart."""
        ...


class PaymentGateway(Protocol):
    """A payment provider (SumUp). All calls have timeouts, and refuse to run while the task has a transaction.

    Errors are those of ``contracts.errors`` under GatewayError: Rejected, AuthFailed, NotAllowed,
    GatewayNotFound, GatewayConflict, RateLimited, GatewayUnavailable (nothing happened there), GatewayUnknown
    (sent, answer lost). Amounts are major units with two decimals.
    """

    async def create(self, attempt: CheckoutRequest) -> Checkout:
        """Open a checkout with a hosted page.

        Safe to repeat with the same reference: a checkout that exists already under it, pending and with the
        same amount, currency and merchant, is returned; another one raises GatewayConflict("reference_spent").
        """
        ...

    async def get(self, checkout_id: str) -> Checkout:
        """Return a checkout. Raises GatewayNotFound; an id that is no uuid causes no call."""
        ...

    async def find(self, reference: str) -> Checkout | None:
        """Return the checkout of a reference, or None. How a lost answer of ``create`` is looked up."""
        ...

    async def cancel(self, checkout_id: str) -> CancelOutcome:
        """Deactivate a checkout. Safe to repeat. After ALREADY_PAID read it and honour it."""
        ...

    async def transaction(self, transaction_id: str, merchant_code: str) -> Transaction | None:
        """Return a transaction with its refunds; None where the provider does not know it (yet)."""
        ...

    async def refund(self, transaction_id: str, merchant_code: str, amount: Decimal) -> RefundAnswer:
        """Ask for a refund, once: never repeated by the gateway, and NOT safe to repeat."""
        ...

    async def check_account(self, merchant_code: str) -> Account:
        """Return the account behind the key: a good start-up check of key, merchant code and currency."""
        ...
