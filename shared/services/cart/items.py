"""Product lines of a cart: put in, changed, ordered, put back, and joined to an account."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import BigInteger, Select, delete, func, literal, select, update
from sqlalchemy.dialects.postgresql import Insert, insert
from sqlalchemy.ext.asyncio import AsyncSession

from shared.contracts.dtos import CartItemDTO, StaleLine, VariantDTO
from shared.contracts.errors import BadInput, NotFound, NotOnSale, TooManyProducts
from shared.contracts.owner import CartOwner
from shared.contracts.states import LineKind, NoticeReason
from shared.db.locks import lock_cart_owner, locking_idle
from shared.db.owners import owned_by, owner_columns
from shared.labels import sale_words
from shared.models import CartItem, Product, ProductVariant

MOST_OF_ONE = 99
"""How many of one variant a cart may hold."""
MOST_LINES = 100
"""How many product lines a cart may have."""


class Line(NamedTuple):
    """One line as it is stored."""

    id: int
    variant_id: int
    quantity: int
    price_seen: Decimal


async def lines_of(session: AsyncSession, owner: CartOwner) -> list[Line]:
    """Return the lines of a cart, oldest first."""
    statement = select(CartItem.id, CartItem.variant_id, CartItem.quantity, CartItem.price_seen)
    rows = await session.execute(statement.where(owned_by(CartItem, owner)).order_by(CartItem.id))
    return [Line(*row) for row in rows]


def line_to_dto(line: Line, variant: VariantDTO) -> CartItemDTO:
    """Put a line and what it is a line of into one."""
    return CartItemDTO(
        id=line.id,
        product_id=variant.product_id,
        product_slug=variant.product_slug,
        variant_id=variant.id,
        title=variant.title,
        detail=variant.label,
        unit=variant.unit,
        quantity=line.quantity,
        unit_price=variant.price,
        price_seen=line.price_seen,
        container_id=variant.container_id,
        available=variant.available,
        on_show=variant.on_show,
        some_unpaid=variant.some_unpaid,
        vat_rate=variant.vat_rate,
    )


async def set_line(session: AsyncSession, owner: CartOwner, variant: VariantDTO, quantity: int, now: datetime) -> None:
    """Make a cart hold exactly so many of a variant. The caller has locked the owner. Safe to repeat."""
    if quantity <= 0:
        await session.execute(delete(CartItem).where(owned_by(CartItem, owner), CartItem.variant_id == variant.id))
        return
    values = {"quantity": quantity, "price_seen": variant.price, "touched_at": now}
    row = insert(CartItem).values(variant_id=variant.id, **owner_columns(owner), **values)
    await session.execute(_or_update(row, owner, values))


def _or_update(row: Insert, owner: CartOwner, values: Mapping[str, object]) -> Insert:
    """Let a line that is there already take the new values."""
    column = CartItem.user_id if owner.user_id is not None else CartItem.session_id
    # With the condition of the partial index, or PostgreSQL finds no index that fits (42P10).
    return row.on_conflict_do_update(
        index_elements=[column, CartItem.variant_id], index_where=column.is_not(None), set_=values
    )


def check_quantity(variant: VariantDTO, quantity: int, have: int, *, more: bool) -> None:
    """Raise NotOnSale or TooManyProducts, in words, where a cart may not hold so many of a variant.

    Fewer than it has are always allowed. ``more``: somebody is adding, and may not know what they have.
    """
    if quantity <= have:
        return
    name = f"{variant.title}, {variant.label}" if variant.label else variant.title
    if not variant.sale.is_open:
        refusal = TooManyProducts if variant.sale.is_for_sale else NotOnSale
        raise refusal(sale_words(LineKind.PRODUCT, variant.sale, name=name).refusal, field="quantity")
    already = f" You have {have} in your cart already." if have and more else ""
    if quantity > MOST_OF_ONE:
        raise TooManyProducts(f"You can buy at most {MOST_OF_ONE} of {name} at once.{already}", field="quantity")
    if variant.available is not None and quantity > variant.available:
        raise TooManyProducts(f"Only {variant.available} of {name} left.{already}", field="quantity")


async def change_line(
    session: AsyncSession, owner: CartOwner, variant: VariantDTO | None, quantity: int, *, more: bool, now: datetime
) -> int:
    """Add to a line (``more``), or set it; return how many it has then. Raises NotFound, BadInput and its children."""
    if variant is None:
        raise NotFound("We could not find that product. It may have been taken off the shelves.")
    await lock_cart_owner(session, owner)
    lines = {line.variant_id: line for line in await lines_of(session, owner)}
    have = lines[variant.id].quantity if variant.id in lines else 0
    wanted = have + quantity if more else quantity
    check_quantity(variant, wanted, have, more=more)
    if not have and wanted > 0 and len(lines) >= MOST_LINES:
        raise BadInput(f"A cart holds at most {MOST_LINES} different products. Please check out what you have first.")
    await set_line(session, owner, variant, wanted, now)
    return max(wanted, 0)


async def take_out(session: AsyncSession, owner: CartOwner, variant_ids: Collection[int]) -> dict[int, int]:
    """Take lines out of a cart, whatever they hold; return how many of each variant that was."""
    mine = delete(CartItem).where(owned_by(CartItem, owner), CartItem.variant_id.in_(variant_ids))
    taken = await session.execute(mine.returning(CartItem.variant_id, CartItem.quantity))
    return {variant_id: quantity for variant_id, quantity in taken}  # noqa: C416 - dict() of rows loses their types


async def reduce(session: AsyncSession, owner: CartOwner, variant_id: int, by: int) -> None:
    """Take so many of a variant out of a cart, as far as there are so many in it."""
    mine = owned_by(CartItem, owner) & (CartItem.variant_id == variant_id)
    # Deleted first: the CHECK refuses a line of none.
    await session.execute(delete(CartItem).where(mine, CartItem.quantity <= by))
    await session.execute(update(CartItem).where(mine).values(quantity=CartItem.quantity - by))


async def put_back(
    session: AsyncSession, owner: CartOwner, quantities: Mapping[int, int], prices: Mapping[int, Decimal], now: datetime
) -> None:
    """Put what an order released back into a cart, on top of what is in it, up to what one may have."""
    for variant_id, quantity in sorted(quantities.items()):
        row = insert(CartItem).values(
            variant_id=variant_id,
            quantity=quantity,
            price_seen=prices[variant_id],
            touched_at=now,
            **owner_columns(owner),
        )
        together = func.least(CartItem.quantity + quantity, MOST_OF_ONE)
        await session.execute(_or_update(row, owner, {"quantity": together, "touched_at": now}))


async def join_lines(session: AsyncSession, *, session_id: UUID, user_id: int) -> None:
    """Move an anonymous session's lines into a user's cart; quantities add up, to what one may have at the most.

    The caller has locked both. Safe to repeat: a session whose lines were moved has none left.
    """
    theirs = owned_by(CartItem, CartOwner.of_session(session_id))
    row = insert(CartItem).from_select(
        ["user_id", "variant_id", "quantity", "price_seen", "touched_at"],
        select(
            literal(user_id, BigInteger),
            CartItem.variant_id,
            CartItem.quantity,
            CartItem.price_seen,
            CartItem.touched_at,
        )
        .where(theirs)
        .order_by(CartItem.variant_id),
    )
    together = func.least(CartItem.quantity + row.excluded.quantity, MOST_OF_ONE)
    await session.execute(
        _or_update(row, CartOwner.of_user(user_id), {"quantity": together, "touched_at": row.excluded.touched_at})
    )
    await session.execute(delete(CartItem).where(theirs))


def _stale(older_than: datetime) -> Select[int]:
    """Select lines that were last touched before a moment, a batch at a time."""
    return select(CartItem.id).where(CartItem.touched_at < older_than).order_by(CartItem.touched_at).limit(500)


async def drop_stale_lines(session: AsyncSession, older_than: datetime) -> list[StaleLine]:
    """Take lines out of all carts that were last touched before a moment. Safe to repeat."""
    gone = (
        delete(CartItem)
        .where(CartItem.id.in_(locking_idle(_stale(older_than))))
        .returning(CartItem.user_id, CartItem.session_id, CartItem.variant_id, CartItem.quantity)
    )
    rows = (await session.execute(gone)).all()
    titles = await _titles(session, {row.variant_id for row in rows})
    return [
        StaleLine(
            owner=CartOwner(row.user_id, row.session_id),
            title=titles[row.variant_id],
            quantity=row.quantity,
            reason=NoticeReason.OLD,
        )
        for row in rows
    ]


async def _titles(session: AsyncSession, variant_ids: set[int]) -> dict[int, str]:
    if not variant_ids:
        return {}
    rows = await session.execute(
        select(ProductVariant.id, Product.title)
        .join(Product, Product.id == ProductVariant.product_id)
        .where(ProductVariant.id.in_(variant_ids))
    )
    return {variant_id: title for variant_id, title in rows}  # noqa: C416 - dict() of rows loses their types
