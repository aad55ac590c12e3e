"""The market domain: products and stock, and what it promises."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from .sale import Sale, sale_of_stock
from .states import (
    DebtReason,
    StockState,
)

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncSession


@dataclass(frozen=True, slots=True)
class VariantDTO:
    """What is sold of a product. ``label`` says which kind it is; empty: the product has only this one."""

    id: int
    product_id: int
    product_slug: str
    title: str
    label: str
    unit: str
    price: Decimal
    vat_rate: Decimal
    available: int | None
    """How many are left; None: no limit."""
    on_show: bool
    container_id: int
    some_unpaid: bool = False
    """Whether some of those that are gone are held only by orders that are not paid yet."""

    @property
    def sale(self) -> Sale:
        """How it stands in the sale."""
        return sale_of_stock(on_show=self.on_show, left=self.available, some_unpaid=self.some_unpaid)


@dataclass(frozen=True, slots=True)
class ProductDTO:
    """A product of a page's market, with the variants of it that are on show (at least one)."""

    id: int
    slug: str
    title: str
    description: str
    unit: str
    container_id: int
    vat_rate: Decimal
    variants: tuple[VariantDTO, ...]

    @property
    def price(self) -> Decimal:
        """The lowest price of a variant that is left, else of any."""
        return min(self._prices)

    @property
    def has_dearer(self) -> bool:
        """Whether some variant of those costs more than ``price``."""
        return max(self._prices) > self.price

    @property
    def _prices(self) -> list[Decimal]:
        """The prices of the variants that are left, else of all."""
        # A price at which nothing is left would promise what nobody can buy.
        left = [variant.price for variant in self.variants if variant.available != 0]
        return left or [variant.price for variant in self.variants]

    @property
    def sale(self) -> Sale:
        """How it stands in the sale, all of its variants together."""
        limits = [variant.available for variant in self.variants if variant.available is not None]
        return sale_of_stock(
            on_show=bool(self.variants),
            # With one variant that has no limit there is no number to name.
            left=sum(limits) if len(limits) == len(self.variants) else None,
            some_unpaid=any(variant.some_unpaid for variant in self.variants),
        )

    @property
    def is_sold_out(self) -> bool:
        """Whether nothing of it is left."""
        # ``== 0``, since None, no limit, is false as well.
        return all(variant.available == 0 for variant in self.variants)


@dataclass(frozen=True, slots=True)
class AllocationDTO:
    """So many of one variant for one order, called as they were when they were sold."""

    order_id: int
    variant_id: int
    title: str
    detail: str
    quantity: int
    state: StockState
    id: int = 0


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

    # After everything else of the order: variants are locked last, for the shortest time (docs/locking.md).
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
        """After a late payment, take again and sell what an order released (promise 9), each variant all or none.

        Returns, out of ``variant_ids``, those that could not be taken, and why; the order keeps them as ``oversold``.
        Safe to repeat: it answers the same.
        """
        ...

    async def get_stock_for_order(self, session: AsyncSession, order_id: int) -> list[AllocationDTO]:
        """Return what was allocated to an order, in any state, called as it was when it was sold."""
        ...

    async def mark_stock_refunded(self, session: AsyncSession, order_id: int, variant_id: int) -> None:
        """Mark an oversold allocation as refunded, once its money went back. Safe to repeat."""
        ...

    # No money moves by it: that is another decision (docs/money.md, promise 11).
    async def cancel_stock(self, session: AsyncSession, order_id: int, variant_ids: Collection[int]) -> set[int]:
        """Put what was sold with an order back on the shelf.

        Returns, out of ``variant_ids``, those that this call has cancelled. Safe to repeat.
        """
        ...
