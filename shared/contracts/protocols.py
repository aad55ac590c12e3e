"""What the domains promise each other, and what our borders promise us.

A domain service takes the caller's session and never commits (docs/locking.md, "Transactions").
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Protocol, runtime_checkable
from uuid import UUID

from .access import PageScope
from .dtos import (
    Account,
    AgendaDTO,
    AllocationDTO,
    BookingTermsDTO,
    CalendarDTO,
    CancelOutcome,
    CartItemDTO,
    CartNoticeDTO,
    CartSummaryDTO,
    Checkout,
    CheckoutRequest,
    EntryDTO,
    HistoryPage,
    PageDTO,
    PostDTO,
    ProductDTO,
    RefundAnswer,
    SlotDTO,
    StaleLine,
    TicketDTO,
    Transaction,
    VariantDTO,
)
from .owner import CartOwner
from .states import DebtReason

if TYPE_CHECKING:
    from pydantic import SecretStr
    from sqlalchemy.ext.asyncio import AsyncSession


class Clock(Protocol):
    """Tells the time, so that tests can move it."""

    def __call__(self) -> datetime:
        """Return the time now, aware, in UTC."""
        ...


@runtime_checkable
class CalendarService(Protocol):
    """The calendar domain: the only writer of calendars, entries, ticket types and tickets.

    It moves tickets pending → reserved → confirmed, and bookings pending → ordered → (provisional →) confirmed. Claims
    take the caller's locks as given: the cart's owner and the order are locked before; it locks entries, ticket types,
    whole rooms and slots itself, in the order of docs/locking.md.
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

    async def agendas_of_page(
        self, session: AsyncSession, page_id: int, *, now: datetime, limit: int
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

        Raises SoldOut with every line that cannot be had, NotOnSale where an entry is over or not for sale, and
        TooManyTickets where it is more than one order may have; the caller rolls back. Safe to repeat: what is claimed
        is no longer pending.
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

    async def cancel_tickets(self, session: AsyncSession, order_id: int, ticket_ids: Collection[int]) -> set[int]:
        """Move an order's confirmed tickets (or those made in their place) to cancelled: their seats are for sale.

        Returns, out of ``ticket_ids``, those that this call has cancelled: a ticket that was used stays as it is. Safe
        to repeat.
        """
        ...

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

    async def remove_pending_booking(self, session: AsyncSession, owner: CartOwner, *, entry_id: int) -> None:
        """Take a booking out of a cart. Safe to repeat; somebody else's is left alone."""
        ...

    async def pending_entries(self, session: AsyncSession, owner: CartOwner) -> list[EntryDTO]:
        """Return the bookings in a cart, whose owner is a user or an anonymous session.

        ``cost`` is what each costs now, ``refusal`` says why it cannot be had now. That is advice: the claim decides,
        under lock.
        """
        ...

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

    async def retake_entries_for_order(
        self, session: AsyncSession, order_id: int, user_id: int | None, entry_ids: Sequence[int]
    ) -> dict[int, DebtReason]:
        """After a late payment, take again the bookings that an order let go, one by one, and confirm them."""
        ...

    async def get_entries_for_order(self, session: AsyncSession, order_id: int) -> list[EntryDTO]:
        """Return the bookings of an order, at the price that they were ordered for."""
        ...

    async def booking(self, session: AsyncSession, entry_id: int) -> EntryDTO | None:
        """Return one booking in any state, at the price that it was ordered for, or None. It may be anybody's."""
        ...

    async def user_bookings(self, session: AsyncSession, *, user_id: int) -> list[EntryDTO]:
        """Return the user's bookings that are in an order, in any state, soonest first."""
        ...

    async def provisional_entries(
        self, session: AsyncSession, *, after: tuple[datetime, int] | None = None, limit: int = 50
    ) -> list[EntryDTO]:
        """Return the bookings that are paid and wait for approval, by start and id, after the key ``after``."""
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

    async def orders_in_the_way(self, session: AsyncSession, entry_ids: Collection[int]) -> set[int]:
        """Return the orders whose bookings wait for payment and hold the times of these bookings."""
        ...

    async def join_pending(self, session: AsyncSession, *, session_id: UUID, user_id: int) -> None:
        """Give an anonymous session's bookings to a user. Both are locked by the caller. Safe to repeat."""
        ...

    async def drop_stale_pending(self, session: AsyncSession, *, older_than: datetime) -> list[StaleLine]:
        """Take out of all carts what is over, or was put in before ``older_than``, and return it. Safe to repeat."""
        ...


@runtime_checkable
class MarketService(Protocol):
    """The market domain: the only writer of products and stock."""

    @property
    def is_stub(self) -> bool:
        """Whether this does nothing: an app that takes money refuses to start on such a one."""
        ...

    async def products(self, session: AsyncSession, *, container_id: int | None = None) -> list[ProductDTO]:
        """Return the products on show, of one page or of all, by page and title."""
        ...

    async def product_by_slug(self, session: AsyncSession, slug: str) -> ProductDTO | None:
        """Return one product on show, or None."""
        ...

    async def variants_by_id(self, session: AsyncSession, ids: Collection[int]) -> dict[int, VariantDTO]:
        """Return those variants, on show or not, by id."""
        ...

    async def claim_stock_for_order(self, session: AsyncSession, order_id: int, wanted: Mapping[int, int]) -> None:
        """Hold stock for an order: how many of which variant, all or none.

        Locks the variants. Raises SoldOut with every variant that there are not enough of, and NotOnSale for what is
        hidden; the caller rolls back.
        """
        ...

    async def release_stock_for_order(self, session: AsyncSession, order_id: int) -> dict[int, int]:
        """Put what an order holds back on the shelf; return how many of each variant that was. Safe to repeat."""
        ...

    async def confirm_stock_for_order(self, session: AsyncSession, order_id: int) -> None:
        """Sell what an order holds. Safe to repeat."""
        ...

    async def retake_stock_for_order(
        self, session: AsyncSession, order_id: int, variant_ids: Collection[int]
    ) -> dict[int, DebtReason]:
        """After a late payment, take again and sell what an order let go (promise 9), each variant all or none.

        Returns, out of ``variant_ids``, those that could not be taken, and why; the order keeps them as ``oversold``.
        Safe to repeat: it answers the same.
        """
        ...

    async def get_stock_for_order(self, session: AsyncSession, order_id: int) -> list[AllocationDTO]:
        """Return what was allocated to an order, in any state."""
        ...

    async def mark_stock_refunded(self, session: AsyncSession, order_id: int, variant_id: int) -> None:
        """Mark an oversold allocation as refunded, once its money went back. Safe to repeat."""
        ...

    async def cancel_stock(self, session: AsyncSession, order_id: int, variant_ids: Collection[int]) -> set[int]:
        """Put what was sold with an order back on the shelf.

        Returns, out of ``variant_ids``, those that this call has cancelled. Safe to repeat.
        """
        ...


@runtime_checkable
class BlogService(Protocol):
    """The blog domain: the only writer of posts and pages."""

    async def pages(self, session: AsyncSession, *, drafts: bool = False) -> list[PageDTO]:
        """Return the published pages, by title; with ``drafts`` those that are not published (yet), too."""
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

    async def set_page_account(self, session: AsyncSession, page_id: int, merchant_code: str | None) -> None:
        """Have a page paid to an account of its own, or (None) to the installation's. Safe to repeat.

        Orders that were placed before stay with the account that they were placed for. Raises NotFound.
        """
        ...

    async def set_automatic_refunds(self, session: AsyncSession, page_id: int, *, automatic: bool) -> bool:
        """Say whether money that is owed to a page's buyers goes back by itself; return whether that is a change.

        Raises NotFound.
        """
        ...


@runtime_checkable
class CartService(Protocol):
    """The cart domain: the only writer of cart lines, orders, payments, debts and refunds."""

    async def cart_summary(
        self,
        session: AsyncSession,
        owner: CartOwner,
        *,
        page_post_id: int | None = None,
    ) -> CartSummaryDTO:
        """Return how much is in a cart, for the badge; of one page, if named."""
        ...

    async def cart_items(self, session: AsyncSession, owner: CartOwner) -> list[CartItemDTO]:
        """Return the product lines of a cart, oldest first, at the prices that they have now."""
        ...

    async def change_item(
        self,
        session: AsyncSession,
        owner: CartOwner,
        *,
        variant_id: int,
        quantity: int,
        more: bool,
    ) -> int:
        """Add so many of a variant to a cart (``more``), or make it hold exactly so many; return what it holds then.

        Nothing is held for it. Raises NotFound, NotOnSale, TooManyProducts or BadInput; making it fewer is always
        allowed, and 0 takes the line out. Setting is safe to repeat, adding is not.
        """
        ...

    async def claim_items_for_order(
        self,
        session: AsyncSession,
        order_id: int,
        owner: CartOwner,
        page_post_id: int | None = None,
    ) -> list[CartItemDTO]:
        """Move a cart's product lines (of one page, if named) into an order and hold their stock: all or none.

        Returns them as they are then. Raises as ``claim_stock_for_order``; the caller rolls back.
        """
        ...

    async def release_items_for_order(
        self,
        session: AsyncSession,
        order_id: int,
        owner: CartOwner,
        prices: Mapping[int, Decimal],
    ) -> None:
        """Put an order's products back on the shelf and, at the prices that they had, into their owner's cart.

        Safe to repeat. Without an owner (a guest's session that is gone) they are only put on the shelf.
        """
        ...

    async def confirm_items_for_order(self, session: AsyncSession, order_id: int) -> None:
        """Sell an order's products. Safe to repeat."""
        ...

    async def retake_items_for_order(
        self,
        session: AsyncSession,
        order_id: int,
        owner: CartOwner,
        quantities: Mapping[int, int],
    ) -> dict[int, DebtReason]:
        """After a late payment, take again what an order let go, out of its owner's cart where it still is.

        ``quantities`` are the order lines'. Returns as ``retake_stock_for_order``.
        """
        ...

    async def join_cart(self, session: AsyncSession, *, session_id: UUID, user_id: int) -> None:
        """Let an anonymous session's cart become the user's who has signed in, and its unpaid orders with it.

        Quantities add up, to what one cart may hold at the most; a whole room is had once. Safe to repeat: twice is the
        same as once. Locks both owners.
        """
        ...

    async def drop_stale(self, session: AsyncSession, *, older_than: datetime) -> int:
        """Take out of all carts what is over, or was put in before ``older_than``, and leave a notice of it.

        Returns how many lines that were. Safe to repeat.
        """
        ...

    async def notices(self, session: AsyncSession, owner: CartOwner) -> list[CartNoticeDTO]:
        """Return what left a cart by itself and its owner has not read yet, oldest first."""
        ...

    async def dismiss_notices(self, session: AsyncSession, owner: CartOwner, *, ids: Collection[int]) -> None:
        """Forget notices that were read. Safe to repeat; somebody else's are left alone."""
        ...

    async def count_attention(self, session: AsyncSession, scope: PageScope) -> int:
        """Count the debts, payments and findings that wait for a person within a scope; at most 100 of each kind."""
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

    async def history(self, merchant_code: str, *, since: datetime, following: str | None = None) -> HistoryPage:
        """Return a page of an account's transactions that were made or changed at or after ``since``, oldest first.

        ``following`` is that of the page before. What changes meanwhile may come twice, and is never left out.
        """
        ...

    async def refund(self, transaction_id: str, merchant_code: str, amount: Decimal) -> RefundAnswer:
        """Ask for a refund, once: never repeated by the gateway, and NOT safe to repeat."""
        ...

    async def check_account(self, merchant_code: str) -> Account:
        """Return the account behind the key: a good start-up check of key, merchant code and currency."""
        ...


class Gateways(Protocol):
    """The payment provider, as each of our accounts there sees it."""

    async def of(self, merchant_code: str) -> PaymentGateway:
        """Return the gateway that uses this account's key.

        Raises AccountMissing (a GatewayError: nothing was sent) where we have no key for it.
        """
        ...

    def with_key(self, api_key: SecretStr) -> PaymentGateway:
        """Return the gateway that uses a key, whosever it is: how one is tried before it is kept."""
        ...
