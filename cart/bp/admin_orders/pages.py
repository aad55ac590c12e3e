"""What the pages about all orders show."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from cart.bp.admin_orders.services import OrderRow, Trouble
from shared.contracts.dtos import PageDTO
from shared.contracts.errors import ShopError

from .forms import FilterForm
from .words import ORDER_STATES, TROUBLES

Tag = tuple[str, str]
"""A text, and the kind of tag that it gets."""


@dataclass(frozen=True, slots=True)
class OrderView:
    """An order in the list."""

    row: OrderRow
    state: Tag
    troubles: tuple[Tag, ...]


@dataclass(frozen=True, slots=True)
class OrdersPage:
    """A stretch of the list, newest first, and the form that says which orders are wanted."""

    form: FilterForm
    orders: tuple[OrderView, ...]
    pages: tuple[tuple[str, str], ...]
    """The pages that may be chosen: each with its id and its title."""
    states: tuple[tuple[str, str], ...]
    time_zone: str
    next_url: str = ""
    export_url: str = ""
    problems: Mapping[str, str] | None = None
    """What is wrong, by field; empty: with none in particular."""

    def problem(self, field: str) -> str:
        """Return what is wrong with a field."""
        return (self.problems or {}).get(field, "")

    @property
    def summary(self) -> tuple[tuple[str, str], ...]:
        """What is wrong, with the control that it is about."""
        return tuple((f"f-{field}" if field else "", text) for field, text in (self.problems or {}).items())


def views_of(rows: Sequence[OrderRow], troubles: Mapping[int, tuple[Trouble, ...]]) -> tuple[OrderView, ...]:
    """Return orders as the list shows them."""
    return tuple(
        OrderView(row, ORDER_STATES[row.state], tuple(TROUBLES[trouble] for trouble in troubles.get(row.id, ())))
        for row in rows
    )


def build_orders_page(
    form: FilterForm,
    pages: Sequence[PageDTO],
    *,
    time_zone: str,
    orders: tuple[OrderView, ...] = (),
    next_url: str = "",
    export_url: str = "",
    refusal: ShopError | None = None,
) -> OrdersPage:
    """Put the list's page together."""
    return OrdersPage(
        form=form,
        orders=orders,
        pages=(("", "Any page"), *((str(page.id), page.title) for page in pages)),
        states=(("", "Any state"), *((state.value, words) for state, (words, _) in ORDER_STATES.items())),
        time_zone=time_zone,
        next_url=next_url,
        export_url=export_url,
        problems=None if refusal is None else {refusal.field or "": str(refusal)},
    )
