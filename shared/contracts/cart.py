"""The cart domain: what is in a cart, and what it promises."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Protocol, runtime_checkable
from uuid import UUID

from .access import PageScope
from .lines import KIND_WORDS
from .money import ZERO
from .owner import CartOwner
from .sale import Sale, sale_of_stock
from .states import (
    DebtReason,
    LineKind,
    NoticeReason,
)

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncSession


@dataclass(frozen=True, slots=True)
class CartItemDTO:
    """A product line of the cart. ``unit_price`` is what one costs now, ``price_seen`` what it cost when put in."""

    id: int
    product_id: int
    product_slug: str
    variant_id: int
    title: str
    detail: str
    """Which variant, in words; empty for a product of one kind."""
    unit: str
    quantity: int
    # Both are for the page alone: what is charged is the price at the moment of checkout (docs/pricing.md).
    unit_price: Decimal
    price_seen: Decimal
    container_id: int
    available: int | None
    """How many can be had now; None: no limit."""
    on_show: bool
    vat_rate: Decimal = ZERO
    some_unpaid: bool = False
    """Whether some of those that are gone are held only by orders that are not paid yet."""

    @property
    def sale(self) -> Sale:
        """How it stands in the sale."""
        return sale_of_stock(on_show=self.on_show, left=self.available, some_unpaid=self.some_unpaid)

    @property
    def total(self) -> Decimal:
        """What the line costs."""
        return self.unit_price * self.quantity


@dataclass(frozen=True, slots=True)
class CartNoticeDTO:
    """What left a cart by itself, and why."""

    id: int
    title: str
    quantity: int
    reason: NoticeReason


@dataclass(frozen=True, slots=True)
class StaleLine:
    """What was taken out of somebody's cart because its time was over, or it had waited too long."""

    owner: CartOwner
    title: str
    quantity: int
    reason: NoticeReason


@dataclass(frozen=True, slots=True)
class KindCount:
    """How many things of a kind there are, what one is called and several, and what they cost."""

    kind: str
    one: str
    many: str
    count: int
    total: Decimal

    @property
    def words(self) -> str:
        """How many there are, in words."""
        return f"{self.count} {self.one if self.count == 1 else self.many}"


@dataclass(frozen=True, slots=True)
class CartSummaryDTO:
    """How much is in a cart, for the badge: each kind with its count and total, and unpaid orders."""

    # Three kinds have members of their own, as the specification names them; every other kind goes into ``others``.
    count: int = 0
    total: Decimal = ZERO
    calendar_count: int = 0
    calendar_total: Decimal = ZERO
    ticket_count: int = 0
    ticket_total: Decimal = ZERO
    open_orders: int = 0
    """Orders that wait for their payment; their lines are in no count."""
    others: tuple[KindCount, ...] = ()
    """Every kind of thing besides products, bookings and tickets."""

    @property
    def kinds(self) -> tuple[KindCount, ...]:
        """The kinds of which there is anything."""
        known = (
            (LineKind.PRODUCT, self.count, self.total),
            (LineKind.BOOKING, self.calendar_count, self.calendar_total),
            (LineKind.TICKET, self.ticket_count, self.ticket_total),
        )
        counts = (*(KindCount(kind, *KIND_WORDS[kind], count, total) for kind, count, total in known), *self.others)
        return tuple(each for each in counts if each.count)

    @property
    def badge_count(self) -> int:
        """The number that the badge shows."""
        return sum(each.count for each in self.kinds)

    @property
    def grand_total(self) -> Decimal:
        """What everything in the cart costs."""
        return sum((each.total for each in self.kinds), ZERO)


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

    # Returned as they were taken: the total is made of exactly these (docs/money.md, promise 4).
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
        # The order's own: beside them the cart can say what costs another price by now.
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
        """After a late payment, take again what an order released, out of its owner's cart where it still is.

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
