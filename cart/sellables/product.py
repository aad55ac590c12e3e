"""Products: so many of a variant, out of stock."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import ClassVar

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from shared.audit.sold import PRODUCTS, SoldRows
from shared.contracts.dtos import AllocationDTO, CartItemDTO, OrderLineDTO, PageDTO
from shared.contracts.lines import KIND_WORDS, LineKey
from shared.contracts.owner import CartOwner
from shared.contracts.states import DebtReason, LineKind, OrderState, StockState
from shared.labels import PRODUCT_TAGS
from shared.models import Order, OrderLine
from shared.services.registry import Services

from .lines import CartLine, product_lines
from .protocol import Given, KindWords, NewLine, Sellable


@dataclass(frozen=True, slots=True)
class Products(Sellable[CartItemDTO]):
    """So many of one variant are one line, in a cart and in an order."""

    services: Services
    kind: ClassVar[str] = LineKind.PRODUCT
    thing: ClassVar[str] = "stock"
    words: ClassVar[KindWords] = KindWords(*KIND_WORDS[LineKind.PRODUCT], is_collected=True)
    place: ClassVar[int] = 10
    audited: ClassVar[SoldRows] = PRODUCTS

    async def in_cart(self, session: AsyncSession, owner: CartOwner) -> Sequence[CartItemDTO]:
        """Return the product lines of a cart."""
        return await self.services.cart.cart_items(session, owner)

    def page_of(self, item: CartItemDTO) -> int | None:
        """Return the page whose shop has it."""
        return item.container_id

    def price_of(self, item: CartItemDTO) -> Decimal:
        """Return what the line costs."""
        return item.total

    def quantity_of(self, item: CartItemDTO) -> int:
        """Return how many it is."""
        return item.quantity

    async def cart_lines(
        self,
        session: AsyncSession,  # noqa: ARG002 - an item brings what is left of it
        items: Sequence[CartItemDTO],
        pages: Mapping[int, PageDTO],
    ) -> list[CartLine]:
        """Make a line of each product."""
        return product_lines(items, pages)

    async def change(
        self,
        session: AsyncSession,
        owner: CartOwner,
        key: LineKey,
        quantity: int,
        *,
        now: datetime,  # noqa: ARG002 - a product has no time
    ) -> None:
        """Make a cart hold exactly so many of a variant."""
        await self.services.cart.change_item(session, owner, variant_id=key[1], quantity=quantity, more=False)

    async def claim(
        self, session: AsyncSession, order_id: int, owner: CartOwner, page_post_id: int | None
    ) -> Sequence[CartItemDTO]:
        """Hold stock for the products of a cart; return them as they are then."""
        return await self.services.cart.claim_items_for_order(session, order_id, owner, page_post_id)

    def order_line(self, item: CartItemDTO) -> NewLine:
        """Write a product down as it is now."""
        return NewLine(
            kind=self.kind,
            title=item.title,
            detail=item.detail,
            quantity=item.quantity,
            unit_price=item.unit_price,
            total=item.total,
            vat_rate=item.vat_rate,
            page_post_id=item.container_id,
            option_name=item.detail,
            product_id=item.product_id,
            variant_id=item.variant_id,
        )

    async def confirm(self, session: AsyncSession, order_id: int) -> None:
        """Sell an order's products."""
        await self.services.cart.confirm_items_for_order(session, order_id)

    async def release(
        self, session: AsyncSession, order_id: int, owner: CartOwner, lines: Sequence[OrderLineDTO]
    ) -> None:
        """Put an order's products back on the shelf, and into their owner's cart at the prices that they had."""
        prices = {line.variant_id: line.unit_price for line in lines if line.variant_id is not None}
        await self.services.cart.release_items_for_order(session, order_id, owner, prices)

    async def take_again(
        self, session: AsyncSession, order_id: int, owner: CartOwner, lines: Sequence[OrderLineDTO]
    ) -> dict[int, DebtReason]:
        """Take products again; return the lines whose products are lost, or were bought again meanwhile."""
        by_variant = self._by_variant(lines)
        again = await _bought_again(session, order_id, owner, by_variant)
        wanted = {variant_id: line.quantity for variant_id, line in by_variant.items() if variant_id not in again}
        lost = await self.services.cart.retake_items_for_order(session, order_id, owner, wanted)
        lost |= dict.fromkeys(again, DebtReason.PAID_TWICE)
        return {by_variant[variant_id].id: reason for variant_id, reason in lost.items()}

    async def cancel(self, session: AsyncSession, order_id: int, lines: Sequence[OrderLineDTO]) -> set[int]:
        """Put what was sold back on the shelf."""
        by_variant = self._by_variant(lines)
        done = await self.services.market.cancel_stock(session, order_id, by_variant.keys())
        return {by_variant[variant_id].id for variant_id in done}

    async def mark_refunded(self, session: AsyncSession, order_id: int, line: OrderLineDTO) -> None:
        """Mark stock that could not be given as refunded."""
        if line.variant_id is not None:
            await self.services.market.mark_stock_refunded(session, order_id, line.variant_id)

    def named_by(self, line: OrderLineDTO) -> int | None:
        """Return the variant that a line names."""
        return line.variant_id

    async def given(self, session: AsyncSession, order_id: int) -> list[Given]:
        """Return what was allocated to an order."""
        return [_given(stock) for stock in await self.services.market.get_stock_for_order(session, order_id)]

    def journal_ids(self, line: OrderLineDTO, given: Given | None) -> set[int]:  # noqa: ARG002 - a line names a variant
        """Return the allocation."""
        return set() if given is None else {given.id}

    async def holders(self, session: AsyncSession, ids: Collection[int]) -> ColumnElement[bool]:  # noqa: ARG002
        """Bound a query to orders that have these variants."""
        return select(OrderLine.id).where(OrderLine.order_id == Order.id, OrderLine.variant_id.in_(ids)).exists()

    @staticmethod
    def _by_variant(lines: Sequence[OrderLineDTO]) -> dict[int, OrderLineDTO]:
        return {line.variant_id: line for line in lines if line.variant_id is not None}


async def _bought_again(
    session: AsyncSession, order_id: int, owner: CartOwner, by_variant: Mapping[int, OrderLineDTO]
) -> set[int]:
    """Return the variants of which the buyer has bought at least as many again in later orders that are paid."""
    if owner.user_id is None or not by_variant:
        return set()
    rows = await session.execute(
        select(OrderLine.variant_id, func.sum(OrderLine.quantity))
        .join(Order, Order.id == OrderLine.order_id)
        .where(Order.user_id == owner.user_id, Order.id > order_id, Order.state == OrderState.PAID)
        .where(OrderLine.variant_id.in_(by_variant))
        .group_by(OrderLine.variant_id)
    )
    return {variant_id for variant_id, count in rows if variant_id and count >= by_variant[variant_id].quantity}


def _given(stock: AllocationDTO) -> Given:
    return Given(
        kind=LineKind.PRODUCT,
        named=stock.variant_id,
        id=stock.id,
        thing=stock,
        title=stock.title,
        detail=stock.detail,
        state=PRODUCT_TAGS[stock.state],
        is_given=stock.state is StockState.SOLD,
        is_cancellable=stock.state is StockState.SOLD,
    )
