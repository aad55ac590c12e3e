"""All kinds of things sold, in the order in which they are locked, and what is done with all of them at once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, TypeVar

from sqlalchemy.ext.asyncio import AsyncSession

from shared.contracts.dtos import ZERO, CartSummaryDTO, KindCount, OrderLineDTO, PageDTO, SellerDTO
from shared.contracts.errors import NotFound
from shared.contracts.owner import CartOwner
from shared.contracts.states import LineKind
from shared.services.cart_impl import count_open_orders, summary_of

from .lines import CartLine
from .protocol import Given, KindWords, NewLine, Sellable

D = TypeVar("D")


@dataclass(frozen=True, slots=True)
class PartOfCart:
    """What a cart, or an order that is just being made, has of one kind."""

    sellable: Sellable[Any]
    items: Sequence[Any]

    @property
    def total(self) -> Decimal:
        """What it costs."""
        return sum((self.sellable.price_of(item) for item in self.items), ZERO)

    @property
    def count(self) -> KindCount:
        """How much it is."""
        words = self.sellable.words
        number = sum(self.sellable.quantity_of(item) for item in self.items)
        return KindCount(self.sellable.kind, words.one, words.many, number, self.total)

    @property
    def order_lines(self) -> list[NewLine]:
        """The lines of an order that are made from it."""
        return [self.sellable.order_line(item) for item in self.items]

    def of_page(self, page_post_id: int | None) -> PartOfCart:
        """Return what one page sells of it."""
        return PartOfCart(self.sellable, [item for item in self.items if self.sellable.page_of(item) == page_post_id])


@dataclass(frozen=True, slots=True)
class Parts:
    """What a cart, or an order that is just being made, has of every kind."""

    parts: tuple[PartOfCart, ...]

    @property
    def is_empty(self) -> bool:
        """Whether it is nothing."""
        return not any(part.items for part in self.parts)

    @property
    def total(self) -> Decimal:
        """What it costs."""
        return sum((part.total for part in self.parts), ZERO)

    @property
    def page_ids(self) -> list[int | None]:
        """The pages that sell it, each once, in the order in which they come."""
        # dict, not set: the order of sellers on pages and receipts stays the same.
        return list(dict.fromkeys(part.sellable.page_of(item) for part in self.parts for item in part.items))

    @property
    def order_lines(self) -> list[NewLine]:
        """The lines of an order that are made from it."""
        return [line for part in self.parts for line in part.order_lines]

    def counts(self) -> list[KindCount]:
        """Return how much it is, by kind."""
        return [part.count for part in self.parts]

    def of_page(self, page_post_id: int | None) -> Parts:
        """Return what one page sells of it."""
        return Parts(tuple(part.of_page(page_post_id) for part in self.parts))

    def items_of(self, kind: str) -> Sequence[Any]:
        """Return what it has of one kind."""
        return next((part.items for part in self.parts if part.sellable.kind == kind), ())

    async def lines(self, session: AsyncSession, pages: Mapping[int, PageDTO]) -> list[CartLine]:
        """Make lines of it, kind by kind as pages show them, with what is known against each."""
        # Pages have an order of their own; the order of locks is nobody's business there.
        shown = sorted(self.parts, key=lambda part: part.sellable.place)
        made = [await part.sellable.cart_lines(session, part.items, pages) for part in shown if part.items]
        return [line for lines in made for line in lines]


@dataclass(frozen=True, slots=True)
class Sellables:
    """All kinds of things sold, in the order in which they are locked."""

    kinds: tuple[Sellable[Any], ...]

    def __iter__(self) -> Iterator[Sellable[Any]]:
        """Give each kind, in the order of locks."""
        return iter(self.kinds)

    def of(self, kind: str) -> Sellable[Any]:
        """Return a kind by its name. Raises NotFound."""
        found = next((sellable for sellable in self.kinds if sellable.kind == kind), None)
        if found is None:
            raise NotFound
        return found

    def with_lines(self, lines: Iterable[OrderLineDTO]) -> list[tuple[Sellable[Any], list[OrderLineDTO]]]:
        """Return each kind with those of an order's lines that are its own, in the order of locks."""
        # Kinds without lines are given too: releasing must reach what a line does not name.
        every = list(lines)
        return [(sellable, [line for line in every if line.kind == sellable.kind]) for sellable in self.kinds]

    async def in_cart(self, session: AsyncSession, owner: CartOwner) -> Parts:
        """Return what is in a cart; the number of queries depends on the number of kinds alone."""
        return Parts(tuple([PartOfCart(sellable, await sellable.in_cart(session, owner)) for sellable in self.kinds]))

    async def claim(self, session: AsyncSession, order_id: int, owner: CartOwner, page_post_id: int | None) -> Parts:
        """Move a cart (one page's part, if named) into an order; return what was claimed.

        Raises as ``Sellable.claim``.
        """
        # One after the other, never at once: the order of locks is the order of kinds.
        claimed = [
            PartOfCart(sellable, await sellable.claim(session, order_id, owner, page_post_id))
            for sellable in self.kinds
        ]
        return Parts(tuple(claimed))

    async def given(self, session: AsyncSession, order_id: int) -> GivenThings:
        """Return what an order gave, in any state; one query for each kind."""
        found = [given for sellable in self.kinds for given in await sellable.given(session, order_id)]
        return GivenThings(self, tuple(found))

    async def summary(self, session: AsyncSession, owner: CartOwner) -> CartSummaryDTO:
        """Return how much is in a cart, for the badge."""
        parts = await self.in_cart(session, owner)
        return summary_of(parts.counts(), open_orders=await count_open_orders(session, owner))


@dataclass(frozen=True, slots=True)
class GivenSection:
    """What an order gave of one kind."""

    words: KindWords
    things: tuple[Given, ...]


@dataclass(frozen=True, slots=True)
class GivenThings:
    """What an order gave, in any state."""

    sellables: Sellables
    every: tuple[Given, ...]

    def of_line(self, line: OrderLineDTO) -> Given | None:
        """Return what a line gave; None: it was released."""
        # By kind and id: a ticket and a booking may have the same number.
        named = self.sellables.of(line.kind).named_by(line)
        return next((each for each in self.every if (each.kind, each.named) == (line.kind, named)), None)

    def things(self, of_type: type[D]) -> list[D]:
        """Return the things themselves, as their domain has them, of one type."""
        return [each.thing for each in self.every if isinstance(each.thing, of_type)]

    def had(self) -> GivenThings:
        """Return what the buyer has of it."""
        return GivenThings(self.sellables, tuple(each for each in self.every if each.is_given))

    @property
    def others(self) -> list[GivenSection]:
        """What it is besides tickets, bookings and products, which are shown with words of their own; by kind."""
        shown = sorted(self.sellables, key=lambda sellable: sellable.place)
        found = (
            (sellable.words, tuple(each for each in self.every if each.kind == sellable.kind))
            for sellable in shown
            # These three have sections of their own in the templates, as the specification names them.
            if sellable.kind not in list(LineKind)
        )
        return [GivenSection(words, things) for words, things in found if things]

    @property
    def is_collected(self) -> bool:
        """Whether any of it is to be collected."""
        return any(self.sellables.of(each.kind).words.is_collected for each in self.every)

    def collected_from(self, lines: Iterable[OrderLineDTO], sellers: Iterable[SellerDTO]) -> tuple[SellerDTO, ...]:
        """Return the sellers from whom some lines are collected."""
        pages = {line.page_post_id for line in lines if self.sellables.of(line.kind).words.is_collected}
        return tuple(seller for seller in sellers if seller.page_post_id in pages)
