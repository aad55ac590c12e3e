"""Stock: held for an order, released, sold, and taken again for late money (docs/money.md, promises 1, 2, 8 and 9).

Everything here locks variants by id, last of all; the caller has locked the cart's owner and the order.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from sqlalchemy import ColumnElement, case, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import joinedload

from shared.contracts.dtos import AllocationDTO
from shared.contracts.errors import Conflict, LineProblem, NotOnSale, SoldOut
from shared.contracts.lines import product_key
from shared.contracts.sale import sale_of_stock
from shared.contracts.states import DebtReason, LineKind, StockState
from shared.db.locks import lock_variants
from shared.db.refusals import holding_refused
from shared.labels import TAKE_OUT, sale_words
from shared.models import OrderLine
from shared.models.market import Product, ProductVariant, StockAllocation


def label_of(variant: ProductVariant) -> str:
    """Say which variant it is: ``Large, green``; nothing for a product of one kind."""
    return ", ".join(filter(None, (variant.size, variant.colour)))


def left_of(variant: ProductVariant) -> int | None:
    """Return how many of a variant are left; None: no limit."""
    return None if variant.stock is None else max(0, variant.stock - variant.held)


def _has(variant: ProductVariant, quantity: int) -> bool:
    left = left_of(variant)
    return left is None or quantity <= left


def asking_unpaid() -> ColumnElement[bool]:
    """Tell in a query of variants whether none is left and some are held only by unpaid orders.

    Looked up only where none is left, which the query finds out by itself.
    """
    mine = (StockAllocation.variant_id == ProductVariant.id, StockAllocation.state == StockState.RESERVED)
    reserved = select(StockAllocation.id).where(*mine)
    return case((ProductVariant.held >= ProductVariant.stock, reserved.exists()), else_=False)


async def _short(
    session: AsyncSession, wanted: Mapping[int, int], variants: Mapping[int, ProductVariant]
) -> tuple[LineProblem, ...]:
    """Return what there is not enough of, and whether it may come back."""
    short = {key: quantity for key, quantity in sorted(wanted.items()) if not _has(variants[key], quantity)}
    if not short:
        return ()
    rows = await session.execute(select(ProductVariant.id, asking_unpaid()).where(ProductVariant.id.in_(short)))
    unpaid = {variant_id for variant_id, some_unpaid in rows if some_unpaid}
    return tuple(
        LineProblem(
            product_key(key),
            wanted=quantity,
            sale=sale_of_stock(on_show=True, left=left_of(variants[key]), some_unpaid=key in unpaid),
        )
        for key, quantity in short.items()
    )


async def claim_stock(session: AsyncSession, order_id: int, wanted: Mapping[int, int]) -> None:
    """Hold stock for an order: all or none. Raises SoldOut, NotOnSale, Conflict."""
    if not wanted:
        return
    variants = {variant.id: variant for variant in await lock_variants(session, wanted)}
    if len(variants) != len(wanted):
        raise Conflict
    # First what is no longer sold at all: "sold out" would be the wrong word for it.
    await _refuse_hidden(session, variants)
    problems = await _short(session, wanted, variants)
    if problems:
        raise SoldOut(problems)
    session.add_all(
        StockAllocation(order_id=order_id, variant_id=variant_id, quantity=quantity, state=StockState.RESERVED)
        for variant_id, quantity in sorted(wanted.items())
    )
    with holding_refused():
        await session.flush()  # the database's own guard speaks here


async def _refuse_hidden(session: AsyncSession, variants: Mapping[int, ProductVariant]) -> None:
    """Raise NotOnSale for what was taken off the shelves since it was put into the cart."""
    statement = select(Product).where(Product.id.in_({variant.product_id for variant in variants.values()}))
    products = {product.id: product for product in await session.scalars(statement)}
    for variant in variants.values():
        product = products[variant.product_id]
        sale = sale_of_stock(on_show=product.published and variant.published, left=left_of(variant), some_unpaid=False)
        if not sale.is_for_sale:
            raise NotOnSale(f"{sale_words(LineKind.PRODUCT, sale, name=product.title).refusal} {TAKE_OUT}")


async def release_stock(session: AsyncSession, order_id: int) -> dict[int, int]:
    """Put what an order holds back on the shelf; return how many of each variant that was. Safe to repeat."""
    return await _move(session, order_id, StockState.RESERVED, StockState.RELEASED)


async def confirm_stock(session: AsyncSession, order_id: int) -> None:
    """Sell what an order holds. Safe to repeat."""
    await _move(session, order_id, StockState.RESERVED, StockState.SOLD)


async def cancel_stock(session: AsyncSession, order_id: int, variant_ids: Collection[int]) -> set[int]:
    """Put what was sold with an order back on the shelf; return which of ``variant_ids`` that was. Safe to repeat."""
    chosen = StockAllocation.variant_id.in_(variant_ids)
    return set(await _move(session, order_id, StockState.SOLD, StockState.CANCELLED, chosen))


async def _move(
    session: AsyncSession, order_id: int, old: StockState, new: StockState, *which: ColumnElement[bool]
) -> dict[int, int]:
    """Move an order's allocations (``which`` of them) to another state; return how many of each variant that was."""
    moved = await session.execute(
        update(StockAllocation)
        .where(StockAllocation.order_id == order_id, StockAllocation.state == old, *which)
        .values(state=new)
        .returning(StockAllocation.variant_id, StockAllocation.quantity)
        .execution_options(synchronize_session=False)
    )
    return {variant_id: quantity for variant_id, quantity in moved}  # noqa: C416 - dict() of rows loses their types


async def retake_stock(session: AsyncSession, order_id: int, variant_ids: Collection[int]) -> dict[int, DebtReason]:
    """Take again and sell what an order released, variant by variant; return those that are gone. Safe to repeat."""
    if not variant_ids:
        return {}
    variants = {variant.id: variant for variant in await lock_variants(session, variant_ids)}
    rows = await session.scalars(
        select(StockAllocation)
        .where(StockAllocation.order_id == order_id, StockAllocation.variant_id.in_(variant_ids))
        .order_by(StockAllocation.variant_id)
        .execution_options(populate_existing=True)
    )
    lost = {}
    for row in rows:
        if row.state == StockState.RELEASED and _has(variants[row.variant_id], row.quantity):
            row.state = StockState.RESERVED
        # Those that an earlier call found gone are told of again: it must answer the same.
        elif row.state in (StockState.RELEASED, StockState.OVERSOLD, StockState.REFUNDED):
            lost[row.variant_id] = DebtReason.SOLD_OUT
            row.state = StockState.OVERSOLD if row.state == StockState.RELEASED else row.state
    await session.flush()  # selling reads the database
    await confirm_stock(session, order_id)
    return lost


async def allocations_of(session: AsyncSession, order_id: int) -> list[AllocationDTO]:
    """Return what was allocated to an order, as it was called then; before its lines are written, as it is now."""
    same = (OrderLine.order_id == StockAllocation.order_id) & (OrderLine.variant_id == StockAllocation.variant_id)
    rows = await session.execute(
        select(StockAllocation, OrderLine)
        .outerjoin(OrderLine, same)
        .where(StockAllocation.order_id == order_id)
        .options(joinedload(StockAllocation.variant).joinedload(ProductVariant.product))
        .order_by(StockAllocation.id)
        .execution_options(populate_existing=True)
    )
    return [_allocation(row, line) for row, line in rows]


def _allocation(row: StockAllocation, line: OrderLine | None) -> AllocationDTO:
    """Map an allocation, called as its order's line has it."""
    return AllocationDTO(
        order_id=row.order_id,
        variant_id=row.variant_id,
        title=row.variant.product.title if line is None else line.title,
        detail=label_of(row.variant) if line is None else line.detail,
        quantity=row.quantity,
        state=row.state,
        id=row.id,
    )


async def refund_stock(session: AsyncSession, order_id: int, variant_id: int) -> None:
    """Mark an oversold allocation as refunded. Safe to repeat."""
    await session.execute(
        update(StockAllocation)
        .where(StockAllocation.order_id == order_id, StockAllocation.variant_id == variant_id)
        .where(StockAllocation.state == StockState.OVERSOLD)
        .values(state=StockState.REFUNDED)
        .execution_options(synchronize_session=False)
    )
