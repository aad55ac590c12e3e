"""A kind of thing sold that only the tests know: gifts to a page, of which there is no stock and no limit.

This module and its migration are all that there is of it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import ClassVar
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    MetaData,
    Numeric,
    Row,
    Table,
    Text,
    Update,
    Uuid,
    delete,
    false,
    select,
    update,
)
from sqlalchemy.ext.asyncio import AsyncSession

from cart.sellables.lines import CartLine
from cart.sellables.protocol import Given, KindWords, NewLine, Sellable
from shared.audit.sold import SoldRows
from shared.contracts.dtos import ZERO, OrderLineDTO, PageDTO
from shared.contracts.lines import LineKey, line_key
from shared.contracts.owner import CartOwner
from shared.contracts.states import DebtReason
from shared.services.registry import Services

Donation = Row[tuple[int, int, int | None, UUID | None, int | None, Decimal, str]]
TABLE = Table(
    "donations",
    MetaData(),
    Column("id", BigInteger, primary_key=True),
    Column("page_post_id", BigInteger),
    Column("user_id", BigInteger),
    Column("session_id", Uuid),
    Column("order_id", BigInteger),
    Column("amount", Numeric(10, 2)),
    Column("state", Text),
)
STATES = {
    "reserved": ("Held until it is paid", "warning"),
    "sold": ("Given", "good"),
    "cancelled": ("Taken back", ""),
    "refunded": ("Refunded", "info"),
}


@dataclass(frozen=True, slots=True)
class Donations(Sellable[Donation]):
    services: Services
    kind: ClassVar[str] = "donation"
    thing: ClassVar[str] = "donation"
    words: ClassVar[KindWords] = KindWords("donation", "donations", in_cart="Thank you for giving.")
    place: ClassVar[int] = 40
    audited: ClassVar[SoldRows] = SoldRows(
        kind="donation",
        many="donations",
        rows="donations WHERE order_id IS NOT NULL",
        named="id",
        line="thing_id",
        holding=("reserved", "sold"),
    )

    async def in_cart(self, session: AsyncSession, owner: CartOwner) -> Sequence[Donation]:
        pending = select(TABLE).where(_owned_by(owner), TABLE.c.state == "pending").order_by(TABLE.c.id)
        return (await session.execute(pending)).all()

    def page_of(self, item: Donation) -> int | None:
        return item.page_post_id

    def price_of(self, item: Donation) -> Decimal:
        return item.amount

    def quantity_of(self, item: Donation) -> int:
        return 1

    async def cart_lines(
        self, session: AsyncSession, items: Sequence[Donation], pages: Mapping[int, PageDTO]
    ) -> list[CartLine]:
        return [
            CartLine(
                key=line_key(self.kind, item.id),
                title="A donation",
                detail="",
                quantity=1,
                unit_price=item.amount,
                vat_rate=ZERO,
                page_post_id=item.page_post_id,
                fields=(("kind", self.kind), ("thing_id", str(item.id))),
            )
            for item in items
        ]

    async def change(
        self, session: AsyncSession, owner: CartOwner, key: LineKey, quantity: int, *, now: datetime
    ) -> None:
        if quantity <= 0:
            mine = TABLE.c.id == key[1], TABLE.c.state == "pending", _owned_by(owner)
            await session.execute(delete(TABLE).where(*mine))

    async def claim(
        self, session: AsyncSession, order_id: int, owner: CartOwner, page_post_id: int | None
    ) -> Sequence[Donation]:
        chosen = [item for item in await self.in_cart(session, owner) if page_post_id in (None, item.page_post_id)]
        ids = [item.id for item in chosen]
        await session.execute(_become("reserved", TABLE.c.id.in_(ids)).values(order_id=order_id))
        return chosen

    def order_line(self, item: Donation) -> NewLine:
        return NewLine(
            kind=self.kind,
            title="A donation",
            detail="",
            quantity=1,
            unit_price=item.amount,
            total=item.amount,
            vat_rate=ZERO,
            page_post_id=item.page_post_id,
            thing_id=item.id,
        )

    async def confirm(self, session: AsyncSession, order_id: int) -> None:
        await session.execute(_become("sold", TABLE.c.order_id == order_id, TABLE.c.state == "reserved"))

    async def release(
        self, session: AsyncSession, order_id: int, owner: CartOwner, lines: Sequence[OrderLineDTO]
    ) -> None:
        back = _become("pending", TABLE.c.order_id == order_id, TABLE.c.state == "reserved")
        await session.execute(back.values(order_id=None))

    async def take_again(
        self, session: AsyncSession, order_id: int, owner: CartOwner, lines: Sequence[OrderLineDTO]
    ) -> dict[int, DebtReason]:
        ids = [line.thing_id for line in lines]
        again = _become("sold", TABLE.c.id.in_(ids), TABLE.c.state == "pending", TABLE.c.order_id.is_(None))
        await session.execute(again.values(order_id=order_id))
        mine = set(await session.scalars(select(TABLE.c.id).where(TABLE.c.order_id == order_id)))
        return {line.id: DebtReason.PAID_TWICE for line in lines if line.thing_id not in mine}

    async def cancel(self, session: AsyncSession, order_id: int, lines: Sequence[OrderLineDTO]) -> set[int]:
        ids = [line.thing_id for line in lines]
        given = TABLE.c.order_id == order_id, TABLE.c.id.in_(ids), TABLE.c.state == "sold"
        done = set(await session.scalars(_become("cancelled", *given).returning(TABLE.c.id)))
        return {line.id for line in lines if line.thing_id in done}

    async def mark_refunded(self, session: AsyncSession, order_id: int, line: OrderLineDTO) -> None:
        await session.execute(_become("refunded", TABLE.c.id == line.thing_id, TABLE.c.state == "cancelled"))

    def named_by(self, line: OrderLineDTO) -> int | None:
        return line.thing_id

    async def given(self, session: AsyncSession, order_id: int) -> list[Given]:
        rows = await session.execute(select(TABLE).where(TABLE.c.order_id == order_id).order_by(TABLE.c.id))
        return [
            Given(
                kind=self.kind,
                named=row.id,
                id=row.id,
                thing=row,
                title="A donation",
                detail="",
                state=STATES[row.state],
                is_given=row.state == "sold",
                is_cancellable=row.state == "sold",
            )
            for row in rows
        ]

    def journal_ids(self, line: OrderLineDTO, given: Given | None) -> set[int]:
        return set() if line.thing_id is None else {line.thing_id}

    async def holders(self, session: AsyncSession, ids: Collection[int]) -> ColumnElement[bool]:
        return false()  # there is always enough of it


async def give(session: AsyncSession, owner: CartOwner, page_post_id: int, amount: str) -> int:
    """Put a donation into a cart, and commit; return its id."""
    values = {"page_post_id": page_post_id, "user_id": owner.user_id, "session_id": owner.session_id}
    row = TABLE.insert().values(**values, amount=Decimal(amount)).returning(TABLE.c.id)
    made = int((await session.scalars(row)).one())
    await session.commit()
    return made


def _become(state: str, *which: ColumnElement[bool]) -> Update:
    return update(TABLE).where(*which).values(state=state)


def _owned_by(owner: CartOwner) -> ColumnElement[bool]:
    if owner.user_id is not None:
        return TABLE.c.user_id == owner.user_id
    return false() if owner.session_id is None else TABLE.c.session_id == owner.session_id
