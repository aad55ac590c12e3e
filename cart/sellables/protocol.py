"""What a kind of thing sold has to do: the one protocol behind cart, checkout, payment, refund, mails and audit.

Whoever sells one more kind writes one module that keeps this protocol, and the migration of its tables. Of an order's
lines each method takes those of its own kind. All of them run in the caller's transaction, which has locked the cart's
owner, the order and the payment, in that order, and never commit.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from decimal import Decimal
from typing import ClassVar, Protocol, TypeVar

from sqlalchemy import ColumnElement
from sqlalchemy.ext.asyncio import AsyncSession

from shared.audit.sold import SoldRows
from shared.contracts.dtos import OrderLineDTO, PageDTO
from shared.contracts.lines import LineKey
from shared.contracts.owner import CartOwner
from shared.contracts.states import DebtReason
from shared.labels import Tag
from shared.services.registry import Services

from .lines import CartLine

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class KindWords:
    """What one thing of a kind is called, several of them, and what is said below them in the cart."""

    one: str
    many: str
    in_cart: str = ""
    is_collected: bool = False
    """Whether its buyer comes for it to where the page says."""

    @property
    def heading(self) -> str:
        """The words above a list of them."""
        return self.many.capitalize()


@dataclass(frozen=True, slots=True)
class NewLine:
    """A line as it is written down at checkout: later changes of what it sells do not reach it.

    Tickets, bookings and products are named by columns of their own, every other kind by ``thing_id``.
    """

    kind: str
    title: str
    detail: str
    quantity: int
    unit_price: Decimal | None
    total: Decimal | None
    vat_rate: Decimal
    page_post_id: int | None
    option_name: str = ""
    start_at: datetime | None = None
    end_at: datetime | None = None
    time_zone: str = ""
    place: str = ""
    ticket_id: int | None = None
    entry_id: int | None = None
    ticket_type_id: int | None = None
    product_id: int | None = None
    variant_id: int | None = None
    thing_id: int | None = None

    def values(self, order_id: int) -> dict[str, object]:
        """Return the columns of the row."""
        return {"order_id": order_id, **asdict(self)}


@dataclass(frozen=True, slots=True)
class Given:
    """What one line of an order gave, as it stands now; ``thing`` is its domain's own data.

    ``named`` is the id that the line names, ``id`` that of the thing itself: another one where a late payment took one
    in its place.
    """

    kind: str
    named: int
    id: int
    thing: object
    title: str
    detail: str
    state: Tag
    is_given: bool
    """Whether the buyer has it."""
    is_cancellable: bool
    """Whether it can be cancelled without more ado."""
    code: str = ""
    """What lets its buyer in; empty: it has none."""
    now: str = ""
    """What has changed since it was ordered, in words; empty: nothing."""


class Sellable(Protocol[T]):
    """A kind of thing sold. ``T`` is one of it in a cart."""

    kind: ClassVar[str]
    """Its name in the lines of orders and carts."""
    thing: ClassVar[str]
    """Its name in the journal."""
    words: ClassVar[KindWords]
    place: ClassVar[int]
    """Where it stands among the other kinds on a page: lower ones come first."""
    audited: ClassVar[SoldRows]
    """Its rows in orders, for the audit."""

    def __init__(self, services: Services) -> None: ...

    # --- in the cart ---

    async def in_cart(self, session: AsyncSession, owner: CartOwner) -> Sequence[T]:
        """Return what a cart holds of it, at the prices of now."""
        ...

    def page_of(self, item: T) -> int | None:
        """Return the page that sells it."""
        ...

    def price_of(self, item: T) -> Decimal:
        """Return what it costs."""
        ...

    def quantity_of(self, item: T) -> int:
        """Return how many things it is."""
        ...

    async def cart_lines(
        self, session: AsyncSession, items: Sequence[T], pages: Mapping[int, PageDTO]
    ) -> list[CartLine]:
        """Make lines of what a cart holds, with what is known against each. One query at the most."""
        ...

    async def change(
        self, session: AsyncSession, owner: CartOwner, key: LineKey, quantity: int, *, now: datetime
    ) -> None:
        """Make a cart hold exactly so many of a line; 0 takes it out. Making it fewer is always allowed."""
        ...

    # --- into an order, and back ---

    async def claim(
        self, session: AsyncSession, order_id: int, owner: CartOwner, page_post_id: int | None
    ) -> Sequence[T]:
        """Move what a cart holds (of one page, if named) into an order, all or none; return exactly what was claimed.

        Raises SoldOut, NotOnSale, NotOffered or TooManyTickets; the caller rolls back. Safe to repeat.
        """
        ...

    def order_line(self, item: T) -> NewLine:
        """Write what was claimed down as it is now."""
        ...

    async def confirm(self, session: AsyncSession, order_id: int) -> None:
        """Give what a paid order has claimed. Safe to repeat."""
        ...

    async def release(
        self, session: AsyncSession, order_id: int, owner: CartOwner, lines: Sequence[OrderLineDTO]
    ) -> None:
        """Put what an unpaid order has claimed back into its owner's cart. Safe to repeat."""
        ...

    async def take_again(
        self, session: AsyncSession, order_id: int, owner: CartOwner, lines: Sequence[OrderLineDTO]
    ) -> dict[int, DebtReason]:
        """After a late payment, take again and give what an order released (promise 9).

        Returns the lines, by id, that cannot be given, and why. Safe to repeat: it answers the same.
        """
        ...

    async def cancel(self, session: AsyncSession, order_id: int, lines: Sequence[OrderLineDTO]) -> set[int]:
        """Cancel what lines of a paid order gave: it is for sale again. Returns the lines that this call cancelled.

        What is cancelled already, was used or never given is left as it is. Safe to repeat.
        """
        ...

    async def mark_refunded(self, session: AsyncSession, order_id: int, line: OrderLineDTO) -> None:
        """Mark what a line sold and could not give as refunded, once its money went back. Safe to repeat."""
        ...

    # --- how it stands ---

    def named_by(self, line: OrderLineDTO) -> int | None:
        """Return the id of what a line names."""
        ...

    async def given(self, session: AsyncSession, order_id: int) -> list[Given]:
        """Return what an order's lines gave, in any state. One query."""
        ...

    def journal_ids(self, line: OrderLineDTO, given: Given | None) -> set[int]:
        """Return the ids under which the journal tells of what a line gave."""
        ...

    async def holders(self, session: AsyncSession, ids: Collection[int]) -> ColumnElement[bool]:
        """Bound a query of orders to those that hold what lines of a cart, named by these ids, want."""
        ...
